// How util.inspect writes what has no parts: strings, numbers, bigints, symbols, names of properties.
'use strict';

const ESCAPED =
    /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const ESCAPED_ALL = new RegExp(ESCAPED.source, 'g');
const SHORT = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 39: "\\'", 92: '\\\\' };
const IDENTIFIER = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
// A string shorter than this is never split at its newlines.
const MIN_LINE_LENGTH = 16;
const CONTROL_SEQUENCE =
    /[\u001B\u009B][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?(?:\u0007|\u001B\u005C|\u009C))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g;

function escapeCharacter(character) {
    const code = character.charCodeAt(0);
    if (SHORT[code] !== undefined) return SHORT[code];
    if (code < 0xa0) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
    return `\\u${code.toString(16)}`;
}

/** A string as a literal: in single quotes, or those that need no escape. */
function quote(text) {
    let mark = "'";
    if (text.includes("'")) {
        if (!text.includes('"')) mark = '"';
        else if (!text.includes('`') && !text.includes('${')) mark = '`';
    }
    if (ESCAPED.test(text)) {
        text = text.replace(ESCAPED_ALL, (character) =>
            character === "'" && mark !== "'" ? character : escapeCharacter(character),
        );
    }
    return mark + text + mark;
}

/** Without the sequences that colour a terminal. */
function stripControl(text) {
    return text.includes('\u001b') || text.includes('\u009b') ? text.replace(CONTROL_SEQUENCE, '') : text;
}

function isZeroWidth(code) {
    return (
        code <= 0x1f ||
        (code >= 0x7f && code <= 0x9f) ||
        (code >= 0x300 && code <= 0x36f) ||
        (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x20d0 && code <= 0x20ff) ||
        (code >= 0xfe00 && code <= 0xfe0f) ||
        (code >= 0xfe20 && code <= 0xfe2f) ||
        (code >= 0xe0100 && code <= 0xe01ef)
    );
}

// East Asian wide and full-width characters, and pictographs (Unicode UAX 11).
const WIDE = [
    [0x1100, 0x115f],
    [0x231a, 0x231b],
    [0x2329, 0x232a],
    [0x23e9, 0x23ec],
    [0x23f0, 0x23f0],
    [0x23f3, 0x23f3],
    [0x25fd, 0x25fe],
    [0x2614, 0x2615],
    [0x2648, 0x2653],
    [0x267f, 0x267f],
    [0x2693, 0x2693],
    [0x26a1, 0x26a1],
    [0x26aa, 0x26ab],
    [0x26bd, 0x26be],
    [0x26c4, 0x26c5],
    [0x26ce, 0x26ce],
    [0x26d4, 0x26d4],
    [0x26ea, 0x26ea],
    [0x26f2, 0x26f3],
    [0x26f5, 0x26f5],
    [0x26fa, 0x26fa],
    [0x26fd, 0x26fd],
    [0x2705, 0x2705],
    [0x270a, 0x270b],
    [0x2728, 0x2728],
    [0x274c, 0x274c],
    [0x274e, 0x274e],
    [0x2753, 0x2755],
    [0x2757, 0x2757],
    [0x2795, 0x2797],
    [0x27b0, 0x27b0],
    [0x27bf, 0x27bf],
    [0x2b1b, 0x2b1c],
    [0x2b50, 0x2b50],
    [0x2b55, 0x2b55],
    [0x2e80, 0x303e],
    [0x3041, 0x3247],
    [0x3250, 0x4dbf],
    [0x4e00, 0xa4c6],
    [0xa960, 0xa97c],
    [0xac00, 0xd7a3],
    [0xf900, 0xfaff],
    [0xfe10, 0xfe19],
    [0xfe30, 0xfe6b],
    [0xff01, 0xff60],
    [0xffe0, 0xffe6],
    [0x16fe0, 0x18aff],
    [0x1b000, 0x1b2fb],
    [0x1f004, 0x1f004],
    [0x1f0cf, 0x1f0cf],
    [0x1f18e, 0x1f18e],
    [0x1f191, 0x1f19a],
    [0x1f200, 0x1f320],
    [0x1f32d, 0x1f335],
    [0x1f337, 0x1f37c],
    [0x1f37e, 0x1f393],
    [0x1f3a0, 0x1f3ca],
    [0x1f3cf, 0x1f3d3],
    [0x1f3e0, 0x1f3f0],
    [0x1f3f4, 0x1f3f4],
    [0x1f3f8, 0x1f43e],
    [0x1f440, 0x1f440],
    [0x1f442, 0x1f4fc],
    [0x1f4ff, 0x1f53d],
    [0x1f54b, 0x1f54e],
    [0x1f550, 0x1f567],
    [0x1f57a, 0x1f57a],
    [0x1f595, 0x1f596],
    [0x1f5a4, 0x1f5a4],
    [0x1f5fb, 0x1f64f],
    [0x1f680, 0x1f6c5],
    [0x1f6cc, 0x1f6cc],
    [0x1f6d0, 0x1f6d2],
    [0x1f6d5, 0x1f6d7],
    [0x1f6dc, 0x1f6df],
    [0x1f6eb, 0x1f6ec],
    [0x1f6f4, 0x1f6fc],
    [0x1f7e0, 0x1f7eb],
    [0x1f7f0, 0x1f7f0],
    [0x1f90c, 0x1f93a],
    [0x1f93c, 0x1f945],
    [0x1f947, 0x1f9ff],
    [0x1fa70, 0x1faff],
    [0x20000, 0x3fffd],
];

