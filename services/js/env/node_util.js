// util.
'use strict';

const { types } = require('internal/inspect_kinds');
const { inspect } = require('internal/inspect');
const { format, formatWithOptions } = require('internal/format');
const { stripControl } = require('internal/inspect_text');
const { coded, expectFunction, expectString, invalidArgument } = require('internal/errors');
const promisified = Symbol.for('nodejs.util.promisify.custom');
// What the callback's further values are called, in the functions of ours that have several.
const names = Symbol('names of values');

/** A function that returns a promise, for one that takes a callback (error, value). */
function promisify(original) {
    expectFunction('original', original);
    const own = original[promisified];
    if (own !== undefined) {
        expectFunction('util.promisify.custom', own);
        return Object.defineProperty(own, promisified, { value: own, configurable: true });
    }
    function made(...values) {
        return new Promise((resolve, reject) => {
            original.call(this, ...values, (error, ...results) => {
                if (error) reject(error);
                else if (original[names] === undefined) resolve(results[0]);
                else resolve(Object.fromEntries(original[names].map((name, i) => [name, results[i]])));
            });
        });
    }
    Object.setPrototypeOf(made, Object.getPrototypeOf(original));
    Object.defineProperty(made, promisified, { value: made, configurable: true });
    return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = promisified;

/** A function that takes a callback (error, value), for one that returns a promise. */
function callbackify(original) {
    expectFunction('original', original);
    function made(...values) {
        const callback = values.pop();
        expectFunction('last argument', callback);
        Promise.resolve(original.apply(this, values)).then(
            (value) => process.nextTick(callback, null, value),
            (reason) => {
                if (!reason) {
                    const message = 'Promise was rejected with a falsy value';
                    reason = coded(Error, 'ERR_FALSY_VALUE_REJECTION', message, { reason });
                }
                process.nextTick(callback, reason);
            },
        );
    }
    const length = typeof original.length === 'number' ? original.length + 1 : 1;
    const name = { value: `${original.name}Callbackified`, configurable: true };
    return Object.defineProperties(made, { length: { value: length, configurable: true }, name });
}

function inherits(constructor, parent) {
    expectFunction('ctor', constructor);
    expectFunction('superCtor', parent);
    if (parent.prototype === undefined) {
        throw invalidArgument('superCtor.prototype', 'of type object', parent.prototype);
    }
    Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

/** A function that says on standard error, once for each code, that it should not be used. */
function deprecate(original, message, code) {
    let isSaid = false;
    function deprecated(...values) {
        if (!isSaid) {
            isSaid = true;
            require('internal/warning').emitWarning(message, 'DeprecationWarning', code);
        }
        return new.target ? Reflect.construct(original, values, new.target) : original.apply(this, values);
    }
    Object.setPrototypeOf(deprecated, original);
    if (original.prototype) deprecated.prototype = original.prototype;
    return deprecated;
}

/** Prints when NODE_DEBUG names the section. */
function debuglog(section) {
    const wanted = () =>
        (process.env.NODE_DEBUG ?? '')
            .split(',')
            .some((name) => name.toLowerCase() === section.toLowerCase());
    const log = (...values) => {
        if (wanted()) process.stderr.write(`${section.toUpperCase()} ${process.pid}: ${format(...values)}\n`);
    };
    return Object.defineProperty(log, 'enabled', { get: wanted });
}

/** Text in a style of inspect.colors, or several, if the stream is a terminal with colours. */
function styleText(style, text, { validateStream = true, stream = process.stdout } = {}) {
    expectString('text', text);
    const isPlain = validateStream && !(stream.isTTY && stream.hasColors());
    let before = '';
    let after = '';
    for (const name of Array.isArray(style) ? style : [style]) {
        const codes = inspect.colors[name];
        if (codes === undefined) {
            const known = Object.keys(inspect.colors)
                .map((one) => `'${one}'`)
                .join(', ');
            const message = `The argument 'format' must be one of: ${known}. Received ${inspect(name)}`;
            throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', message);
        }
        before += `\u001b[${codes[0]}m`;
        after = `\u001b[${codes[1]}m${after}`;
    }
    return isPlain ? text : `${before}${text}${after}`;
}

module.exports = {
    callbackify,
    debug: debuglog,
    debuglog,
    deprecate,
    format,
    formatWithOptions,
    inherits,
    inspect,
    isArray: Array.isArray,
    isDeepStrictEqual: (left, right) => require('internal/equal').isDeepStrictEqual(left, right),
    parseArgs: (options) => require('internal/parse_args').parseArgs(options),
    promisify,
    stripVTControlCharacters: stripControl,
    styleText,
    toUSVString: (value) => String(value).toWellFormed(),
    types,
    get TextEncoder() {
        return require('internal/encoding').TextEncoder;
    },
    get TextDecoder() {
        return require('internal/encoding').TextDecoder;
    },
    getSystemErrorName: (number) => require('internal/system_errors').nameOf(number),
};
