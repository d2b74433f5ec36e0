// EventEmitter.
'use strict';

const { coded, expectFunction } = require('internal/errors');

const errorMonitor = Symbol('events.errorMonitor');
const captureRejectionSymbol = Symbol.for('nodejs.rejection');

function EventEmitter(options) {
    EventEmitter.init.call(this, options);
}

EventEmitter.init = function init() {
    // One that a prototype has is not this object's own.
    if (!Object.hasOwn(this, '_events') || this._events === undefined) {
        this._events = { __proto__: null };
        this._eventsCount = 0;
    }
    this._maxListeners ??= undefined;
};

function limitOf(emitter) {
    return emitter._maxListeners ?? EventEmitter.defaultMaxListeners;
}

function add(emitter, name, listener, isFirst) {
    expectFunction('listener', listener);
    if (!Object.hasOwn(emitter, '_events') || emitter._events === undefined) {
        emitter._events = { __proto__: null };
        emitter._eventsCount = 0;
    }
    if (emitter._events.newListener !== undefined) {
        emitter.emit('newListener', name, listener.listener ?? listener);
    }
    const listeners = emitter._events[name];
    if (listeners === undefined) {
        emitter._events[name] = [listener];
        emitter._eventsCount++;
        return emitter;
    }
    // `emit` goes on over the list that it has begun with.
    const list = isFirst ? [listener, ...listeners] : [...listeners, listener];
    list.warned = listeners.warned;
    emitter._events[name] = list;
    const limit = limitOf(emitter);
    if (limit > 0 && list.length > limit && !list.warned) {
        list.warned = true;
        require('internal/warning').emitWarning(
            `Possible EventEmitter memory leak detected. ${list.length} ${String(name)} listeners ` +
                `added to ${emitter.constructor.name}. MaxListeners is ${limit}. ` +
                'Use emitter.setMaxListeners() to increase limit',
            'MaxListenersExceededWarning',
        );
    }
    return emitter;
}

function wrapOnce(emitter, name, listener) {
    expectFunction('listener', listener);
    const wrapped = (...values) => {
        emitter.removeListener(name, wrapped);
        return listener.apply(emitter, values);
    };
    wrapped.listener = listener;
    return wrapped;
}

