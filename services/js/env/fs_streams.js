// Files as streams.
'use strict';

const { Readable, Writable } = require('stream');
const { operations } = require('internal/fs_sync');
const { pathOf } = require('internal/fs_types');

// Opens the file at once; its error comes as an event.
function open(stream, path, flags, { fd, mode }) {
    stream.path = path;
    stream.pending = false;
    stream.handle = typeof fd === 'object' ? fd : undefined;
    if (fd !== undefined && fd !== null) {
        stream.fd = typeof fd === 'object' ? fd.fd : fd;
        return;
    }
    stream.fd = null;
    try {
        stream.fd = operations.open(pathOf(path), flags, mode);
        setImmediate(() => {
            stream.emit('open', stream.fd);
            stream.emit('ready');
        });
    } catch (error) {
        if (error.syscall === undefined) throw error;
        process.nextTick(() => stream.destroy(error));
    }
}

function close(stream, error, callback) {
    const { fd } = stream;
    stream.fd = null;
    if (fd === null || !stream.autoClose) {
        callback(error);
        return;
    }
    if (stream.handle) {
        stream.handle.close().then(() => callback(error), callback);
        return;
    }
    try {
        operations.close(fd);
        callback(error);
    } catch (failure) {
        callback(error ?? failure);
    }
}

const optionsOf = (options) => (typeof options === 'string' ? { encoding: options } : { ...options });

class ReadStream extends Readable {
    constructor(path, options) {
        options = optionsOf(options);
        super({ highWaterMark: 65536, ...options });
        this.autoClose = options.autoClose !== false;
        this.start = options.start;
        this.end = options.end ?? Infinity;
        this.bytesRead = 0;
        open(this, path, options.flags ?? 'r', options);
    }

    _read(size) {
        if (this.fd === null) return;
        const left = this.end - (this.start ?? 0) + 1 - this.bytesRead;
        const buffer = Buffer.allocUnsafe(Math.max(Math.min(size, left), 0));
        const place = this.start === undefined ? null : this.start + this.bytesRead;
        let count;
        try {
            count = buffer.length === 0 ? 0 : operations.read(this.fd, buffer, 0, buffer.length, place);
        } catch (error) {
            this.destroy(error);
            return;
        }
        this.bytesRead += count;
        this.push(count === 0 ? null : buffer.subarray(0, count));
    }

    _destroy(error, callback) {
        close(this, error, callback);
    }

    close(callback) {
        this.destroy(null, callback);
    }
}

class WriteStream extends Writable {
    constructor(path, options) {
        options = optionsOf(options);
        super({ ...options, decodeStrings: true });
        if (options.encoding) this.setDefaultEncoding(options.encoding);
        this.autoClose = options.autoClose !== false;
        this.place = options.start;
        this.bytesWritten = 0;
        open(this, path, options.flags ?? 'w', options);
    }

    _write(chunk, encoding, callback) {
        try {
            for (let at = 0; at < chunk.length;) {
                const count = operations.write(this.fd, chunk, at, chunk.length - at, this.place ?? null);
                at += count;
                this.bytesWritten += count;
                if (this.place !== undefined) this.place += count;
            }
            callback();
        } catch (error) {
            callback(error);
        }
    }

    _destroy(error, callback) {
        close(this, error, callback);
    }

    close(callback) {
        if (callback) this.once('close', callback);
        this.end();
    }
}

module.exports = { ReadStream, WriteStream };
