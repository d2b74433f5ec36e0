// AbortController, AbortSignal (DOM 3).
'use strict';

const { Event, EventTarget, defineHandler } = require('internal/event_target');
const make = Symbol('make');
const abort = Symbol('abort');

class AbortSignal extends EventTarget {
    #isAborted = false;
    #reason = undefined;
    // Signals made of this one by `any`, and functions to be called before the listeners.
    #dependents = new Set();

    constructor(key) {
        if (key !== make) throw new TypeError('Illegal constructor');
        super();
    }

    get aborted() {
        return this.#isAborted;
    }
    get reason() {
        return this.#reason;
    }

    throwIfAborted() {
        if (this.#isAborted) throw this.#reason;
    }

    [abort](reason) {
        if (this.#isAborted) return;
        this.#isAborted = true;
        this.#reason =
            reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
        for (const dependent of this.#dependents) dependent[abort](this.#reason);
        this.#dependents.clear();
        this.dispatchEvent(new Event('abort'));
    }

    static abort(reason) {
        const signal = new AbortSignal(make);
        signal[abort](reason);
        return signal;
    }

    static timeout(milliseconds) {
        const signal = new AbortSignal(make);
        const message = 'The operation was aborted due to timeout';
        setTimeout(() => signal[abort](new DOMException(message, 'TimeoutError')), milliseconds).unref();
        return signal;
    }

    static any(signals) {
        const made = new AbortSignal(make);
        for (const signal of signals) {
            if (signal.aborted) {
                made[abort](signal.reason);
                break;
            }
            signal.#dependents.add(made);
        }
        return made;
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        return `AbortSignal ${inspect({ aborted: this.aborted }, options)}`;
    }
}
defineHandler(AbortSignal.prototype, 'abort');
Object.defineProperty(AbortSignal.prototype, Symbol.toStringTag, {
    value: 'AbortSignal',
    configurable: true,
});

class AbortController {
    #signal = new AbortSignal(make);

    get signal() {
        return this.#signal;
    }

    abort(reason) {
        this.#signal[abort](reason);
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        return `AbortController ${inspect({ signal: this.signal }, options)}`;
    }
}
Object.defineProperty(AbortController.prototype, Symbol.toStringTag, {
    value: 'AbortController',
    configurable: true,
});

/** What node's own functions reject with: an AbortError whose cause is the signal's reason. */
function abortError(signal) {
    const error = new Error('The operation was aborted', { cause: signal.reason });
    Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true });
    return Object.assign(error, { code: 'ABORT_ERR' });
}

module.exports = { AbortController, AbortSignal, abortError };
