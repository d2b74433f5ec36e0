// Readable streams.
'use strict';

const EventEmitter = require('events');
const { Stream, destroyWith } = require('internal/stream_base');
const { coded } = require('internal/errors');

class ReadableState {
    constructor(options) {
        this.objectMode = Boolean(options.objectMode ?? options.readableObjectMode);
        const high = options.readableHighWaterMark ?? options.highWaterMark;
        this.highWaterMark = high ?? (this.objectMode ? 16 : 16384);
        this.buffer = [];
        this.length = 0;
        // null: nobody has said; true: 'data' as it comes; false: paused.
        this.flowing = null;
        this.pipes = [];
        this.ended = false;
        this.endEmitted = false;
        this.reading = false;
        this.constructed = true;
        this.scheduled = false;
        this.readableListening = false;
        this.encoding = options.encoding ?? null;
        this.decoder = undefined;
    }

    sizeOf(chunk) {
        return this.objectMode ? 1 : chunk.length;
    }
}

function Readable(options) {
    if (!(this instanceof Readable)) return new Readable(options);
    Stream.call(this, options);
    initReadable(this, options);
    return this;
}
Object.setPrototypeOf(Readable.prototype, Stream.prototype);
Object.setPrototypeOf(Readable, Stream);

function initReadable(stream, options = {}) {
    stream._readableState = new ReadableState(options ?? {});
    stream.readable = true;
    if (typeof options?.read === 'function') stream._read = options.read;
    if (options?.encoding) stream.setEncoding(options.encoding);
}

// What is to happen soon, once: events, and asking for more.
function schedule(stream) {
    const state = stream._readableState;
    if (state.scheduled) return;
    state.scheduled = true;
    process.nextTick(() => {
        state.scheduled = false;
        flow(stream);
    });
}

function flow(stream) {
    const state = stream._readableState;
    if (stream.destroyed) return;
    if (state.readableListening && !state.flowing) {
        if (state.length > 0 || state.ended) {
            if (!state.endEmitted) stream.emit('readable');
        }
        if (state.length === 0) more(stream);
        endIfDone(stream);
        return;
    }
    while (state.flowing && state.buffer.length > 0 && !stream.destroyed) {
        const chunk = state.buffer.shift();
        state.length -= state.sizeOf(chunk);
        stream.emit('data', chunk);
    }
    if (state.flowing) more(stream);
    endIfDone(stream);
}

function more(stream) {
    const state = stream._readableState;
    if (state.ended || state.reading || stream.destroyed || state.length >= state.highWaterMark) return;
    state.reading = true;
    try {
        stream._read(state.highWaterMark);
    } catch (error) {
        destroyWith(stream, error);
    }
}

function endIfDone(stream) {
    const state = stream._readableState;
    if (!state.ended || state.length > 0 || state.endEmitted || stream.destroyed) return;
    if (state.flowing === null && !state.readableListening && !state.wanted) return;
    if (state.flowing === false && !state.readableListening && !state.wanted) return;
    state.endEmitted = true;
    stream.readable = false;
    stream.emit('end');
    stream._ended?.('readable');
}

function add(stream, chunk, encoding, isFirst) {
    const state = stream._readableState;
    state.reading = false;
    if (chunk === null) {
        if (state.ended) return false;
        const rest = state.decoder?.end();
        if (rest) {
            state.buffer.push(rest);
            state.length += rest.length;
        }
        state.ended = true;
        schedule(stream);
        return false;
    }
    if (state.ended && !isFirst) {
        destroyWith(stream, coded(Error, 'ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'));
        return false;
    }
    if (!state.objectMode) {
        if (typeof chunk === 'string') {
            if (state.encoding === null || encoding !== state.encoding) chunk = Buffer.from(chunk, encoding);
        } else if (chunk instanceof Uint8Array) {
            if (!Buffer.isBuffer(chunk)) chunk = require('buffer').adopt(chunk);
        } else if (chunk !== undefined) {
            const { invalidArgument } = require('internal/errors');
            const expected = 'of type string or an instance of Buffer or Uint8Array';
            destroyWith(stream, invalidArgument('chunk', expected, chunk));
            return false;
        }
        if (state.decoder && typeof chunk !== 'string' && chunk !== undefined)
            chunk = state.decoder.write(chunk);
        if (chunk === undefined || chunk.length === 0) {
            schedule(stream);
            return false;
        }
    }
    if (isFirst) state.buffer.unshift(chunk);
    else state.buffer.push(chunk);
    state.length += state.sizeOf(chunk);
    schedule(stream);
    return state.length < state.highWaterMark;
}

function take(state, size) {
    if (state.objectMode || size === undefined || Number.isNaN(size) || size >= state.length) {
        if (state.objectMode) {
            if (state.buffer.length === 0) return null;
            state.length--;
            return state.buffer.shift();
        }
        if (state.length === 0) return null;
        if (size > state.length && !state.ended) return null;
        const chunks = state.buffer.splice(0);
        state.length = 0;
        if (chunks.length === 1) return chunks[0];
        return state.decoder ? chunks.join('') : Buffer.concat(chunks);
    }
    if (size <= 0) return null;
    const all = state.decoder ? state.buffer.join('') : Buffer.concat(state.buffer);
    const rest = all.slice(size);
    state.buffer = rest.length > 0 ? [rest] : [];
    state.length = rest.length;
    return all.slice(0, size);
}

