// stream: Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished.
'use strict';

const { Stream } = require('internal/stream_base');
const { Readable, addReadable, initReadable } = require('internal/stream_readable');
const { Writable, addWritable, initWritable } = require('internal/stream_writable');
const { coded } = require('internal/errors');

function Duplex(options) {
    if (!(this instanceof Duplex)) return new Duplex(options);
    Stream.call(this, options);
    initReadable(this, options);
    initWritable(this, options);
    this.allowHalfOpen = options?.allowHalfOpen !== false;
    return this;
}
Object.setPrototypeOf(Duplex.prototype, Readable.prototype);
Object.setPrototypeOf(Duplex, Readable);
addReadable(Duplex.prototype);
addWritable(Duplex.prototype);
// A Duplex is a Writable as well, though it inherits from Readable alone.
Object.defineProperty(Writable, Symbol.hasInstance, {
    value(object) {
        if (Function.prototype[Symbol.hasInstance].call(this, object)) return true;
        return this === Writable && object?._writableState !== undefined;
    },
});

function Transform(options) {
    if (!(this instanceof Transform)) return new Transform(options);
    Duplex.call(this, options);
    if (typeof options?.transform === 'function') this._transform = options.transform;
    if (typeof options?.flush === 'function') this._flush = options.flush;
    this._waiting = undefined;
    return this;
}
Object.setPrototypeOf(Transform.prototype, Duplex.prototype);
Object.setPrototypeOf(Transform, Duplex);
Object.assign(Transform.prototype, {
    _transform() {
        throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'The _transform() method is not implemented');
    },
    _write(chunk, encoding, callback) {
        this._transform(chunk, encoding, (error, result) => {
            if (error) {
                callback(error);
                return;
            }
            if (result !== undefined && result !== null) this.push(result);
            const state = this._readableState;
            // Who reads asks for more when there is room.
            if (state.length < state.highWaterMark) callback();
            else this._waiting = callback;
        });
    },
    _final(callback) {
        const finish = (error, result) => {
            if (!error) {
                if (result !== undefined && result !== null) this.push(result);
                this.push(null);
            }
            callback(error);
        };
        if (this._flush) this._flush(finish);
        else finish();
    },
    _read() {
        const callback = this._waiting;
        this._waiting = undefined;
        callback?.();
    },
});

function PassThrough(options) {
    if (!(this instanceof PassThrough)) return new PassThrough(options);
    return Transform.call(this, options);
}
Object.setPrototypeOf(PassThrough.prototype, Transform.prototype);
Object.setPrototypeOf(PassThrough, Transform);
PassThrough.prototype._transform = function (chunk, encoding, callback) {
    callback(null, chunk);
};

/** Calls back once, when the stream has ended, failed, or was closed before its end. */
function finished(stream, options, callback) {
    if (typeof options === 'function') [options, callback] = [{}, options];
    const reads = options.readable !== false && stream._readableState !== undefined;
    const writes = options.writable !== false && stream._writableState !== undefined;
    let isDone = false;
    const call = (error) => {
        if (isDone) return;
        isDone = true;
        clean();
        callback.call(stream, error);
    };
    const isOver = () =>
        (!reads || stream._readableState.endEmitted) && (!writes || stream._writableState.finished);
    const check = () => {
        if (isOver()) call();
    };
    const closed = () => {
        if (isOver()) call();
        else call(stream.errored ?? coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close'));
    };
    const events = { end: check, finish: check, error: call, close: closed };
    function clean() {
        for (const [name, listener] of Object.entries(events)) stream.off(name, listener);
    }
    for (const [name, listener] of Object.entries(events)) stream.on(name, listener);
    if (stream.closed || isOver()) process.nextTick(closed);
    return clean;
}

function toStream(part, isFirst) {
    if (part?._readableState !== undefined || part?._writableState !== undefined) return part;
    if (typeof part === 'function') return isFirst ? Readable.from(part()) : part;
    return Readable.from(part);
}

/** Leads streams (and async generator functions) into each other; the callback gets the first error. */
function pipeline(...parts) {
    const callback = parts.pop();
    const streams = [];
    for (const part of parts.flat()) {
        const stream = toStream(part, streams.length === 0);
        streams.push(typeof stream === 'function' ? Readable.from(stream(streams.at(-1))) : stream);
    }
    let left = streams.length;
    let failure;
    streams.forEach((stream, i) => {
        const isLast = i === streams.length - 1;
        finished(
            stream,
            { readable: !isLast || stream._writableState === undefined, writable: i > 0 },
            (error) => {
                if (error && failure === undefined) {
                    failure = error;
                    for (const other of streams) other.destroy();
                }
                if (--left === 0) callback(failure);
            },
        );
        if (i > 0 && streams[i]._writableState !== undefined) streams[i - 1].pipe(stream);
    });
    if (streams.at(-1)._writableState === undefined) streams.at(-1).resume();
    return streams.at(-1);
}

const promises = {
    finished: (stream, options = {}) =>
        new Promise((resolve, reject) =>
            finished(stream, options, (error) => (error ? reject(error) : resolve())),
        ),
    pipeline: (...parts) =>
        new Promise((resolve, reject) => {
            const last = parts.at(-1);
            // Options, of which `signal` counts.
            const isPart =
                typeof last === 'function' ||
                last?.pipe ||
                last?.write ||
                last?.[Symbol.iterator] ||
                last?.[Symbol.asyncIterator];
            const options = isPart ? undefined : parts.pop();
            const end = pipeline(...parts, (error) => (error ? reject(error) : resolve()));
            options?.signal?.addEventListener('abort', () =>
                end.destroy(require('internal/abort').abortError(options.signal)),
            );
        }),
};

module.exports = Stream;
Object.assign(Stream, {
    Duplex,
    PassThrough,
    Readable,
    Stream,
    Transform,
    Writable,
    finished,
    pipeline,
    promises,
});