function unhandled(values) {
    const [error] = values;
    if (error instanceof Error) return error;
    const { inspect } = require('internal/inspect');
    const shown = typeof error === 'string' ? `'${error}'` : inspect(error);
    const made = coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${shown})`);
    made.context = error;
    return made;
}

Object.assign(EventEmitter.prototype, {
    on(name, listener) {
        return add(this, name, listener, false);
    },
    prependListener(name, listener) {
        return add(this, name, listener, true);
    },
    once(name, listener) {
        return this.on(name, wrapOnce(this, name, listener));
    },
    prependOnceListener(name, listener) {
        return this.prependListener(name, wrapOnce(this, name, listener));
    },
    removeListener(name, listener) {
        expectFunction('listener', listener);
        const listeners = this._events?.[name];
        if (listeners === undefined) return this;
        const index = listeners.findLastIndex((one) => one === listener || one.listener === listener);
        if (index === -1) return this;
        if (listeners.length === 1) {
            delete this._events[name];
            this._eventsCount--;
        } else {
            this._events[name] = listeners.toSpliced(index, 1);
        }
        if (this._events.removeListener !== undefined) this.emit('removeListener', name, listener);
        return this;
    },
    removeAllListeners(name) {
        if (this._events === undefined) return this;
        if (this._events.removeListener !== undefined) {
            const names = name === undefined ? Reflect.ownKeys(this._events) : [name];
            for (const one of names) {
                if (one === 'removeListener' && name === undefined) continue;
                for (const listener of [...(this._events[one] ?? [])].reverse()) {
                    this.removeListener(one, listener);
                }
            }
        }
        if (name === undefined) {
            this._events = { __proto__: null };
            this._eventsCount = 0;
        } else if (this._events[name] !== undefined) {
            delete this._events[name];
            this._eventsCount--;
        }
        return this;
    },
    emit(name, ...values) {
        const events = this._events;
        if (name === 'error') {
            if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...values);
            if (events?.error === undefined) throw unhandled(values);
        }
        const listeners = events?.[name];
        if (listeners === undefined) return false;
        for (const listener of listeners) listener.apply(this, values);
        return true;
    },
    listenerCount(name, listener) {
        const listeners = this._events?.[name] ?? [];
        if (listener === undefined) return listeners.length;
        return listeners.filter((one) => one === listener || one.listener === listener).length;
    },
    listeners(name) {
        return (this._events?.[name] ?? []).map((listener) => listener.listener ?? listener);
    },
    rawListeners(name) {
        return [...(this._events?.[name] ?? [])];
    },
    eventNames() {
        return this._events === undefined ? [] : Reflect.ownKeys(this._events);
    },
    setMaxListeners(count) {
        this._maxListeners = count;
        return this;
    },
    getMaxListeners() {
        return limitOf(this);
    },
});
EventEmitter.prototype.addListener = EventEmitter.prototype.on;
EventEmitter.prototype.off = EventEmitter.prototype.removeListener;
for (const key of Object.keys(EventEmitter.prototype)) {
    Object.defineProperty(EventEmitter.prototype, key, { enumerable: true });
}

/** A promise for the next event's values; rejected by an 'error' and by the signal. */
function once(emitter, name, { signal } = {}) {
    if (typeof emitter.addEventListener === 'function' && !(emitter instanceof EventEmitter)) {
        return new Promise((resolve) =>
            emitter.addEventListener(name, (event) => resolve([event]), { once: true }),
        );
    }
    return new Promise((resolve, reject) => {
        const finish = (settle, value) => {
            emitter.removeListener(name, came);
            emitter.removeListener('error', failed);
            signal?.removeEventListener('abort', aborted);
            settle(value);
        };
        const came = (...values) => finish(resolve, values);
        const failed = (error) => finish(reject, error);
        const aborted = () => finish(reject, require('internal/abort').abortError(signal));
        if (signal?.aborted) {
            reject(require('internal/abort').abortError(signal));
            return;
        }
        emitter.once(name, came);
        if (name !== 'error') emitter.once('error', failed);
        signal?.addEventListener('abort', aborted, { once: true });
    });
}

/** The events one after another, without an end but by the signal, an 'error' or `return`. */
function on(emitter, name, { signal, close = [] } = {}) {
    const came = [];
    const waiting = [];
    let failure;
    let isOver = false;
    const listen = (...values) => {
        if (waiting.length > 0) waiting.shift().resolve({ value: values, done: false });
        else came.push(values);
    };
    const fail = (error) => {
        if (waiting.length > 0) waiting.shift().reject(error);
        else failure = error;
        end();
    };
    const abort = () => fail(require('internal/abort').abortError(signal));
    function end() {
        isOver = true;
        emitter.removeListener(name, listen);
        emitter.removeListener('error', fail);
        for (const one of close) emitter.removeListener(one, end);
        signal?.removeEventListener('abort', abort);
        for (const wait of waiting.splice(0)) wait.resolve({ value: undefined, done: true });
        return Promise.resolve({ value: undefined, done: true });
    }
    if (signal?.aborted) throw require('internal/abort').abortError(signal);
    signal?.addEventListener('abort', abort, { once: true });
    emitter.on(name, listen);
    if (name !== 'error') emitter.on('error', fail);
    for (const one of close) emitter.on(one, end);
    return {
        next() {
            if (came.length > 0) return Promise.resolve({ value: came.shift(), done: false });
            if (failure !== undefined) {
                const error = failure;
                failure = undefined;
                return Promise.reject(error);
            }
            if (isOver) return Promise.resolve({ value: undefined, done: true });
            const { promise, resolve, reject } = Promise.withResolvers();
            waiting.push({ resolve, reject });
            return promise;
        },
        return: end,
        throw(error) {
            fail(error);
            return Promise.resolve({ value: undefined, done: true });
        },
        [Symbol.asyncIterator]() {
            return this;
        },
    };
}

module.exports = EventEmitter;
Object.assign(EventEmitter, {
    EventEmitter,
    once,
    on,
    errorMonitor,
    captureRejectionSymbol,
    defaultMaxListeners: 10,
    listenerCount: (emitter, name) => emitter.listenerCount(name),
    getEventListeners: (emitter, name) => emitter.listeners(name),
});
