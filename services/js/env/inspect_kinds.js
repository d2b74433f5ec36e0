// What kind of built-in object a value is: by its internal slots, not by its name or prototype.
'use strict';

const { promiseDetails, proxyDetails } = require('internal/native');

const toString = Object.prototype.toString;

function getter(prototype, name) {
    return Object.getOwnPropertyDescriptor(prototype, name).get;
}

const TypedArray = Object.getPrototypeOf(Uint8Array);
const typedArrayName = getter(TypedArray.prototype, Symbol.toStringTag);
const mapSize = getter(Map.prototype, 'size');
const setSize = getter(Set.prototype, 'size');
const bufferLength = getter(ArrayBuffer.prototype, 'byteLength');
const sharedLength = getter(SharedArrayBuffer.prototype, 'byteLength');
const viewLength = getter(DataView.prototype, 'byteLength');
const regexpSource = getter(RegExp.prototype, 'source');
const probe = {};

function accepts(call) {
    return (value) => {
        try {
            call(value);
            return true;
        } catch {
            return false;
        }
    };
}

const isMap = accepts((value) => mapSize.call(value));
const isSet = accepts((value) => setSize.call(value));
const isWeakMap = accepts((value) => WeakMap.prototype.has.call(value, probe));
const isWeakSet = accepts((value) => WeakSet.prototype.has.call(value, probe));
const isArrayBuffer = accepts((value) => bufferLength.call(value));
const isSharedArrayBuffer = accepts((value) => sharedLength.call(value));
const isDate = accepts((value) => Date.prototype.getTime.call(value));
const isNumberObject = accepts((value) => Number.prototype.valueOf.call(value));
const isStringObject = accepts((value) => String.prototype.valueOf.call(value));
const isBooleanObject = accepts((value) => Boolean.prototype.valueOf.call(value));
const isBigIntObject = accepts((value) => BigInt.prototype.valueOf.call(value));
const isSymbolObject = accepts((value) => Symbol.prototype.valueOf.call(value));
const compiles = accepts((value) => RegExp.prototype.compile.call(value, value));

function isDataView(value) {
    try {
        viewLength.call(value);
        return true;
    } catch (error) {
        // A view of a buffer that is gone, or too short now, is one as well.
        return error instanceof TypeError && /detached|out-of-bound|out of bound/i.test(error.message);
    }
}

function object(test) {
    return (value) => typeof value === 'object' && value !== null && test(value);
}

const hasSource = accepts((value) => regexpSource.call(value));
const isRegExp = (value) => value !== RegExp.prototype && hasSource(value);

const isError = (value) =>
    Error.isError(value) || (typeof value === 'object' && value !== null && value instanceof Error);

function isArguments(value) {
    return toString.call(value) === '[object Arguments]' && !(Symbol.toStringTag in value);
}

function iteratorOf(type) {
    const prototype = Object.getPrototypeOf(new type()[Symbol.iterator]());
    return (value) => prototype.isPrototypeOf(value);
}

const isMapIterator = iteratorOf(Map);
const isSetIterator = iteratorOf(Set);
const GENERATOR = Object.getPrototypeOf(function* () {}).prototype;

function functionTag(value) {
    return typeof value === 'function' ? toString.call(value) : '';
}

function isAsyncFunction(value) {
    return /^\[object Async(Generator)?Function\]$/.test(functionTag(value));
}

function isGeneratorFunction(value) {
    return /^\[object (Async)?GeneratorFunction\]$/.test(functionTag(value));
}

function isModuleNamespace(value) {
    return (
        Object.getPrototypeOf(value) === null &&
        Object.getOwnPropertyDescriptor(value, Symbol.toStringTag)?.value === 'Module' &&
        !Object.isExtensible(value)
    );
}

const isPromise = (value) => promiseDetails(value) !== undefined;
const isProxy = (value) => proxyDetails(value) !== undefined;
const isTypedArray = (value) => typedArrayName.call(value) !== undefined;

function isBoxed(value) {
    return (
        isNumberObject(value) ||
        isStringObject(value) ||
        isBooleanObject(value) ||
        isBigIntObject(value) ||
        isSymbolObject(value)
    );
}

/** util.types. */
const types = {
    isAnyArrayBuffer: object((value) => isArrayBuffer(value) || isSharedArrayBuffer(value)),
    isArgumentsObject: object(isArguments),
    isArrayBuffer: object(isArrayBuffer),
    isArrayBufferView: ArrayBuffer.isView,
    isAsyncFunction,
    isBigInt64Array: (value) => typedArrayName.call(value) === 'BigInt64Array',
    isBigIntObject: object(isBigIntObject),
    isBigUint64Array: (value) => typedArrayName.call(value) === 'BigUint64Array',
    isBooleanObject: object(isBooleanObject),
    isBoxedPrimitive: object(isBoxed),
    isCryptoKey: () => false,
    isDataView: object(isDataView),
    isDate: object(isDate),
    isExternal: () => false,
    isFloat32Array: (value) => typedArrayName.call(value) === 'Float32Array',
    isFloat64Array: (value) => typedArrayName.call(value) === 'Float64Array',
    isGeneratorFunction,
    isGeneratorObject: object((value) => GENERATOR.isPrototypeOf(value)),
    isInt16Array: (value) => typedArrayName.call(value) === 'Int16Array',
    isInt32Array: (value) => typedArrayName.call(value) === 'Int32Array',
    isInt8Array: (value) => typedArrayName.call(value) === 'Int8Array',
    isKeyObject: () => false,
    isMap: object(isMap),
    isMapIterator: object(isMapIterator),
    isModuleNamespaceObject: object(isModuleNamespace),
    isNativeError: object((value) => Error.isError(value)),
    isNumberObject: object(isNumberObject),
    isPromise: object(isPromise),
    isProxy: (value) => value !== null && /^(object|function)$/.test(typeof value) && isProxy(value),
    isRegExp: object(isRegExp),
    isSet: object(isSet),
    isSetIterator: object(isSetIterator),
    isSharedArrayBuffer: object(isSharedArrayBuffer),
    isStringObject: object(isStringObject),
    isSymbolObject: object(isSymbolObject),
    isTypedArray,
    isUint16Array: (value) => typedArrayName.call(value) === 'Uint16Array',
    isUint32Array: (value) => typedArrayName.call(value) === 'Uint32Array',
    isUint8Array: (value) => typedArrayName.call(value) === 'Uint8Array',
    isUint8ClampedArray: (value) => typedArrayName.call(value) === 'Uint8ClampedArray',
    isWeakMap: object(isWeakMap),
    isWeakSet: object(isWeakSet),
};

module.exports = {
    isArguments,
    isArrayBuffer,
    isAsyncFunction,
    isBigIntObject,
    isBooleanObject,
    isBoxed,
    isDataView,
    isDate,
    isError,
    isGeneratorFunction,
    isMap,
    isMapIterator,
    isModuleNamespace,
    isNumberObject,
    isPromise,
    isRegExp,
    isSet,
    isSetIterator,
    isSharedArrayBuffer,
    isStringObject,
    isSymbolObject,
    isTypedArray,
    isWeakMap,
    isWeakSet,
    promiseDetails,
    proxyDetails,
    typedArrayName,
    types,
};
