// Writable streams.
'use strict';

const { Stream, destroyWith } = require('internal/stream_base');
const { coded, invalidArgument } = require('internal/errors');

class WritableState {
    constructor(options) {
        this.objectMode = Boolean(options.objectMode ?? options.writableObjectMode);
        const high = options.writableHighWaterMark ?? options.highWaterMark;
        this.highWaterMark = high ?? (this.objectMode ? 16 : 16384);
        this.decodeStrings = options.decodeStrings !== false;
        this.defaultEncoding = options.defaultEncoding ?? 'utf8';
        this.queue = [];
        this.length = 0;
        this.corked = 0;
        this.writing = false;
        this.ending = false;
        this.finished = false;
        this.finalCalled = false;
        this.needDrain = false;
    }
}

function Writable(options) {
    if (!(this instanceof Writable)) return new Writable(options);
    Stream.call(this, options);
    initWritable(this, options);
    return this;
}
Object.setPrototypeOf(Writable.prototype, Stream.prototype);
Object.setPrototypeOf(Writable, Stream);

function initWritable(stream, options = {}) {
    stream._writableState = new WritableState(options ?? {});
    stream.writable = true;
    for (const name of ['write', 'writev', 'final']) {
        if (typeof options?.[name] === 'function') stream[`_${name}`] = options[name];
    }
}

function next(stream) {
    const state = stream._writableState;
    if (state.writing || state.corked > 0 || stream.destroyed) return;
    if (state.queue.length === 0) {
        if (state.needDrain && !state.ending) {
            state.needDrain = false;
            stream.emit('drain');
        }
        finishIfDone(stream);
        return;
    }
    let entries;
    if (stream._writev && state.queue.length > 1) entries = state.queue.splice(0);
    else entries = [state.queue.shift()];
    state.writing = true;
    let isHere = true;
    const done = (error) => {
        state.writing = false;
        for (const entry of entries) state.length -= entry.size;
        const finish = () => {
            for (const entry of entries) entry.callback?.(error ?? null);
            if (error) destroyWith(stream, error);
            else next(stream);
        };
        if (isHere) process.nextTick(finish);
        else finish();
    };
    try {
        if (entries.length > 1) stream._writev(entries, done);
        else stream._write(entries[0].chunk, entries[0].encoding, done);
    } catch (error) {
        done(error);
    }
    isHere = false;
}

function finishIfDone(stream) {
    const state = stream._writableState;
    if (!state.ending || state.queue.length > 0 || state.writing || state.finalCalled) return;
    state.finalCalled = true;
    const done = (error) => {
        if (error) {
            destroyWith(stream, error);
            return;
        }
        process.nextTick(() => {
            if (stream.destroyed) return;
            state.finished = true;
            stream.emit('finish');
            stream._ended('writable');
        });
    };
    if (!stream._final) {
        done();
        return;
    }
    try {
        stream._final(done);
    } catch (error) {
        done(error);
    }
}

function refuse(stream, error, callback) {
    process.nextTick(() => callback?.(error));
    destroyWith(stream, error);
    return false;
}

const methods = {
    _write(chunk, encoding, callback) {
        if (this._writev) this._writev([{ chunk, encoding }], callback);
        else throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _write() method is not implemented');
    },
    write(chunk, encoding, callback) {
        if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
        const state = this._writableState;
        if (state.ending) {
            return refuse(this, coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end'), callback);
        }
        if (this.destroyed) {
            const message = 'Cannot call write after a stream was destroyed';
            const error = coded(Error, 'ERR_STREAM_DESTROYED', message);
            process.nextTick(() => callback?.(error));
            return false;
        }
        if (chunk === null)
            throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
        encoding ||= state.defaultEncoding;
        if (!state.objectMode) {
            if (typeof chunk === 'string') {
                if (state.decodeStrings) [chunk, encoding] = [Buffer.from(chunk, encoding), 'buffer'];
            } else if (chunk instanceof Uint8Array) {
                if (!Buffer.isBuffer(chunk)) chunk = require('buffer').adopt(chunk);
                encoding = 'buffer';
            } else {
                const expected = 'of type string or an instance of Buffer, TypedArray, or DataView';
                throw invalidArgument('chunk', expected, chunk);
            }
        }
        const size = state.objectMode ? 1 : chunk.length;
        state.queue.push({ chunk, encoding, callback, size });
        state.length += size;
        const hasRoom = state.length < state.highWaterMark;
        if (!hasRoom) state.needDrain = true;
        next(this);
        return hasRoom;
    },
    end(chunk, encoding, callback) {
        if (typeof chunk === 'function') [chunk, callback] = [undefined, chunk];
        else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
        const state = this._writableState;
        if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
        if (callback) {
            if (state.finished) process.nextTick(callback);
            else this.once('finish', callback);
        }
        state.corked = 0;
        if (!state.ending) {
            state.ending = true;
            this.writable = false;
        }
        next(this);
        return this;
    },
    cork() {
        this._writableState.corked++;
    },
    uncork() {
        const state = this._writableState;
        if (state.corked > 0) state.corked--;
        next(this);
    },
    setDefaultEncoding(encoding) {
        this._writableState.defaultEncoding = encoding;
        return this;
    },
};

const properties = {
    writableLength: {
        get() {
            return this._writableState.length;
        },
        configurable: true,
    },
    writableEnded: {
        get() {
            return this._writableState.ending;
        },
        configurable: true,
    },
    writableFinished: {
        get() {
            return this._writableState.finished;
        },
        configurable: true,
    },
    writableHighWaterMark: {
        get() {
            return this._writableState.highWaterMark;
        },
        configurable: true,
    },
    writableNeedDrain: {
        get() {
            return this._writableState.needDrain;
        },
        configurable: true,
    },
    writableObjectMode: {
        get() {
            return this._writableState.objectMode;
        },
        configurable: true,
    },
    writableCorked: {
        get() {
            return this._writableState.corked;
        },
        configurable: true,
    },
};

/** Gives a prototype what writable streams have. */
function addWritable(prototype) {
    for (const key of Reflect.ownKeys(methods)) {
        Object.defineProperty(prototype, key, { value: methods[key], writable: true, configurable: true });
    }
    Object.defineProperties(prototype, properties);
}
addWritable(Writable.prototype);

module.exports = { Writable, addWritable, initWritable };
