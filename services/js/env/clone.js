// structuredClone (HTML 2.7).
'use strict';

const { types } = require('internal/inspect_kinds');

const ERRORS = { __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function refuse(value) {
    let text;
    try {
        text = typeof value === 'object' ? '#<Object>' : String(value);
    } catch {
        text = 'The value';
    }
    return new DOMException(`${text} could not be cloned.`, 'DataCloneError');
}

function cloneError(value, memory, transferred) {
    const Type = ERRORS[value.name] ?? Error;
    const options = Object.hasOwn(value, 'cause')
        ? { cause: clone(value.cause, memory, transferred) }
        : undefined;
    const made = new Type(String(value.message), options);
    Object.defineProperty(made, 'stack', { value: value.stack, writable: true, configurable: true });
    return made;
}

// A new object of the same kind, without what is in it.
function shell(value, memory, transferred) {
    if (types.isBoxedPrimitive(value)) {
        if (types.isSymbolObject(value)) throw refuse(value);
        return Object(value.valueOf());
    }
    if (types.isDate(value)) return new Date(value.getTime());
    if (types.isRegExp(value)) return new RegExp(value.source, value.flags);
    if (types.isSharedArrayBuffer(value)) return value;
    if (types.isArrayBuffer(value)) {
        return transferred.has(value) ? value.transfer() : value.slice(0);
    }
    if (ArrayBuffer.isView(value)) {
        const buffer = clone(value.buffer, memory, transferred);
        const name = value[Symbol.toStringTag] ?? 'DataView';
        const length = types.isDataView(value) ? value.byteLength : value.length;
        return new globalThis[name](buffer, value.byteOffset, length);
    }
    if (types.isNativeError(value)) return cloneError(value, memory, transferred);
    if (Array.isArray(value)) return new Array(value.length);
    if (types.isMap(value)) return new Map();
    if (types.isSet(value)) return new Set();
    const isOther =
        typeof value === 'function' ||
        types.isPromise(value) ||
        types.isWeakMap(value) ||
        types.isWeakSet(value) ||
        types.isProxy(value) ||
        value instanceof WeakRef ||
        types.isGeneratorObject(value);
    if (isOther) throw refuse(value);
    return {};
}

function clone(value, memory, transferred) {
    if (typeof value === 'symbol') throw refuse(value);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return value;
    if (memory.has(value)) return memory.get(value);
    const made = shell(value, memory, transferred);
    memory.set(value, made);
    if (types.isMap(value)) {
        for (const [key, item] of [...value]) {
            made.set(clone(key, memory, transferred), clone(item, memory, transferred));
        }
    } else if (types.isSet(value)) {
        for (const item of [...value]) made.add(clone(item, memory, transferred));
    } else if (Array.isArray(value) || Object.getPrototypeOf(made) === Object.prototype) {
        for (const key of Object.keys(value)) {
            const item = clone(value[key], memory, transferred);
            Object.defineProperty(made, key, {
                value: item,
                writable: true,
                enumerable: true,
                configurable: true,
            });
        }
    }
    return made;
}

/** A deep copy; buffers in `transfer` are moved. Raises DataCloneError. */
function structuredClone(value, options) {
    if (arguments.length === 0) throw new TypeError('The "value" argument must be specified');
    const transferred = new Set(options?.transfer ?? []);
    return clone(value, new Map(), transferred);
}

module.exports = { structuredClone };
