// What all streams have: being destroyed, and the old `Stream` itself.
'use strict';

const EventEmitter = require('events');

function Stream(options) {
    EventEmitter.call(this, options);
    this.destroyed = false;
    this.closed = false;
    this.errored = null;
    if (typeof options?.destroy === 'function') this._destroy = options.destroy;
    this._autoDestroy = options?.autoDestroy !== false;
    this._emitClose = options?.emitClose !== false;
    if (options?.signal) {
        const { signal } = options;
        const abort = () => this.destroy(require('internal/abort').abortError(signal));
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort, { once: true });
    }
}
Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Stream, EventEmitter);

Object.assign(Stream.prototype, {
    _destroy(error, callback) {
        callback(error);
    },
    destroy(error, callback) {
        if (this.destroyed) {
            callback?.(error);
            return this;
        }
        this.destroyed = true;
        this.errored = error ?? null;
        if (this._readableState) this.readable = false;
        if (this._writableState) this.writable = false;
        this._destroy(error ?? null, (failure) => {
            failure ??= error;
            callback?.(failure ?? null);
            process.nextTick(() => {
                if (failure) this.emit('error', failure);
                this.closed = true;
                if (this._emitClose) this.emit('close');
            });
        });
        return this;
    },
    // A side of the stream has ended. When both have, it is destroyed.
    _ended() {
        const isRead = this._readableState === undefined || this._readableState.endEmitted;
        const isWritten = this._writableState === undefined || this._writableState.finished;
        if (isRead && !isWritten && this.allowHalfOpen === false) this.end();
        if (isRead && isWritten && this._autoDestroy) this.destroy();
    },
});

function destroyWith(stream, error) {
    stream.destroy(error);
}

module.exports = { Stream, destroyWith };
