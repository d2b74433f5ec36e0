// Errors with a code, as node's: `TypeError [ERR_INVALID_ARG_TYPE]: …`.
'use strict';

/** An error of `Type` whose `code` is shown behind its name. */
function coded(Type, code, message, properties) {
    const error = new Type(message);
    Object.defineProperty(error, 'toString', {
        value() {
            return `${this.name} [${code}]: ${this.message}`;
        },
        writable: true,
        configurable: true,
    });
    // The stack says the code as well, which inspect then does not repeat.
    Object.defineProperty(error, 'stack', {
        value: `${error.name} [${code}]: ${message}\n${withoutHead(error.stack)}`.trimEnd(),
        writable: true,
        configurable: true,
    });
    error.code = code;
    return Object.assign(error, properties);
}

function withoutHead(stack) {
    const lines = String(stack ?? '').split('\n');
    // What is above are the environment's own functions.
    return lines.filter((line) => /^\s+at /.test(line) && !line.includes('internal/errors')).join('\n');
}

function received(value) {
    if (value === null || value === undefined) return ` Received ${value}`;
    if (typeof value === 'function') return ` Received function ${value.name}`;
    if (typeof value === 'object') {
        const name = value.constructor?.name;
        if (name) return ` Received an instance of ${name}`;
        return ` Received ${require('internal/inspect').inspect(value, { depth: -1 })}`;
    }
    let text = require('internal/inspect').inspect(value, { colors: false });
    if (text.length > 28) text = `${text.slice(0, 25)}...`;
    return ` Received type ${typeof value} (${text})`;
}

function invalidArgument(name, expected, value) {
    // As "first argument", which needs no quotes.
    const kind = name.includes('.') ? 'property' : 'argument';
    const subject = name.endsWith(' argument') ? name : `"${name}" ${kind}`;
    const message = `The ${subject} must be ${expected}.${received(value)}`;
    return coded(TypeError, 'ERR_INVALID_ARG_TYPE', message);
}

function outOfRange(name, range, value) {
    const isLong = typeof value === 'bigint' || (Number.isInteger(value) && Math.abs(value) > 2 ** 32);
    const shown = require('internal/inspect').inspect(value, { numericSeparator: isLong });
    const message = `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`;
    return coded(RangeError, 'ERR_OUT_OF_RANGE', message);
}

function expectString(name, value) {
    if (typeof value !== 'string') throw invalidArgument(name, 'of type string', value);
}

function expectFunction(name, value) {
    if (typeof value !== 'function') throw invalidArgument(name, 'of type function', value);
}

module.exports = { coded, expectFunction, expectString, invalidArgument, outOfRange };
