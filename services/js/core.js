// What Python needs of JavaScript for carrying values across. The value of this script is a function
// that is called once; programs cannot reach what it returns.
(function () {
"use strict";
const global = globalThis;
const {Object, Array, Error, Promise, JSON, String, Number, Boolean, TypeError, ArrayBuffer, Symbol,
    SharedArrayBuffer, BigInt, Date, WeakMap, Reflect} = global;
const {getPrototypeOf, prototype: objectPrototype, hasOwn} = Object;
const {isArray, prototype: arrayPrototype} = Array;
const {isView} = ArrayBuffer;
const {stringify} = JSON;
const {apply, construct, ownKeys} = Reflect;
const isWellFormed = String.prototype.isWellFormed;
const includes = String.prototype.includes;
const then = Promise.prototype.then;
const sent = new WeakMap();   // our functions and errors -> what gives Python its own object back
const slot = [];              // what Python returns: a value, and true if it is to be thrown
let side = [];                // values of the last `describe` that JSON cannot have

// Whether JSON has all of this value as it is.
function plain(value, depth) {
    switch (typeof value) {
    case "string": case "boolean": return true;
    case "number": return value - value === 0 && (value !== 0 || 1 / value > 0);
    case "object": break;
    default: return false;
    }
    if (value === null) return true;
    if (depth > 200) return false;
    if (isArray(value)) {
        if (getPrototypeOf(value) !== arrayPrototype) return false;
        for (let i = 0; i < value.length; i++) if (!plain(value[i], depth + 1)) return false;
        return value.toJSON === undefined;
    }
    const above = getPrototypeOf(value);
    if ((above !== objectPrototype && above !== null) || value === global) return false;
    for (const key in value)
        if (hasOwn(value, key) && !plain(value[key], depth + 1)) return false;
    return value.toJSON === undefined;
}

// The same value for JSON, with what that has not as {"$": place in `side`}.
function encoded(value, above) {
    if (value === undefined) return null;
    if (typeof value === "object" && value !== null && value !== global && !sent.has(value)) {
        if (above.includes(value)) throw new TypeError("a structure that contains itself");
        if (isArray(value)) {
            const inner = [...above, value], result = [];
            for (let i = 0; i < value.length; i++) result[i] = encoded(value[i], inner);
            return result;
        }
        const prototype = getPrototypeOf(value);
        if (prototype === objectPrototype || prototype === null) {
            const inner = [...above, value], result = {__proto__: null};
            for (const key of Object.keys(value)) result[key] = encoded(value[key], inner);
            return hasOwn(value, "$") || hasOwn(value, "$$") ? {$$: result} : result;
        }
    } else if (plain(value, 0)) return value;
    side.push(value);
    return {$: side.length - 1};
}

// What kind of object a value is, and what it consists of where that is short.
function describe(value) {
    if (sent.has(value)) return "M";
    if (typeof value === "function") return "F";
    if (typeof value === "symbol" || value === global) return "O";
    if (isArray(value) || getPrototypeOf(value) === objectPrototype
        || getPrototypeOf(value) === null) {
        if (plain(value, 0)) return "J" + stringify(value);
        side = [];
        return "K" + stringify(encoded(value, []));
    }
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return "B";
    if (isView(value)) return "V" + value.byteOffset + " " + value.byteLength;
    if (value instanceof Error) return "E";
    if (value instanceof Promise) return "P";
    if (value instanceof Date) return "D" + value.getTime();
    if (value instanceof String || value instanceof Number || value instanceof Boolean
        || value instanceof BigInt) return "S";
    return "O";
}

// The same for what is to stay as it is: nothing of it is looked at.
function kind(value) {
    if (typeof value === "function") return "F";
    return value instanceof Promise ? "P" : "O";
}

function taken() {
    if (slot.length === 0) return undefined;
    const value = slot[0], thrown = slot.length > 1;
    slot.length = 0;
    if (thrown) throw value;
    return value;
}

// Strings that the wheel would not take across whole go as objects.
function checked(values) {
    for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (typeof value !== "string") continue;
        if (!apply(isWellFormed, value, []) || apply(includes, value, ["\0"]))
            values[i] = new String(value);
        // A long string may be in pieces, which the wheel does not know; this joins them.
        else values[i] = String(value);
    }
    return values;
}

const kinds = {
    plain: (raw, name) => ({
        [name](...values) {
            const result = raw(...checked(values));
            return result !== null ? result : taken();
        },
    }),
    method: (raw, name) => ({
        [name](...values) {
            const result = raw(this, ...checked(values));
            return result !== null ? result : taken();
        },
    }),
    async: (raw, name) => ({
        [name](...values) {
            return new Promise((resolve, reject) => {
                raw(resolve, reject, ...checked(values));
                taken();
            });
        },
    }),
};

function expose(raw, name, kind, back) {
    const made = kinds[kind](raw, name)[name];
    sent.set(made, back);
    return made;
}

// An object that stands for one of Python's.
function wrap(back, name) {
    const made = Object.create({__proto__: null, [Symbol.toStringTag]: name});
    sent.set(made, back);
    return Object.freeze(made);
}

// The frames that are no business of the program's are left out.
function userFrames(stack) {
    const lines = String(stack).split("\n");
    const ours = lines.map((line) => /[( ]ovum:/.test(line));
    return lines.filter((line, at) =>
        !ours[at] && !(ours[at + 1] && line === "    at apply (native)")).join("\n");
}

// Stacks begin with the error's name and message, as everywhere but in this engine.
const stack = Object.getOwnPropertyDescriptor(Error.prototype, "stack");
const {captureStackTrace} = Error;
const errorText = Error.prototype.toString;

// What is in front of the first line of CommonJS modules, in bytes, by their paths.
const wrappers = new Map();

function asWritten(line) {
    const [, before, path, column, after] = /^(\s+at (?:.*\()?)(\/.*):1:(\d+)(\)?)$/.exec(line) ?? [];
    const size = wrappers.get(path);
    return size === undefined ? line : `${before}${path}:1:${column - size}${after}`;
}

function headed(error, frames) {
    if (typeof frames !== "string" || (frames !== "" && !/^\s+at /.test(frames))) return frames;
    return withHead(error, userFrames(frames).split("\n").map(asWritten).join("\n"));
}

function withHead(error, frames) {
    return `${apply(errorText, error, [])}\n${frames}`.trimEnd();
}

Object.defineProperty(Error.prototype, "stack", {
    ...stack,
    get() { return headed(this, apply(stack.get, this, [])); },
});
Object.defineProperty(Error, "captureStackTrace", {
    writable: true, configurable: true,
    value(target, above) {
        apply(captureStackTrace, Error, above === undefined ? [target] : [target, above]);
        const own = Object.getOwnPropertyDescriptor(target, "stack");
        if (own !== undefined && own.configurable)
            Object.defineProperty(target, "stack", {...own, value: headed(target, own.value)});
    },
});

function framesOf(error) {
    return textOf(error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).join("\n");
}

// An error of JavaScript's for an exception of Python's.
function makeError(name, message, trace, properties, back) {
    const kind = global[name];
    let error;
    if (kind === Error || (typeof kind === "function" && kind.prototype instanceof Error))
        error = new kind(message);
    else {
        error = new Error(message);
        const named = {value: name, configurable: true, writable: true, enumerable: false};
        Object.defineProperty(error, "name", named);
    }
    const hidden = {configurable: true, writable: true, enumerable: false};
    const shown = withHead(error, framesOf(error));
    Object.defineProperty(error, "stack", {...hidden, value: shown});
    if (trace) Object.defineProperty(error, "pythonStack", {...hidden, value: trace});
    if (back) sent.set(error, back);
    return Object.assign(error, properties);
}

function textOf(value) {
    try {
        return String(value);
    } catch {
        return "(a value that cannot be shown)";
    }
}

// [name, message, stack] of what was thrown.
function errorParts(error) {
    if (!(error instanceof Error)) return ["Uncaught", textOf(error), ""];
    return [textOf(error.name), textOf(error.message), framesOf(error)];
}

return {
    slot, describe, kind, expose, wrap, makeError, errorParts, textOf,
    side: (at) => side[at],
    back(value) { sent.get(value)(); },
    unbox: (value) => value.valueOf(),
    buffer: (view) => view.buffer,
    bigint: (text) => BigInt(text),
    get: (object, name) => object[name],
    set(object, name, value) { object[name] = value; },
    hidden(object, name, value) {
        Object.defineProperty(object, name, {
            value, writable: true, configurable: true, enumerable: false,
        });
    },
    has: (object, name) => name in object,
    remove: (object, name) => delete object[name],
    keys: (object) => Object.keys(object),
    construct: (kind, values) => construct(kind, values),
    date: (milliseconds) => new Date(milliseconds),
    view: (buffer) => new Uint8Array(buffer),
    wrapped(path, size) { wrappers.set(path, size); },
    then(promise, fulfilled, rejected) { apply(then, promise, [fulfilled, rejected]); },
    promise() {
        const {promise, resolve, reject} = Promise.withResolvers();
        return [promise, resolve, reject];
    },
    global,
};
})
