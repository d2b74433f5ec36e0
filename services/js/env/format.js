// util.format: %s %d %i %f %j %o %O %c, and values behind each other.
'use strict';

const { inspect } = require('internal/inspect');
const { bigintText, numberText } = require('internal/inspect_text');
const { proxyDetails } = require('internal/inspect_kinds');
const { builtIn } = require('internal/inspect_names');

/** Whether String(value) would only say `[object Object]` or the like. */
function hasBuiltInToString(value) {
    for (let proxy = proxyDetails(value); proxy !== undefined; proxy = proxyDetails(value)) {
        if (proxy === null) return true;
        [value] = proxy;
    }
    const hasToString = typeof value.toString === 'function';
    const hasPrimitive = typeof value[Symbol.toPrimitive] === 'function';
    if (!hasToString && !hasPrimitive) return true;
    const defines = (object) =>
        (hasToString && Object.hasOwn(object, 'toString')) ||
        (hasPrimitive && Object.hasOwn(object, Symbol.toPrimitive));
    if (defines(value)) return false;
    do value = Object.getPrototypeOf(value);
    while (!defines(value));
    const constructor = Object.getOwnPropertyDescriptor(value, 'constructor')?.value;
    return typeof constructor === 'function' && builtIn.has(constructor.name);
}

function stringify(value) {
    try {
        return JSON.stringify(value);
    } catch (error) {
        if (error instanceof TypeError && /circular/.test(error.message)) return '[Circular]';
        throw error;
    }
}

// %c, a style for browsers, shows nothing.
const DIRECTIVES = 'sdifjoOc';

function directive(letter, value, options) {
    const separator = options?.numericSeparator;
    const number = (convert) => {
        if (typeof value === 'bigint') return bigintText(value, separator);
        return typeof value === 'symbol' ? 'NaN' : numberText(convert(value), separator);
    };
    switch (letter) {
        case 's':
            if (typeof value === 'number') return numberText(value, separator);
            if (typeof value === 'bigint') return bigintText(value, separator);
            if (typeof value !== 'object' || value === null || !hasBuiltInToString(value)) {
                return String(value);
            }
            return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
        case 'd':
            return number(Number);
        case 'i':
            return number(Number.parseInt);
        case 'f':
            return typeof value === 'symbol' ? 'NaN' : numberText(Number.parseFloat(value), separator);
        case 'j':
            return stringify(value);
        case 'o':
            return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
        case 'O':
            return inspect(value, options);
        default:
            return '';
    }
}

function formatAll(options, values) {
    const [first] = values;
    let next = 0;
    let text = '';
    let join = '';
    if (typeof first === 'string') {
        if (values.length === 1) return first;
        let last = 0;
        for (let i = first.indexOf('%'); i !== -1 && i < first.length - 1; i = first.indexOf('%', i)) {
            const letter = first[i + 1];
            if (letter === '%') {
                text += first.slice(last, i + 1);
                last = i + 2;
            } else if (next + 1 < values.length && DIRECTIVES.includes(letter)) {
                text += first.slice(last, i) + directive(letter, values[++next], options);
                last = i + 2;
            }
            i += 2;
        }
        if (last !== 0) {
            text += first.slice(last);
            next++;
            join = ' ';
        }
    }
    for (; next < values.length; next++) {
        const value = values[next];
        text += join + (typeof value === 'string' ? value : inspect(value, options));
        join = ' ';
    }
    return text;
}

/** Values as one text; the first may be a format. */
function format(...values) {
    return formatAll(undefined, values);
}

/** The same with options for inspect. */
function formatWithOptions(options, ...values) {
    return formatAll(options, values);
}

module.exports = { format, formatWithOptions };
