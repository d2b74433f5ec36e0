// process.emitWarning: a line on standard error, unless the program listens for warnings.
'use strict';

const { write } = binding('console');
const shown = new Set();

function emitWarning(warning, options, code) {
    let type = 'Warning';
    if (typeof options === 'string') type = options;
    else if (options) ({ type = 'Warning', code } = options);
    if (!(warning instanceof Error)) {
        const text = String(warning);
        warning = new Error(text);
        Object.defineProperty(warning, 'name', { value: type, writable: true, configurable: true });
    }
    if (code !== undefined) warning.code = code;
    const listeners = require.shared.process?.listenerCount('warning') ?? 0;
    if (listeners > 0) {
        queueMicrotask(() => require.shared.process.emit('warning', warning));
        return;
    }
    if (warning.name === 'DeprecationWarning') {
        if (shown.has(code)) return;
        shown.add(code);
    }
    const mark = warning.code === undefined ? '' : `[${warning.code}] `;
    write(2, `(node) ${mark}${warning.name}: ${warning.message}\n`.toWellFormed());
}

module.exports = { emitWarning };
