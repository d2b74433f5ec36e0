// What each kind of object looks like to util.inspect: its braces, its parts, which properties follow.
'use strict';

const kinds = require('internal/inspect_kinds');
const parts = require('internal/inspect_parts');
const { getPrefix, typeName } = require('internal/inspect_names');
const { numberText } = require('internal/inspect_text');

function ownKeys(value, showHidden) {
    if (showHidden) return Reflect.ownKeys(value);
    let keys;
    try {
        keys = Object.keys(value);
    } catch (error) {
        // A module whose exports have no values yet.
        if (!(error instanceof ReferenceError)) throw error;
        keys = Object.getOwnPropertyNames(value);
    }
    for (const symbol of Object.getOwnPropertySymbols(value)) {
        if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
    }
    return keys;
}

/** The keys that are no indices; those come first in the order of keys. */
function extraKeys(value, showHidden) {
    const keys = ownKeys(value, showHidden);
    let first = keys.length;
    const isIndex = (key) => typeof key === 'string' && /^(0|[1-9]\d*)$/.test(key) && +key < 2 ** 32 - 1;
    while (first > 0 && !isIndex(keys[first - 1])) first--;
    return keys.slice(first);
}

const COLLECTIONS = [
    [Set, 'Set', kinds.isSet, parts.set],
    [Map, 'Map', kinds.isMap, parts.map],
].map(([type, ...rest]) => [Object.getOwnPropertyDescriptor(type.prototype, 'size').get, ...rest]);

// What is known of the object that is looked at; see `describe`.
class Look {
    constructor(context, value, known) {
        this.context = context;
        this.value = value;
        this.known = known;
        this.braces = ['{', '}'];
        this.base = '';
        this.isArray = false;
        this.list = () => [];
        this.whole = undefined;
        this.keys = undefined;
    }

    prefix(fallback, size) {
        return getPrefix(this.known.constructor, this.known.tag, fallback, size);
    }

    get isBare() {
        return this.keys.length === 0 && !this.known.hasMore;
    }

    /** `base` is all there is, unless properties follow. */
    asBase(base, style, always = false) {
        this.base = base;
        if (this.isBare || always) this.whole = style ? this.context.stylize(base, style) : base;
        return this;
    }

    /** Braces with a name before them; `{}` if nothing is in them. */
    named(open, isEmpty) {
        this.braces[0] = open;
        if (isEmpty && this.isBare) this.whole = `${open}${this.braces[1]}`;
        return this;
    }
}

function iterable(look, context, value, { constructor, tag, depth, format, item }) {
    if (Array.isArray(value)) {
        look.keys = extraKeys(value, context.showHidden);
        look.isArray = true;
        look.braces[1] = ']';
        look.list = (level) => parts.array(context, value, level, item);
        const isPlain = constructor === 'Array' && tag === '';
        return look.named(`${isPlain ? '' : look.prefix('Array', `(${value.length})`)}[`, value.length === 0);
    }
    for (const [sizeOf, name, test, list] of COLLECTIONS) {
        if (!test(value)) continue;
        const size = sizeOf.call(value);
        look.keys = ownKeys(value, context.showHidden);
        look.list = (level) => list(context, value, level, format);
        return look.named(`${look.prefix(name, `(${size})`)}{`, size === 0);
    }
    if (kinds.isTypedArray(value)) {
        const name = kinds.typedArrayName.call(value);
        const items = constructor === null ? new globalThis[name](value) : value;
        look.keys = extraKeys(value, context.showHidden);
        look.isArray = true;
        look.braces[1] = ']';
        look.list = (level) => parts.typedArray(context, items, level, format);
        const isEmpty = items.length === 0 && !context.showHidden;
        return look.named(`${look.prefix(constructor === null ? name : '', `(${items.length})`)}[`, isEmpty);
    }
    for (const [test, name] of [
        [kinds.isMapIterator, 'Map'],
        [kinds.isSetIterator, 'Set'],
    ]) {
        if (!test(value)) continue;
        look.keys = ownKeys(value, context.showHidden);
        look.list = () => parts.unknown(context);
        const wanted = `${name} Iterator`;
        return look.named(`[${tag !== wanted && tag !== '' ? `${tag}] [` : ''}${wanted}] {`, false);
    }
    return undefined;
}