const methods = {
    _read() {
        throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _read() method is not implemented');
    },
    push(chunk, encoding) {
        return add(this, chunk, encoding, false);
    },
    unshift(chunk, encoding) {
        return add(this, chunk, encoding, true);
    },
    read(size) {
        const state = this._readableState;
        if (size === 0) {
            more(this);
            return null;
        }
        state.wanted = true;
        const chunk = take(state, size);
        if (state.length < state.highWaterMark) more(this);
        if (chunk !== null) this.emit('data', chunk);
        if (state.ended && state.length === 0) schedule(this);
        return chunk;
    },
    setEncoding(encoding) {
        const { StringDecoder } = require('string_decoder');
        const state = this._readableState;
        state.decoder = new StringDecoder(encoding);
        state.encoding = state.decoder.encoding;
        const text = state.buffer.map((chunk) => state.decoder.write(chunk)).join('');
        state.buffer = text === '' ? [] : [text];
        state.length = text.length;
        return this;
    },
    pause() {
        this._readableState.flowing = false;
        this.emit('pause');
        return this;
    },
    resume() {
        const state = this._readableState;
        if (!state.flowing) {
            state.flowing = !state.readableListening;
            this.emit('resume');
        }
        schedule(this);
        return this;
    },
    isPaused() {
        return this._readableState.flowing === false;
    },
    on(name, listener) {
        EventEmitter.prototype.on.call(this, name, listener);
        const state = this._readableState;
        if (name === 'data' && state.flowing !== false) this.resume();
        if (name === 'readable' && !state.readableListening) {
            state.readableListening = true;
            state.flowing = false;
            schedule(this);
        }
        return this;
    },
    pipe(target, options) {
        const state = this._readableState;
        const give = (chunk) => {
            if (target.write(chunk) === false) {
                this.pause();
                target.once('drain', go);
            }
        };
        const go = () => this.resume();
        const finish = () => target.end();
        const stop = () => this.unpipe(target);
        this.on('data', give);
        if (options?.end !== false && target !== process.stdout && target !== process.stderr)
            this.once('end', finish);
        target.once('close', stop);
        target.once('error', stop);
        state.pipes.push({
            target,
            undo: () => {
                this.off('data', give).off('end', finish);
                target.off('drain', go).off('close', stop).off('error', stop);
            },
        });
        target.emit('pipe', this);
        this.resume();
        return target;
    },
    unpipe(target) {
        const state = this._readableState;
        const gone = state.pipes.filter((pipe) => target === undefined || pipe.target === target);
        state.pipes = state.pipes.filter((pipe) => !gone.includes(pipe));
        for (const pipe of gone) {
            pipe.undo();
            pipe.target.emit('unpipe', this);
        }
        if (gone.length > 0 && state.pipes.length === 0) this.pause();
        return this;
    },
    async *[Symbol.asyncIterator]() {
        const state = this._readableState;
        let failure;
        let wake;
        const call = () => wake?.();
        const fail = (error) => {
            failure = error;
            call();
        };
        this.on('readable', call).on('end', call).on('close', call).on('error', fail);
        try {
            for (;;) {
                const chunk = this.destroyed ? null : this.read();
                if (chunk !== null) yield chunk;
                else if (failure !== undefined) throw failure;
                else if (state.endEmitted) return;
                else if (this.destroyed) {
                    throw coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close');
                } else {
                    await new Promise((resolve) => {
                        wake = resolve;
                    });
                    wake = undefined;
                }
            }
        } finally {
            this.off('readable', call).off('end', call).off('close', call).off('error', fail);
            if (!this.destroyed) this.destroy();
        }
    },
    async toArray() {
        return Array.fromAsync(this);
    },
    [Symbol.asyncDispose]() {
        this.destroy();
        return Promise.resolve();
    },
};
methods.addListener = methods.on;

const properties = {
    readableFlowing: {
        get() {
            return this._readableState.flowing;
        },
        configurable: true,
    },
    readableLength: {
        get() {
            return this._readableState.length;
        },
        configurable: true,
    },
    readableEnded: {
        get() {
            return this._readableState.endEmitted;
        },
        configurable: true,
    },
    readableHighWaterMark: {
        get() {
            return this._readableState.highWaterMark;
        },
        configurable: true,
    },
    readableObjectMode: {
        get() {
            return this._readableState.objectMode;
        },
        configurable: true,
    },
    readableEncoding: {
        get() {
            return this._readableState.encoding;
        },
        configurable: true,
    },
};

/** Gives a prototype what readable streams have. */
function addReadable(prototype) {
    for (const key of Reflect.ownKeys(methods)) {
        Object.defineProperty(prototype, key, { value: methods[key], writable: true, configurable: true });
    }
    Object.defineProperties(prototype, properties);
}
addReadable(Readable.prototype);

/** A stream of the items of anything that can be iterated. */
Readable.from = function from(iterable, options) {
    if (typeof iterable === 'string' || iterable instanceof Uint8Array) iterable = [iterable];
    const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
    return new Readable({
        objectMode: true,
        highWaterMark: 1,
        ...options,
        async read() {
            try {
                const { value, done } = await iterator.next();
                this.push(done ? null : await value);
            } catch (error) {
                this.destroy(error);
            }
        },
        async destroy(error, callback) {
            await iterator.return?.();
            callback(error);
        },
    });
};

module.exports = { Readable, addReadable, initReadable };
