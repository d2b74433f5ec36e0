// console, and the class Console for other streams.
'use strict';

const { write, hasColors } = binding('console');

const direct = {
    1: { write: (text) => write(1, text.toWellFormed()), colors: undefined },
    2: { write: (text) => write(2, text.toWellFormed()), colors: undefined },
};
const isColored = (stream) => Boolean(stream.isTTY && (stream.getColorDepth?.() ?? 1) > 1);

function warning(text) {
    require('internal/warning').emitWarning(text);
}

function duration(milliseconds) {
    const pad = (number) => String(number).padStart(2, '0');
    if (milliseconds < 1000) return `${Number(milliseconds.toFixed(3))}ms`;
    if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(3)}s`;
    const hours = Math.floor(milliseconds / 3_600_000);
    const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
    const [seconds, rest] = ((milliseconds % 60_000) / 1000).toFixed(3).split('.');
    const head = hours !== 0 ? `${hours}:${pad(minutes)}` : minutes;
    return `${head}:${pad(seconds)}.${rest} (${hours !== 0 ? 'h:m' : ''}m:ss.mmm)`;
}

class State {
    constructor({ stdout, stderr = stdout, colorMode = 'auto', inspectOptions, groupIndentation = 2 }) {
        this.streams = { 1: stdout, 2: stderr };
        this.colorMode = colorMode;
        this.inspectOptions = inspectOptions;
        this.step = ' '.repeat(groupIndentation);
        this.indent = '';
        this.counts = new Map();
        this.times = new Map();
    }

    options(fd) {
        let colors = this.colorMode;
        if (colors === 'auto') {
            const stream = this.streams[fd];
            if (stream === undefined) colors = direct[fd].colors ??= hasColors(fd);
            else colors = isColored(stream);
        }
        return { colors, ...this.inspectOptions };
    }

    /** Values as one line; util.format is not loaded for plain text. */
    text(fd, values) {
        const [first] = values;
        const isPlain =
            (values.length === 1 && typeof first === 'string') ||
            (values.every((value) => typeof value === 'string') && !first?.includes('%'));
        if (isPlain) return values.join(' ');
        return require('internal/format').formatWithOptions(this.options(fd), ...values);
    }

    write(fd, text) {
        if (this.indent !== '') text = this.indent + text.replaceAll('\n', `\n${this.indent}`);
        // The program may have put a function of its own in the place of process.stdout.write.
        const stream = this.streams[fd] ?? require.shared.streams[fd] ?? direct[fd];
        try {
            stream.write(`${text}\n`);
        } catch (error) {
            // As node: nobody reads any more, which is no reason to end.
            if (error.code !== 'EPIPE') throw error;
        }
    }

    print(fd, values) {
        this.write(fd, this.text(fd, values));
    }
}

function elapsed(state, label, name, values) {
    const start = state.times.get(label);
    if (start === undefined) {
        warning(`No such label '${label}' for console.${name}()`);
        return;
    }
    state.print(1, ['%s: %s', label, duration(performance.now() - start), ...values]);
}

function methodsOf(state) {
    const log = (...values) => state.print(1, values);
    const error = (...values) => state.print(2, values);
    const methods = {
        log,
        warn: error,
        dir(value, options) {
            const { inspect } = require('internal/inspect');
            state.write(1, inspect(value, { customInspect: false, ...state.options(1), ...options }));
        },
        time(label = 'default') {
            label = `${label}`;
            if (state.times.has(label)) warning(`Label '${label}' already exists for console.time()`);
            else state.times.set(label, performance.now());
        },
        timeEnd(label = 'default') {
            label = `${label}`;
            elapsed(state, label, 'timeEnd', []);
            state.times.delete(label);
        },
        timeLog(label = 'default', ...values) {
            elapsed(state, `${label}`, 'timeLog', values);
        },
        trace(...values) {
            const message = state.text(2, values);
            const frames = {};
            Error.captureStackTrace(frames, methods.trace);
            const { framesIn } = require('internal/inspect_errors');
            const head = message === '' ? 'Trace' : `Trace: ${message}`;
            state.write(2, `${head}\n${framesIn(frames.stack)}`.trimEnd());
        },
        assert(condition, ...values) {
            if (condition) return;
            values[0] = `Assertion failed${values.length === 0 ? '' : `: ${values[0]}`}`;
            methods.warn(...values);
        },
        clear() {
            if (hasColors(1)) write(1, '\u001b[1;1H\u001b[0J');
        },
        count(label = 'default') {
            label = `${label}`;
            const count = (state.counts.get(label) ?? 0) + 1;
            state.counts.set(label, count);
            methods.log(`${label}: ${count}`);
        },
        countReset(label = 'default') {
            if (!state.counts.delete(`${label}`)) warning(`Count for '${label}' does not exist`);
        },
        group(...values) {
            if (values.length > 0) methods.log(...values);
            state.indent += state.step;
        },
        groupEnd() {
            state.indent = state.indent.slice(0, state.indent.length - state.step.length);
        },
        table(data, properties) {
            if (data === null || typeof data !== 'object') methods.log(data);
            else methods.log(require('internal/table').table(data, properties, state.options(1)));
        },
        debug: log,
        info: log,
        dirxml: log,
        error,
        groupCollapsed(...values) {
            methods.group(...values);
        },
    };
    return methods;
}

class Console {
    constructor(options, stderr, ignoreErrors) {
        if (typeof options?.write === 'function') options = { stdout: options, stderr, ignoreErrors };
        if (typeof options?.stdout?.write !== 'function') {
            throw new TypeError('Console expects a writable stream instance for stdout');
        }
        Object.assign(this, methodsOf(new State(options)));
    }
}

const console = methodsOf(new State({}));
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
Object.defineProperty(console, 'Console', { value: Console, writable: true, configurable: true });

module.exports = console;