/** How many columns of a terminal a string takes. */
function stringWidth(text) {
    text = stripControl(text);
    if (/^[\x20-\x7e]*$/.test(text)) return text.length;
    let width = 0;
    for (const character of text.normalize('NFC')) {
        const code = character.codePointAt(0);
        if (code >= 0x1100 && WIDE.some(([first, last]) => code >= first && code <= last)) width += 2;
        else if (!isZeroWidth(code)) width++;
    }
    return width;
}

function groupDigits(digits) {
    return digits.replace(/(\d)(?=(\d{3})+$)/g, '$1_');
}

function groupFraction(digits) {
    return digits.replace(/(\d{3})(?=\d)/g, '$1_');
}

function numberText(number, separator) {
    if (Object.is(number, -0)) return '-0';
    const text = String(number);
    if (!separator || !Number.isFinite(number) || text.includes('e')) return text;
    const [integer, fraction] = text.split('.');
    return groupDigits(integer) + (fraction === undefined ? '' : `.${groupFraction(fraction)}`);
}

function bigintText(bigint, separator) {
    return `${separator ? groupDigits(String(bigint)) : bigint}n`;
}

function primitive(value, context, stylize = context.stylize) {
    switch (typeof value) {
        case 'string': {
            let rest = '';
            if (value.length > context.maxStringLength) {
                const more = value.length - context.maxStringLength;
                value = value.slice(0, context.maxStringLength);
                rest = `... ${more} more character${more > 1 ? 's' : ''}`;
            }
            const room = context.breakLength - context.indentation - 4;
            if (context.compact !== true && value.length > MIN_LINE_LENGTH && value.length > room) {
                const lines = value.split(/(?<=\n)/).map((line) => stylize(quote(line), 'string'));
                return lines.join(` +\n${' '.repeat(context.indentation + 2)}`) + rest;
            }
            return stylize(quote(value), 'string') + rest;
        }
        case 'number':
            return stylize(numberText(value, context.numericSeparator), 'number');
        case 'bigint':
            return stylize(bigintText(value, context.numericSeparator), 'bigint');
        case 'symbol':
            return stylize(Symbol.prototype.toString.call(value), 'symbol');
        default:
            return stylize(String(value), typeof value);
    }
}

/** The name of a property as it stands before the colon. */
function propertyName(key, enumerable, stylize) {
    if (typeof key === 'symbol') {
        const text = Symbol.prototype.toString.call(key).replace(ESCAPED_ALL, escapeCharacter);
        return `[${stylize(text, 'symbol')}]`;
    }
    if (key === '__proto__') return "['__proto__']";
    if (!enumerable) return `[${key.replace(ESCAPED_ALL, escapeCharacter)}]`;
    if (IDENTIFIER.test(key)) return stylize(key, 'name');
    return stylize(quote(key), 'string');
}

module.exports = { bigintText, numberText, primitive, propertyName, quote, stringWidth, stripControl };
