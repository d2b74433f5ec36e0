// The work of fs: each function as it is when it waits. The other forms are made of these.
'use strict';

const host = binding('fs');
const { Dirent, Stats, constants, flagsOf, pathOf } = require('internal/fs_types');
const { coded, invalidArgument } = require('internal/errors');

const optionsOf = (options, missing = {}) => {
    if (typeof options === 'string') return { ...missing, encoding: options };
    return { ...missing, ...options };
};

function modeOf(mode, missing) {
    if (mode === undefined || mode === null) return missing;
    return typeof mode === 'string' ? Number.parseInt(mode, 8) : mode;
}

function decoded(bytes, encoding) {
    const { adopt } = require('buffer');
    const buffer = adopt(new Uint8Array(bytes));
    return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
}

function bytesOf(data, encoding, name = 'data') {
    if (typeof data === 'string') {
        const isUtf8 = !encoding || /^utf-?8$/i.test(encoding);
        return isUtf8 ? require('internal/encoding').utf8(data) : Buffer.from(data, encoding);
    }
    if (ArrayBuffer.isView(data)) return data;
    throw invalidArgument(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

const seconds = (time) => (time instanceof Date ? time.getTime() / 1000 : Number(time));
const position = (value) => (value === undefined || value === null ? -1 : Number(value));
const descriptorOf = (file) => (typeof file === 'object' && typeof file?.fd === 'number' ? file.fd : file);

const operations = {
    readFile(path, options) {
        const { encoding, flag } = optionsOf(options);
        const file = descriptorOf(path);
        if (Number.isInteger(file)) return decoded(host.readFileByNumber(file), encoding);
        return decoded(host.readFile(pathOf(path), flagsOf(flag, 'r')), encoding);
    },
    writeFile(path, data, options) {
        const { encoding, flag, mode } = optionsOf(options);
        const file = descriptorOf(path);
        const bytes = bytesOf(data, encoding);
        if (typeof file === 'number') host.writeFileByNumber(file, bytes, 0, 0);
        else host.writeFile(pathOf(path), bytes, flagsOf(flag, 'w'), modeOf(mode, 0o666));
    },
    appendFile(path, data, options) {
        operations.writeFile(path, data, { flag: 'a', ...optionsOf(options) });
    },
    readdir(path, options) {
        const { withFileTypes = false, recursive = false, encoding } = optionsOf(options);
        const folder = pathOf(path);
        const found = [];
        const list = (below) => {
            const here = below === '' ? folder : `${folder.replace(/\/$/, '')}/${below}`;
            for (const [name, kind] of host.entries(here)) {
                const relative = below === '' ? name : `${below}/${name}`;
                if (withFileTypes) found.push(new Dirent(name, here, kind));
                else found.push(encoding === 'buffer' ? Buffer.from(relative) : relative);
                if (recursive && kind === 'directory') list(relative);
            }
        };
        list('');
        return found;
    },
    stat(path, options) {
        return statOf(host.stat, path, options);
    },
    lstat(path, options) {
        return statOf(host.lstat, path, options);
    },
    fstat: (fd, options) => new Stats(host.fstat(fd), options),
    mkdir(path, options) {
        const { recursive = false, mode } = typeof options === 'object' ? (options ?? {}) : { mode: options };
        const made = host.make(pathOf(path), recursive, modeOf(mode, 0o777));
        return made ?? undefined;
    },
    rm(path, { recursive = false, force = false } = {}) {
        const name = pathOf(path);
        if (!recursive && host.exists(name) && new Stats(host.lstat(name)).isDirectory()) {
            const message = `Path is a directory: rm returned EISDIR (is a directory) ${name}`;
            throw coded(Error, 'ERR_FS_EISDIR', message, { errno: 21, syscall: 'rm', path: name });
        }
        host.remove(name, recursive, force);
    },
    rmdir(path, { recursive = false } = {}) {
        if (recursive) host.remove(pathOf(path), true, false);
        else host.removeFolder(pathOf(path));
    },
    unlink: (path) => void host.unlink(pathOf(path)),
    rename: (from, to) => void host.rename(pathOf(from, 'oldPath'), pathOf(to, 'newPath')),
    copyFile: (from, to, mode = 0) =>
        void host.copy(pathOf(from, 'src'), pathOf(to, 'dest'), (mode & constants.COPYFILE_EXCL) !== 0),
    cp(from, to, options = {}) {
        const { recursive = false, force = true, errorOnExist = false, filter } = options;
        const [source, target] = [pathOf(from, 'src'), pathOf(to, 'dest')];
        if (filter && !filter(source, target)) return;
        if (new Stats(host.lstat(source)).isDirectory()) {
            if (!recursive) {
                throw coded(
                    Error,
                    'ERR_FS_EISDIR',
                    `Recursive option not enabled, cannot copy a directory: ${source}`,
                );
            }
            host.make(target, true, 0o777);
            for (const [name] of host.entries(source))
                operations.cp(`${source}/${name}`, `${target}/${name}`, options);
        } else if (force || !host.exists(target)) {
            host.copy(source, target, false);
        } else if (errorOnExist) {
            throw coded(Error, 'ERR_FS_CP_EEXIST', `Target already exists: ${target}`);
        }
    },
    access: (path, mode = constants.F_OK) => void host.access(pathOf(path), mode),
    realpath: (path) => host.real(pathOf(path)),
    readlink: (path) => host.readLink(pathOf(path)),
    symlink: (target, path) => void host.symlink(pathOf(target, 'target'), pathOf(path)),
    link: (from, to) => void host.link(pathOf(from, 'existingPath'), pathOf(to, 'newPath')),
    chmod: (path, mode) => void host.chmod(pathOf(path), modeOf(mode)),
    chown: (path, uid, gid) => void host.chown(pathOf(path), uid, gid),
    utimes: (path, accessed, modified) =>
        void host.utimes(pathOf(path), seconds(accessed), seconds(modified)),
    futimes: (fd, accessed, modified) => void host.utimes(fd, seconds(accessed), seconds(modified)),
    truncate: (path, length = 0) => void host.truncate(pathOf(path), length),
    ftruncate: (fd, length = 0) => void host.truncateByNumber(fd, length),
    mkdtemp: (prefix) => host.makeTemporary(pathOf(prefix, 'prefix')),
    open: (path, flags, mode) => host.open(pathOf(path), flagsOf(flags, 'r'), modeOf(mode, 0o666)),
    close: (fd) => void host.close(fd),
    fsync: (fd) => void host.fsync(fd),
    fdatasync: (fd) => void host.fsync(fd),
    /** How many bytes have been read into `buffer`. */
    read(fd, buffer, offset, length, place) {
        if (typeof offset === 'object' && offset !== null) ({ offset, length, position: place } = offset);
        offset ??= 0;
        length ??= buffer.byteLength - offset;
        const bytes = new Uint8Array(host.read(fd, length, position(place)));
        new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(bytes, offset);
        return bytes.length;
    },
    /** How many bytes have been written, of a buffer's part or of a string. */
    write(fd, data, offset, length, place) {
        if (typeof data === 'string') return host.write(fd, bytesOf(data, length), position(offset));
        if (typeof offset === 'object' && offset !== null) ({ offset, length, position: place } = offset);
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        const start = offset ?? 0;
        return host.write(
            fd,
            bytes.subarray(start, length === undefined || length === null ? undefined : start + length),
            position(place),
        );
    },
};

function statOf(ask, path, options) {
    const name = pathOf(path);
    if (options?.throwIfNoEntry !== false) return new Stats(ask(name), options);
    try {
        return new Stats(ask(name), options);
    } catch (error) {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
    }
}

module.exports = { exists: (path) => host.exists(pathOf(path)), operations };
