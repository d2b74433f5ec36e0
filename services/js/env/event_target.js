// Event, CustomEvent, EventTarget (DOM 2), without a tree of targets.
'use strict';

const { expectFunction, invalidArgument } = require('internal/errors');
const setTarget = Symbol('target');
const isStopped = Symbol('stopped');

class Event {
    #type;
    #target = null;
    #isPrevented = false;
    #isPassed = false;
    #isCancelable;
    #bubbles;
    #composed;
    #time = performance.now();

    constructor(type, { bubbles = false, cancelable = false, composed = false } = {}) {
        if (arguments.length === 0) throw new TypeError('The "type" argument must be specified');
        this.#type = String(type);
        this.#isCancelable = Boolean(cancelable);
        this.#bubbles = Boolean(bubbles);
        this.#composed = Boolean(composed);
        this[isStopped] = false;
        Object.defineProperty(this, isStopped, { enumerable: false });
    }

    get type() {
        return this.#type;
    }
    get target() {
        return this.#target;
    }
    get currentTarget() {
        return this.#target;
    }
    get srcElement() {
        return this.#target;
    }
    get cancelable() {
        return this.#isCancelable;
    }
    get bubbles() {
        return this.#bubbles;
    }
    get composed() {
        return this.#composed;
    }
    get defaultPrevented() {
        return this.#isPrevented;
    }
    get returnValue() {
        return !this.#isPrevented;
    }
    get timeStamp() {
        return this.#time;
    }
    get isTrusted() {
        return false;
    }
    get eventPhase() {
        return this.#target === null || this.#isPassed ? 0 : 2;
    }
    get cancelBubble() {
        return this[isStopped];
    }
    composedPath() {
        return this.#target === null ? [] : [this.#target];
    }
    preventDefault() {
        this.#isPrevented ||= this.#isCancelable;
    }
    stopPropagation() {}
    stopImmediatePropagation() {
        this[isStopped] = true;
    }

    [setTarget](target, isPassed) {
        this.#target = target;
        this.#isPassed = isPassed;
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        const { type, defaultPrevented, cancelable, timeStamp } = this;
        return `${this.constructor.name} ${inspect({ type, defaultPrevented, cancelable, timeStamp }, options)}`;
    }
}
Object.assign(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
Object.defineProperty(Event.prototype, Symbol.toStringTag, { value: 'Event', configurable: true });

class CustomEvent extends Event {
    #detail;

    constructor(type, options) {
        super(type, options);
        this.#detail = options?.detail ?? null;
    }

    get detail() {
        return this.#detail;
    }
}

class EventTarget {
    #listeners = new Map();

    addEventListener(type, listener, options) {
        if (listener === null || listener === undefined) return;
        if (typeof listener !== 'object') expectFunction('listener', listener);
        const {
            once = false,
            capture = false,
            signal,
        } = typeof options === 'object' && options !== null ? options : { capture: Boolean(options) };
        if (signal?.aborted) return;
        type = String(type);
        let list = this.#listeners.get(type);
        if (list === undefined) this.#listeners.set(type, (list = []));
        if (list.some((one) => one.listener === listener && one.capture === capture)) return;
        list.push({ listener, once, capture, removed: false });
        signal?.addEventListener('abort', () => this.removeEventListener(type, listener, { capture }), {
            once: true,
        });
    }

    removeEventListener(type, listener, options) {
        const capture = Boolean(typeof options === 'object' ? options?.capture : options);
        const list = this.#listeners.get(String(type));
        const index = list?.findIndex((one) => one.listener === listener && one.capture === capture) ?? -1;
        if (index !== -1) list.splice(index, 1)[0].removed = true;
    }

    dispatchEvent(event) {
        if (!(event instanceof Event)) throw invalidArgument('event', 'an instance of Event', event);
        event[setTarget](this, false);
        for (const entry of [...(this.#listeners.get(event.type) ?? [])]) {
            if (entry.removed) continue;
            const { listener } = entry;
            if (entry.once) this.removeEventListener(event.type, listener, { capture: entry.capture });
            try {
                if (typeof listener === 'function') listener.call(this, event);
                else listener.handleEvent(event);
            } catch (error) {
                // The others are called all the same; this one is nobody's.
                queueMicrotask(() => {
                    throw error;
                });
            }
            if (event[isStopped]) break;
        }
        event[setTarget](this, true);
        return !event.defaultPrevented;
    }
}
Object.defineProperty(EventTarget.prototype, Symbol.toStringTag, {
    value: 'EventTarget',
    configurable: true,
});

/** Gives a class a property `onNAME` for one listener. */
function defineHandler(prototype, name) {
    const handlers = new WeakMap();
    Object.defineProperty(prototype, `on${name}`, {
        configurable: true,
        enumerable: true,
        get() {
            return handlers.get(this)?.handler ?? null;
        },
        set(handler) {
            const before = handlers.get(this);
            if (before) this.removeEventListener(name, before.listener);
            handlers.delete(this);
            if (typeof handler !== 'function') return;
            const listener = (event) => handler.call(this, event);
            handlers.set(this, { handler, listener });
            this.addEventListener(name, listener);
        },
    });
}

module.exports = { CustomEvent, Event, EventTarget, defineHandler };
