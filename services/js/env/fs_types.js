// What fs hands out and takes: Stats, Dirent, flags of open, paths.
'use strict';

const { coded, invalidArgument } = require('internal/errors');

const constants = {
    F_OK: 0,
    X_OK: 1,
    W_OK: 2,
    R_OK: 4,
    COPYFILE_EXCL: 1,
    COPYFILE_FICLONE: 2,
    COPYFILE_FICLONE_FORCE: 4,
    O_RDONLY: 0,
    O_WRONLY: 1,
    O_RDWR: 2,
    O_CREAT: 0o100,
    O_EXCL: 0o200,
    O_NOCTTY: 0o400,
    O_TRUNC: 0o1000,
    O_APPEND: 0o2000,
    O_NONBLOCK: 0o4000,
    O_DSYNC: 0o10000,
    O_DIRECTORY: 0o200000,
    O_NOFOLLOW: 0o400000,
    O_SYNC: 0o4010000,
    S_IFMT: 0o170000,
    S_IFREG: 0o100000,
    S_IFDIR: 0o040000,
    S_IFCHR: 0o020000,
    S_IFBLK: 0o060000,
    S_IFIFO: 0o010000,
    S_IFLNK: 0o120000,
    S_IFSOCK: 0o140000,
    S_IRWXU: 0o700,
    S_IRUSR: 0o400,
    S_IWUSR: 0o200,
    S_IXUSR: 0o100,
    S_IRWXG: 0o70,
    S_IRGRP: 0o40,
    S_IWGRP: 0o20,
    S_IXGRP: 0o10,
    S_IRWXO: 7,
    S_IROTH: 4,
    S_IWOTH: 2,
    S_IXOTH: 1,
};

const { O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;
const FLAGS = {
    __proto__: null,
    r: 0,
    rs: O_SYNC,
    'r+': O_RDWR,
    'rs+': O_RDWR | O_SYNC,
    w: O_WRONLY | O_CREAT | O_TRUNC,
    wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
    'w+': O_RDWR | O_CREAT | O_TRUNC,
    'wx+': O_RDWR | O_CREAT | O_TRUNC | O_EXCL,
    a: O_WRONLY | O_CREAT | O_APPEND,
    ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
    as: O_WRONLY | O_CREAT | O_APPEND | O_SYNC,
    'a+': O_RDWR | O_CREAT | O_APPEND,
    'ax+': O_RDWR | O_CREAT | O_APPEND | O_EXCL,
    'as+': O_RDWR | O_CREAT | O_APPEND | O_SYNC,
};

/** The number for flags as 'w+'. */
function flagsOf(flags, missing) {
    if (flags === undefined || flags === null) return FLAGS[missing];
    if (typeof flags === 'number') return flags;
    const found = FLAGS[flags];
    if (found === undefined) {
        const { inspect } = require('internal/inspect');
        throw coded(
            TypeError,
            'ERR_INVALID_ARG_VALUE',
            `The argument 'flags' is invalid. Received ${inspect(flags)}`,
        );
    }
    return found;
}

/** The path in a string, Buffer or URL. */
function pathOf(path, name = 'path') {
    if (path instanceof Uint8Array) path = Buffer.from(path).toString();
    else if (typeof path === 'object' && path?.href !== undefined) path = require('url').fileURLToPath(path);
    if (typeof path !== 'string') {
        throw invalidArgument(name, 'of type string or an instance of Buffer or URL', path);
    }
    if (path.includes('\0')) {
        const { inspect } = require('internal/inspect');
        const message = `The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${inspect(path)}`;
        throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', message);
    }
    return path;
}

const KINDS = {
    isFile: 'file',
    isDirectory: 'directory',
    isSymbolicLink: 'link',
    isFIFO: 'fifo',
    isSocket: 'socket',
    isCharacterDevice: 'character',
    isBlockDevice: 'block',
};

function addKinds(prototype, kindOf) {
    for (const [method, kind] of Object.entries(KINDS)) {
        Object.defineProperty(prototype, method, {
            value() {
                return kindOf(this) === kind;
            },
            writable: true,
            configurable: true,
        });
    }
}

const NAMES = ['dev', 'ino', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'size', 'blksize', 'blocks'];
const kinds = new WeakMap();

class Stats {
    constructor(told, { bigint = false } = {}) {
        NAMES.forEach((name, i) => {
            this[name] = bigint ? BigInt(told[i]) : told[i];
        });
        const [accessed, modified, changed] = told.slice(10, 13);
        // When a file was made is not known everywhere.
        const times = { atime: accessed, mtime: modified, ctime: changed, birthtime: changed };
        for (const [name, ms] of Object.entries(times)) {
            this[`${name}Ms`] = bigint ? BigInt(Math.trunc(ms)) : ms;
            if (bigint) this[`${name}Ns`] = BigInt(Math.round(ms * 1e6));
        }
        for (const [name, ms] of Object.entries(times)) this[name] = new Date(Math.round(ms));
        kinds.set(this, told[13]);
    }
}
addKinds(Stats.prototype, (stats) => kinds.get(stats));

class Dirent {
    constructor(name, folder, kind) {
        this.name = name;
        this.parentPath = folder;
        this.path = folder;
        kinds.set(this, kind);
    }
}
addKinds(Dirent.prototype, (entry) => kinds.get(entry));

module.exports = { Dirent, Stats, constants, flagsOf, pathOf };
