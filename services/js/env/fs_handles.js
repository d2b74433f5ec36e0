// FileHandle, of fs/promises, and Dir.
'use strict';

const EventEmitter = require('events');
const { operations } = require('internal/fs_sync');

class FileHandle extends EventEmitter {
    #fd;

    constructor(fd) {
        super();
        this.#fd = fd;
    }

    get fd() {
        return this.#fd;
    }

    async close() {
        if (this.#fd === -1) return;
        const fd = this.#fd;
        this.#fd = -1;
        operations.close(fd);
        this.emit('close');
    }

    async read(buffer, offset, length, position) {
        if (!ArrayBuffer.isView(buffer)) {
            const options = buffer ?? {};
            buffer = options.buffer ?? Buffer.alloc(16384);
            ({ offset, length, position } = options);
        }
        return { bytesRead: operations.read(this.#fd, buffer, offset, length, position), buffer };
    }

    async write(buffer, ...rest) {
        return { bytesWritten: operations.write(this.#fd, buffer, ...rest), buffer };
    }

    async readFile(options) {
        return operations.readFile(this.#fd, options);
    }
    async writeFile(data, options) {
        return operations.writeFile(this.#fd, data, options);
    }
    async appendFile(data, options) {
        return operations.writeFile(this.#fd, data, options);
    }
    async stat(options) {
        return operations.fstat(this.#fd, options);
    }
    async truncate(length) {
        return operations.ftruncate(this.#fd, length);
    }
    async sync() {
        return operations.fsync(this.#fd);
    }
    async datasync() {
        return operations.fsync(this.#fd);
    }
    async utimes(accessed, modified) {
        return operations.futimes(this.#fd, accessed, modified);
    }

    async *readLines(options) {
        yield* require('readline').createInterface({ input: this.createReadStream(options) });
    }

    createReadStream(options) {
        return new (require('internal/fs_streams').ReadStream)(undefined, { ...options, fd: this });
    }

    createWriteStream(options) {
        return new (require('internal/fs_streams').WriteStream)(undefined, { ...options, fd: this });
    }

    async [Symbol.asyncDispose]() {
        await this.close();
    }
}

/** A folder as it was when it was opened. */
class Dir {
    #entries;

    constructor(path, options) {
        this.path = path;
        this.#entries = operations.readdir(path, { ...options, withFileTypes: true });
    }

    readSync() {
        return this.#entries.shift() ?? null;
    }
    async read() {
        return this.readSync();
    }
    closeSync() {
        this.#entries = [];
    }
    async close() {
        this.closeSync();
    }

    async *[Symbol.asyncIterator]() {
        for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry;
    }
}

module.exports = { Dir, FileHandle, openDirectory: (path, options) => new Dir(path, options) };