// Objects with internal slots that are told from each other by trying. A plain object has none.
function slotted(look, context, value, { constructor, tag, format, typed, tooDeep }) {
    if (kinds.isRegExp(value)) {
        const text = RegExp.prototype.toString.call(constructor === null ? new RegExp(value) : value);
        const prefix = look.prefix('RegExp');
        return look.asBase(prefix === 'RegExp ' ? text : prefix + text, 'regexp', tooDeep);
    }
    if (kinds.isDate(value)) {
        const isValid = !Number.isNaN(Date.prototype.getTime.call(value));
        const text = Date.prototype[isValid ? 'toISOString' : 'toString'].call(value);
        const prefix = look.prefix('Date');
        return look.asBase(prefix === 'Date ' ? text : prefix + text, 'date');
    }
    if (kinds.isError(value)) {
        const prefix = (fallback) => look.prefix(fallback);
        const { formatError } = require('internal/inspect_errors');
        return look.asBase(formatError(context, value, constructor, look.keys, prefix));
    }
    const isShared = kinds.isSharedArrayBuffer(value);
    if (isShared || kinds.isArrayBuffer(value)) {
        const prefix = look.prefix(isShared ? 'SharedArrayBuffer' : 'ArrayBuffer');
        if (!typed) look.list = () => parts.arrayBuffer(context, value);
        else if (look.isBare) {
            const length = context.stylize(numberText(value.byteLength), 'number');
            look.whole = `${prefix}{ byteLength: ${length} }`;
        }
        look.braces[0] = `${prefix}{`;
        look.keys.unshift('byteLength');
        return look;
    }
    if (kinds.isDataView(value)) {
        look.keys.unshift('byteLength', 'byteOffset', 'buffer');
        return look.named(`${look.prefix('DataView')}{`, false);
    }
    const promise = kinds.promiseDetails(value);
    if (promise !== undefined) {
        look.list = (level) => parts.promise(context, promise, level, format);
        return look.named(`${look.prefix('Promise')}{`, false);
    }
    for (const [test, name] of [
        [kinds.isWeakSet, 'WeakSet'],
        [kinds.isWeakMap, 'WeakMap'],
    ]) {
        if (!test(value)) continue;
        look.list = () => parts.unknown(context);
        return look.named(`${look.prefix(name)}{`, false);
    }
    if (kinds.isBoxed(value)) {
        const { boxedBase } = require('internal/inspect_bases');
        const base = boxedBase(context, value, look.keys, constructor, tag);
        const [, type] = /^\[(\w+)/.exec(base);
        return look.asBase(base, look.keys.length === 0 ? type.toLowerCase() : undefined);
    }
    return undefined;
}

/**
 * How an object is shown: `whole` if that is all, else `base`, `braces`, `list(depth)` for what
 * is in them before the properties `keys`, and whether that is laid out as an array's items.
 *
 * `known` has what was found out: constructor, tag, and whether properties of prototypes follow.
 */
function describe(context, value, known) {
    const { constructor, tag, tooDeep } = known;
    const look = new Look(context, value, known);
    if (Symbol.iterator in value || constructor === null) {
        const found = iterable(look, context, value, known);
        if (found !== undefined) return found;
    }
    look.keys = ownKeys(value, context.showHidden);
    if (typeof value === 'function') {
        const { functionBase } = require('internal/inspect_bases');
        return look.asBase(functionBase(value, constructor, tag), 'special');
    }
    if (constructor === 'Object' && !kinds.isError(value)) {
        if (kinds.isArguments(value)) return look.named('[Arguments] {', true);
        return look.named(tag === '' ? '{' : `${look.prefix('Object')}{`, true);
    }
    if (kinds.isModuleNamespace(value)) {
        const { keys } = look;
        look.keys = [];
        look.list = () => parts.namespace(context, value, keys, known.property);
        return look.named(`${look.prefix('Module')}{`, false);
    }
    const found = slotted(look, context, value, known);
    if (found !== undefined) return found;
    // Only what has loaded URL can have made one.
    const URL = Object.getOwnPropertyDescriptor(globalThis, 'URL')?.value;
    if (URL !== undefined && value instanceof URL && typeof value.href === 'string' && !tooDeep) {
        return look.asBase(value.href);
    }
    return look.named(`${typeName(value, constructor, tag)}{`, true);
}

module.exports = { describe };
