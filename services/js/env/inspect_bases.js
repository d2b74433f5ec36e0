// Functions, classes and boxed primitives in square brackets, as util.inspect shows them.
'use strict';

const kinds = require('internal/inspect_kinds');
const { primitive } = require('internal/inspect_text');

const COMMENTS = /(\/\/.*?\n)|(\/\*(.|\n)*?\*\/)/g;

function isClass(source) {
    if (!source.startsWith('class') || !source.endsWith('}')) return false;
    const rest = source.slice(5, -1);
    const brace = rest.indexOf('{');
    if (brace === -1) return false;
    return !rest.slice(0, brace).includes('(') || /^(\s+[^(]*?)\s*{/.test(rest.replace(COMMENTS, ''));
}

function classBase(value, constructor, tag) {
    const name = (Object.hasOwn(value, 'name') && value.name) || '(anonymous)';
    let base = `class ${name}`;
    if (constructor !== 'Function' && constructor !== null) base += ` [${constructor}]`;
    if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
    if (constructor === null) base += ' extends [null prototype]';
    else {
        const parent = Object.getPrototypeOf(value).name;
        if (parent) base += ` extends ${parent}`;
    }
    return `[${base}]`;
}

/** `[Function: name]`, `[class Name extends Parent]`. */
function functionBase(value, constructor, tag) {
    if (isClass(Function.prototype.toString.call(value))) return classBase(value, constructor, tag);
    let type = 'Function';
    if (kinds.isGeneratorFunction(value)) type = `Generator${type}`;
    if (kinds.isAsyncFunction(value)) type = `Async${type}`;
    let base = `[${type}`;
    if (constructor === null) base += ' (null prototype)';
    base += value.name === '' ? ' (anonymous)' : `: ${value.name}`;
    base += ']';
    if (constructor !== type && constructor !== null) base += ` ${constructor}`;
    if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
    return base;
}

const BOXES = [
    ['Number', kinds.isNumberObject, Number.prototype.valueOf],
    ['String', kinds.isStringObject, String.prototype.valueOf],
    ['Boolean', kinds.isBooleanObject, Boolean.prototype.valueOf],
    ['BigInt', kinds.isBigIntObject, BigInt.prototype.valueOf],
    ['Symbol', kinds.isSymbolObject, Symbol.prototype.valueOf],
];

/** `[Number: 3]`; a string's characters are taken from `keys`. */
function boxedBase(context, value, keys, constructor, tag) {
    const [type, , valueOf] = BOXES.find(([, test]) => test(value));
    const inner = valueOf.call(value);
    if (type === 'String') keys.splice(0, inner.length);
    let base = `[${type}`;
    if (type !== constructor) base += constructor === null ? ' (null prototype)' : ` (${constructor})`;
    base += `: ${primitive(inner, context, (text) => text)}]`;
    if (tag !== '' && tag !== constructor) base += ` [${tag}]`;
    return base;
}

module.exports = { boxedBase, functionBase };
