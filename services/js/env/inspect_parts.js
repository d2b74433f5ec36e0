// The parts of built-in objects as util.inspect lists them: items, entries, states.
'use strict';

const { typedArrayName } = require('internal/inspect_kinds');
const { bigintText, numberText } = require('internal/inspect_text');

const remaining = (count) => `... ${count} more item${count > 1 ? 's' : ''}`;
const limit = (context, length) => Math.min(Math.max(0, context.maxArrayLength), length);

/** An array with holes from index `i` on. */
function sparse(context, value, depth, most, output, i, property) {
    const keys = Object.keys(value);
    let index = i;
    const hole = (count) =>
        output.push(context.stylize(`<${count} empty item${count > 1 ? 's' : ''}>`, 'undefined'));
    for (; i < keys.length && output.length < most; i++) {
        const key = keys[i];
        if (!/^(0|[1-9][0-9]*)$/.test(key) || +key > 2 ** 32 - 2) break;
        if (String(index) !== key) {
            hole(+key - index);
            index = +key;
            if (output.length === most) break;
        }
        output.push(property(value, key));
        index++;
    }
    const rest = value.length - index;
    if (rest > 0) {
        if (output.length === most) output.push(remaining(rest));
        else hole(rest);
    }
    return output;
}

function array(context, value, depth, property) {
    const most = limit(context, value.length);
    const output = [];
    for (let i = 0; i < most; i++) {
        if (!Object.hasOwn(value, i)) return sparse(context, value, depth, most, output, i, property);
        output.push(property(value, String(i)));
    }
    if (value.length > most) output.push(remaining(value.length - most));
    return output;
}

function typedArray(context, value, depth, format) {
    const { length } = value;
    const most = limit(context, length);
    const big = /^Big/.test(typedArrayName.call(value));
    const text = big ? bigintText : numberText;
    const style = big ? 'bigint' : 'number';
    const output = [];
    for (let i = 0; i < most; i++) {
        output.push(context.stylize(text(value[i], context.numericSeparator), style));
    }
    if (length > most) output.push(remaining(length - most));
    if (context.showHidden) {
        context.indentation += 2;
        for (const key of ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer']) {
            output.push(`[${key}]: ${format(value[key], depth, true)}`);
        }
        context.indentation -= 2;
    }
    return output;
}

function collected(context, iterable, size, text) {
    const most = limit(context, size);
    const output = [];
    context.indentation += 2;
    for (const item of iterable) {
        if (output.length >= most) break;
        output.push(text(item));
    }
    context.indentation -= 2;
    if (size > most) output.push(remaining(size - most));
    return output;
}

const setSize = Object.getOwnPropertyDescriptor(Set.prototype, 'size').get;
const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get;

function set(context, value, depth, format) {
    const items = Set.prototype.values.call(value);
    return collected(context, items, setSize.call(value), (item) => format(item, depth));
}

function map(context, value, depth, format) {
    const entries = Map.prototype.entries.call(value);
    return collected(
        context,
        entries,
        mapSize.call(value),
        ([key, item]) => `${format(key, depth)} => ${format(item, depth)}`,
    );
}

function arrayBuffer(context, value) {
    let bytes;
    try {
        bytes = new Uint8Array(value);
    } catch {
        return [context.stylize('(detached)', 'special')];
    }
    const most = limit(context, bytes.length);
    let text = bytes
        .subarray(0, most)
        .toHex()
        .replace(/(..)(?=.)/g, '$1 ');
    const rest = bytes.length - most;
    if (rest > 0) text += ` ... ${rest} more byte${rest > 1 ? 's' : ''}`;
    return [`${context.stylize('[Uint8Contents]', 'special')}: <${text}>`];
}

function promise(context, [state, result], depth, format) {
    if (state === 'pending') return [context.stylize('<pending>', 'special')];
    context.indentation += 2;
    const text = format(result, depth);
    context.indentation -= 2;
    return [state === 'rejected' ? `${context.stylize('<rejected>', 'special')} ${text}` : text];
}

/** The exports of a module, of which some may not have a value yet. */
function namespace(context, value, keys, property) {
    return keys.map((key) => {
        try {
            return property(value, key);
        } catch (error) {
            if (!(error instanceof ReferenceError)) throw error;
            const name = property({ [key]: '' }, key);
            const uninitialized = context.stylize('<uninitialized>', 'special');
            return name.slice(0, name.lastIndexOf(' ') + 1) + uninitialized;
        }
    });
}

const unknown = (context) => [context.stylize('<items unknown>', 'special')];

module.exports = { array, arrayBuffer, map, namespace, promise, set, typedArray, unknown };
