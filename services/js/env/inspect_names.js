// Whose instance an object is, as util.inspect names it.
'use strict';

const kinds = require('internal/inspect_kinds');

const builtIn = new Set(
    Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z][a-zA-Z0-9]+$/.test(name)),
);

function isInstance(object, constructor) {
    try {
        return object instanceof constructor;
    } catch {
        return false;
    }
}

/** What stands before the braces: the class, the size, and Symbol.toStringTag if it says else. */
function getPrefix(constructor, tag, fallback, size = '') {
    if (constructor === null) {
        const other = tag !== '' && fallback !== tag ? `[${tag}] ` : '';
        return `[${fallback}${size}: null prototype] ${other}`;
    }
    return tag !== '' && constructor !== tag ? `${constructor}${size} [${tag}] ` : `${constructor}${size} `;
}

/** The name of the built-in class whose slots an object has, whatever its prototype. */
function internalName(value) {
    if (typeof value === 'function') return 'Function';
    if (kinds.isMap(value)) return 'Map';
    if (kinds.isSet(value)) return 'Set';
    if (kinds.isPromise(value)) return 'Promise';
    if (kinds.isArrayBuffer(value)) return 'ArrayBuffer';
    if (kinds.isDataView(value)) return 'DataView';
    if (kinds.isWeakMap(value)) return 'WeakMap';
    if (kinds.isWeakSet(value)) return 'WeakSet';
    const [, name] = /^\[object (.*)\]$/.exec(Object.prototype.toString.call(value));
    return kinds.typedArrayName.call(value) ?? (Symbol.toStringTag in value ? 'Object' : name);
}

/** As `getPrefix`, for an object that is no built-in one. */
function typeName(value, constructor, tag) {
    let fallback = '';
    if (constructor === null) {
        fallback = internalName(value);
        if (fallback === tag) fallback = 'Object';
    }
    return getPrefix(constructor, tag, fallback);
}

// Properties of the prototypes below the first built-in one, three levels at most.
function prototypeProperties(context, main, object, output, property) {
    let keys = [];
    const seen = new Set();
    for (let level = 0; level < 3; level++) {
        if (level !== 0 || main === object) {
            object = Object.getPrototypeOf(object);
            if (object === null) return;
            const constructor = Object.getOwnPropertyDescriptor(object, 'constructor')?.value;
            if (typeof constructor === 'function' && builtIn.has(constructor.name)) return;
        }
        for (const key of keys) seen.add(key);
        keys = Reflect.ownKeys(object);
        context.seen.push(main);
        for (const key of keys) {
            if (key === 'constructor' || Object.hasOwn(main, key) || seen.has(key)) continue;
            const descriptor = Object.getOwnPropertyDescriptor(object, key);
            if (typeof descriptor.value === 'function') continue;
            const text = property(object, key, descriptor, main);
            output.push(context.colors ? `\u001b[2m${text}\u001b[22m` : text);
        }
        context.seen.pop();
    }
}

/**
 * The name of an object's class, or null if it has none at all.
 *
 * With `inherited`, an array, the properties of its prototypes are added there.
 */
function constructorName(context, value, depth, inherited, property, inspect) {
    let object = value;
    let first;
    while (object) {
        const constructor = Object.getOwnPropertyDescriptor(object, 'constructor')?.value;
        if (typeof constructor === 'function' && constructor.name !== '' && isInstance(value, constructor)) {
            if (inherited !== undefined && (first !== object || !builtIn.has(constructor.name))) {
                prototypeProperties(context, value, first ?? value, inherited, property);
            }
            return String(constructor.name);
        }
        object = Object.getPrototypeOf(object);
        if (first === undefined) first = object;
    }
    if (first === null) return null;
    const own = internalName(value);
    if (context.depth !== null && depth > context.depth) return `${own} <Complex prototype>`;
    const above = constructorName(context, first, depth + 1, inherited, property, inspect);
    if (above !== null) return `${own} <${above}>`;
    const { showHidden, colors, breakLength, compact } = context;
    const options = { showHidden, colors, breakLength, compact, customInspect: false, depth: -1 };
    return `${own} <${inspect(first, options)}>`;
}

module.exports = { builtIn, constructorName, getPrefix, typeName };
