// How the parts of an object become lines: on one if they are few and short, long arrays as columns.
'use strict';

const { stringWidth, stripControl } = require('internal/inspect_text');

/** Short items of an array, side by side in columns of equal width (ragged to the right). */
function groupArray(context, output, value) {
    const more = context.maxArrayLength < output.length ? 1 : 0;
    const count = output.length - more;
    const SEPARATOR = 2;
    const widths = [];
    let total = 0;
    let longest = 0;
    for (let i = 0; i < count; i++) {
        const width = stringWidth(output[i]);
        widths.push(width);
        total += width + SEPARATOR;
        if (width > longest) longest = width;
    }
    const cell = longest + SEPARATOR;
    // Worth it if three fit in a line and they are of similar length, or all are short.
    if (cell * 3 + context.indentation >= context.breakLength) return output;
    if (total / cell <= 5 && longest > 6) return output;
    // A character is 2.5 times as high as wide: aim at a square.
    const bias = Math.max(cell - 3 - Math.sqrt(cell - total / output.length), 1);
    const columns = Math.min(
        Math.round(Math.sqrt(2.5 * bias * count) / bias),
        Math.floor((context.breakLength - context.indentation) / cell),
        context.compact * 4,
        15,
    );
    if (columns <= 1) return output;
    const columnWidths = [];
    for (let column = 0; column < columns; column++) {
        let width = 0;
        for (let j = column; j < count; j += columns) width = Math.max(width, widths[j]);
        columnWidths.push(width + SEPARATOR);
    }
    const isNumber = (item) => typeof item === 'number' || typeof item === 'bigint';
    let right = true;
    if (value !== undefined) {
        for (let i = 0; i < output.length && right; i++) right = isNumber(value[i]);
    }
    const lines = [];
    for (let i = 0; i < count; i += columns) {
        const end = Math.min(i + columns, count);
        let line = '';
        let j = i;
        for (; j < end - 1; j++) {
            const padding = columnWidths[j - i] + output[j].length - widths[j];
            const text = `${output[j]}, `;
            line += right ? text.padStart(padding) : text.padEnd(padding);
        }
        if (right) {
            line += output[j].padStart(columnWidths[j - i] + output[j].length - widths[j] - SEPARATOR);
        } else {
            line += output[j];
        }
        lines.push(line);
    }
    if (more) lines.push(output[count]);
    return lines;
}

function fits(context, output, start, base) {
    let total = output.length + start;
    if (total + output.length > context.breakLength) return false;
    for (const part of output) {
        total += context.colors ? stripControl(part).length : part.length;
        if (total > context.breakLength) return false;
    }
    return !base.includes('\n');
}

/**
 * Joins the parts of an object.
 *
 * With `compact` a number, those go on one line that fit there and have at most so many levels of
 * objects below them.
 */
function reduce(context, output, base, braces, isArray, depth, value) {
    const [open, close] = braces;
    const indent = ' '.repeat(context.indentation);
    if (context.compact === true) {
        if (fits(context, output, 0, base)) {
            return `${open}${base ? ` ${base}` : ''} ${output.join(', ')} ${close}`;
        }
        const begin = base === '' && open.length === 1 ? ' ' : `${base ? ` ${base}` : ''}\n${indent}  `;
        return `${open}${begin}${output.join(`,\n${indent}  `)} ${close}`;
    }
    const head = `${base ? `${base} ` : ''}${open}`;
    if (typeof context.compact === 'number' && context.compact >= 1) {
        const count = output.length;
        if (isArray && count > 6) output = groupArray(context, output, value);
        if (context.currentDepth - depth < context.compact && count === output.length) {
            const start = output.length + context.indentation + open.length + base.length + 10;
            if (fits(context, output, start, base)) {
                const joined = output.join(', ');
                if (!joined.includes('\n')) return `${head} ${joined} ${close}`;
            }
        }
    }
    return `${head}\n${indent}  ${output.join(`,\n${indent}  `)}\n${indent}${close}`;
}

module.exports = { reduce };
