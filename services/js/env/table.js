// console.table: rows and columns in a frame.
'use strict';

const { inspect } = require('internal/inspect');
const { stringWidth } = require('internal/inspect_text');

const INDEX = '(index)';
const ITERATION = '(iteration index)';
const VALUES = 'Values';

function draw(head, columns) {
    const height = Math.max(...columns.map((column) => column.length));
    const cell = (column, row) => (Object.hasOwn(column, row) ? column[row] : '');
    const widths = head.map((title, i) => {
        let width = stringWidth(title);
        for (let row = 0; row < height; row++) width = Math.max(width, stringWidth(cell(columns[i], row)));
        return width;
    });
    const line = (cells) =>
        `│ ${cells.map((text, i) => text + ' '.repeat(widths[i] - stringWidth(text))).join(' │ ')} │\n`;
    const rule = (left, middle, right) =>
        left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
    let text = `${rule('┌', '┬', '┐')}\n${line(head)}${rule('├', '┼', '┤')}\n`;
    for (let row = 0; row < height; row++) text += line(columns.map((column) => cell(column, row)));
    return text + rule('└', '┴', '┘');
}

/** The table as text; `properties`: which columns. */
function table(data, properties, options) {
    const show = (value) => {
        const isList = Array.isArray(value) || ArrayBuffer.isView(value);
        const isLarge =
            value !== null && typeof value === 'object' && !isList && Object.keys(value).length > 2;
        return inspect(value, {
            depth: isLarge ? -1 : 0,
            maxArrayLength: 3,
            breakLength: Infinity,
            ...options,
        });
    };
    if (data instanceof Map) {
        const keys = [...data.keys()].map(show);
        return draw(
            [ITERATION, 'Key', VALUES],
            [keys.map((_, i) => show(i)), keys, [...data.values()].map(show)],
        );
    }
    if (data instanceof Set) {
        const values = [...data].map(show);
        return draw([ITERATION, VALUES], [values.map((_, i) => show(i)), values]);
    }
    const columns = { __proto__: null };
    const values = [];
    const rows = Object.keys(data);
    rows.forEach((row, i) => {
        const item = data[row];
        const isPrimitive = item === null || (typeof item !== 'object' && typeof item !== 'function');
        if (properties === undefined && isPrimitive) {
            values[i] = show(item);
            return;
        }
        for (const key of properties ?? Object.keys(item)) {
            columns[key] ??= [];
            columns[key][i] = isPrimitive || !Object.hasOwn(item, key) ? '' : show(item[key]);
        }
    });
    const head = [INDEX, ...Object.keys(columns)];
    const parts = [rows, ...Object.values(columns)];
    if (values.length > 0) {
        head.push(VALUES);
        parts.push(values);
    }
    return draw(head, parts);
}

module.exports = { table };
