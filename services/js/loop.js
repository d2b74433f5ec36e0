// Timers, immediates and ticks. Which of them runs, and when, is loop.py's.
(function (raiseTicks) {
"use strict";
const global = globalThis;
const {Symbol, TypeError, Number, Map} = global;
const {apply} = Reflect;
const floor = Math.floor;
const now = performance.now.bind(performance);
const queueJob = global.queueMicrotask;

function callable(value) {
    if (typeof value === "function") return;
    const error = new TypeError(
        `The "callback" argument must be of type function. Received ${String(value)}`);
    error.code = "ERR_INVALID_ARG_TYPE";
    throw error;
}

// A heap of timers by their time, then by their order.
const heap = [];
const byId = new Map();
let order = 0, lastId = 0, alive = 0, ending = 0;

function before(a, b) {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(entry) {
    let at = heap.length;
    while (at > 0) {
        const above = (at - 1) >> 1;
        if (!before(entry, heap[above])) break;
        heap[at] = heap[above];
        at = above;
    }
    heap[at] = entry;
}

function pop() {
    const first = heap[0], last = heap.pop(), size = heap.length;
    if (size === 0) return first;
    let at = 0;
    for (;;) {
        let below = 2 * at + 1;
        if (below >= size) break;
        if (below + 1 < size && before(heap[below + 1], heap[below])) below++;
        if (!before(heap[below], last)) break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = last;
    return first;
}

// Entries whose timer has another one now, or has ended, are dropped when they come up.
function upcoming() {
    while (heap.length && heap[0].timer.entry !== heap[0]) pop();
    return heap.length ? heap[0] : undefined;
}

function schedule(timer) {
    timer.entry = {at: now() + timer.delay, order: order++, timer};
    push(timer.entry);
    if (heap.length > 2 * byId.size + 64) {
        const live = heap.filter((entry) => entry.timer.entry === entry);
        heap.length = 0;
        live.forEach(push);
    }
}

class Timeout {
    #timer;
    constructor(callback, delay, values, repeats) {
        callable(callback);
        delay = Number(delay);
        if (!(delay >= 1 && delay <= 0x7fffffff)) delay = 1;
        this.#timer = {
            id: ++lastId, callback, values, repeats, delay: floor(delay), entry: undefined,
            refed: true, object: this,
        };
        start(this.#timer);
    }
    static start(timer) {
        if (timer.entry === undefined) {
            byId.set(timer.id, timer);
            if (timer.refed) alive++;
        }
        schedule(timer);
    }
    static end(timer) {
        if (timer.entry === undefined) return;
        timer.entry = undefined;
        byId.delete(timer.id);
        if (timer.refed) alive--;
    }
    static of(object) { return object.#timer; }
    static is(object) { return #timer in object; }
    ref() {
        const timer = this.#timer;
        if (!timer.refed && timer.entry) alive++;
        timer.refed = true;
        return this;
    }
    unref() {
        const timer = this.#timer;
        if (timer.refed && timer.entry) alive--;
        timer.refed = false;
        return this;
    }
    hasRef() { return this.#timer.refed; }
    refresh() {
        start(this.#timer);
        return this;
    }
    close() {
        end(this.#timer);
        return this;
    }
    [Symbol.toPrimitive]() { return this.#timer.id; }
    [Symbol.dispose]() { this.close(); }
}
const {start, end, of, is} = Timeout;
for (const name of ["start", "end", "of", "is"]) delete Timeout[name];

function clear(timer) {
    if (typeof timer === "object" && timer !== null && is(timer)) end(of(timer));
    else if (typeof timer === "number" || typeof timer === "string") {
        const found = byId.get(Number(timer));
        if (found) end(found);
    }
}

class Immediate {
    #state;
    constructor(callback, values) {
        callable(callback);
        this.#state = {callback, values, refed: true, waits: true};
        immediates.push(this.#state);
        ending++;
    }
    static clear(object) {
        if (typeof object !== "object" || object === null || !(#state in object)) return;
        finish(object.#state);
    }
    ref() {
        const state = this.#state;
        if (!state.refed && state.waits) ending++;
        state.refed = true;
        return this;
    }
    unref() {
        const state = this.#state;
        if (state.refed && state.waits) ending--;
        state.refed = false;
        return this;
    }
    hasRef() { return this.#state.refed; }
    [Symbol.dispose]() { clearImmediate_(this); }
}
const clearImmediate_ = Immediate.clear;
delete Immediate.clear;
let immediates = [], current = [];

function finish(state) {
    if (!state.waits) return;
    state.waits = false;
    if (state.refed) ending--;
}

let ticks = [];

const globals = {
    setTimeout(callback, delay, ...values) { return new Timeout(callback, delay, values, false); },
    setInterval(callback, delay, ...values) { return new Timeout(callback, delay, values, true); },
    setImmediate(callback, ...values) { return new Immediate(callback, values); },
    clearTimeout(timer) { clear(timer); },
    clearInterval(timer) { clear(timer); },
    clearImmediate(immediate) { clearImmediate_(immediate); },
    queueMicrotask(callback) {
        callable(callback);
        queueJob(() => {
            try {
                callback();
            } catch (error) {
                thrown.push(error);
                raiseTicks();
            }
        });
    },
};
const thrown = [];
for (const [name, value] of Object.entries(globals))
    Object.defineProperty(global, name, {
        value, writable: true, configurable: true, enumerable: true,
    });

return {
    nextTick(callback, ...values) {
        callable(callback);
        ticks.push({callback, values});
        raiseTicks();
    },
    // Runs one tick; whether there are more.
    tick() {
        if (thrown.length) throw thrown.shift();
        const next = ticks.shift();
        if (next === undefined) return false;
        apply(next.callback, undefined, next.values);
        return true;
    },
    // What there is to wait for: milliseconds to the next timer, if something keeps the loop alive;
    // else -1, or what is below: -2 less the milliseconds to a timer that keeps nothing alive.
    state() {
        if (ending > 0) return 0;
        const next = upcoming();
        if (next === undefined) return immediates.length ? -2 : -1;
        const wait = next.at > now() ? next.at - now() : 0;
        return alive > 0 ? wait : -2 - (wait > 0 ? wait : 0);
    },
    now,
    // Runs one timer that is due at this time; whether there was one.
    timer(limit) {
        const next = upcoming();
        if (next === undefined || next.at > limit) return false;
        pop();
        const timer = next.timer;
        if (timer.repeats) schedule(timer);
        else end(timer);
        apply(timer.callback, timer.object, timer.values);
        return true;
    },
    // How many immediates are to run in this turn: those that are there now.
    turn() {
        current = immediates;
        immediates = [];
        return current.length;
    },
    immediate() {
        const state = current.shift();
        if (state === undefined || !state.waits) return;
        finish(state);
        apply(state.callback, undefined, state.values);
    },
    // Those that an error has kept from running come first in the next turn.
    putBack() {
        immediates = [...current, ...immediates];
        current = [];
    },
};
})
