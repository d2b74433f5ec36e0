// Deep equality, as assert and util.isDeepStrictEqual know it.
'use strict';

const { types } = require('internal/inspect_kinds');

const tag = (value) => Object.prototype.toString.call(value);

function sameKeys(left, right, isStrict) {
    const own = (value) => {
        const keys = Object.keys(value);
        if (isStrict) {
            for (const symbol of Object.getOwnPropertySymbols(value)) {
                if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
            }
        }
        return keys;
    };
    const keys = own(left);
    if (keys.length !== own(right).length) return undefined;
    return keys.every((key) => Object.prototype.propertyIsEnumerable.call(right, key)) ? keys : undefined;
}

function equalSets(left, right, isStrict, memory) {
    if (left.size !== right.size) return false;
    const rest = new Set(right);
    const objects = [];
    for (const item of left) {
        if (!rest.delete(item)) objects.push(item);
    }
    return objects.every((item) => {
        if (isStrict && (typeof item !== 'object' || item === null)) return false;
        for (const other of rest) {
            if (equal(item, other, isStrict, memory)) return rest.delete(other);
        }
        return false;
    });
}

function equalMaps(left, right, isStrict, memory) {
    if (left.size !== right.size) return false;
    const rest = new Map(right);
    return [...left].every(([key, item]) => {
        if (rest.has(key) && equal(item, rest.get(key), isStrict, memory)) return rest.delete(key);
        if (isStrict && (typeof key !== 'object' || key === null)) return false;
        for (const [otherKey, other] of rest) {
            if (equal(key, otherKey, isStrict, memory) && equal(item, other, isStrict, memory)) {
                return rest.delete(otherKey);
            }
        }
        return false;
    });
}

function equalBytes(left, right) {
    if (left.byteLength !== right.byteLength) return false;
    const bytes = (view) =>
        ArrayBuffer.isView(view)
            ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
            : new Uint8Array(view);
    const [one, other] = [bytes(left), bytes(right)];
    return one.every((byte, i) => byte === other[i]);
}

// What kinds of objects have besides properties. False: different; true: go on with those.
function equalSlots(left, right, isStrict, memory) {
    if (tag(left) !== tag(right) || Array.isArray(left) !== Array.isArray(right)) return false;
    if (isStrict && Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
    if (Array.isArray(left)) return left.length === right.length;
    if (types.isDate(left)) return types.isDate(right) && left.getTime() === right.getTime();
    if (types.isRegExp(left)) {
        return types.isRegExp(right) && String(left) === String(right) && left.lastIndex === right.lastIndex;
    }
    if (types.isNativeError(left)) {
        return (
            types.isNativeError(right) &&
            left.message === right.message &&
            left.name === right.name &&
            equal(left.cause, right.cause, isStrict, memory) &&
            equal(left.errors, right.errors, isStrict, memory)
        );
    }
    if (types.isBoxedPrimitive(left))
        return types.isBoxedPrimitive(right) && Object.is(left.valueOf(), right.valueOf());
    if (ArrayBuffer.isView(left)) {
        if (!isStrict && types.isFloat64Array(left))
            return left.length === right.length && left.every((x, i) => x === right[i]);
        return equalBytes(left, right);
    }
    if (types.isAnyArrayBuffer(left)) return types.isAnyArrayBuffer(right) && equalBytes(left, right);
    if (types.isSet(left)) return types.isSet(right) && equalSets(left, right, isStrict, memory);
    if (types.isMap(left)) return types.isMap(right) && equalMaps(left, right, isStrict, memory);
    if (types.isWeakMap(left) || types.isWeakSet(left) || types.isPromise(left)) return false;
    return true;
}

function equal(left, right, isStrict, memory) {
    if (isStrict ? Object.is(left, right) : left === right || (left !== left && right !== right)) return true;
    const isObject = (value) => typeof value === 'object' && value !== null;
    if (!isObject(left) || !isObject(right)) {
        if (isStrict || isObject(left) || isObject(right)) return false;
        return typeof left !== 'function' && left == right;
    }
    // What contains itself is equal if everything else is.
    if (memory.get(left)?.has(right)) return true;
    const known = memory.get(left) ?? new Set();
    memory.set(left, known.add(right));
    let isEqual = equalSlots(left, right, isStrict, memory);
    if (isEqual && !ArrayBuffer.isView(left)) {
        const keys = sameKeys(left, right, isStrict);
        isEqual = keys !== undefined && keys.every((key) => equal(left[key], right[key], isStrict, memory));
    }
    known.delete(right);
    return isEqual;
}

module.exports = {
    isDeepEqual: (left, right) => equal(left, right, false, new Map()),
    isDeepStrictEqual: (left, right) => equal(left, right, true, new Map()),
};
