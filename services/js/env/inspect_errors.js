// How util.inspect shows an error: its stack, with the class's name put in where it lacks.
'use strict';

const { isError } = require('internal/inspect_kinds');

/** The stack with its first line `name: message`, which the engine leaves out. */
function stackOf(error) {
    const stack = error.stack ? String(error.stack) : '';
    if (stack !== '' && !/^\s+at /.test(stack)) return stack.replace(/\n$/, '');
    const head = Error.prototype.toString.call(error);
    return stack === '' ? head : `${head}\n${stack.replace(/\n$/, '')}`;
}

/** Where lines of `frames` (more than three) stand in `causeFrames` as well. */
function sharedFrames(frames, causeFrames) {
    for (let i = 0; i < frames.length - 3; i++) {
        const position = causeFrames.indexOf(frames[i]);
        if (position === -1) continue;
        const most = Math.min(frames.length - i, causeFrames.length - position);
        let length = 1;
        while (length < most && frames[i + length] === causeFrames[position + length]) length++;
        if (length > 3) return { length, offset: i };
    }
    return { length: 0, offset: 0 };
}

function framesOf(context, error, stack) {
    const frames = stack.split('\n');
    let cause;
    try {
        ({ cause } = error);
    } catch {
        // A getter that throws: the error is shown without it.
    }
    if (cause !== null && cause !== undefined && isError(cause)) {
        const causeStack = stackOf(cause);
        const start = causeStack.indexOf('\n    at');
        if (start !== -1) {
            const { length, offset } = sharedFrames(frames, causeStack.slice(start + 1).split('\n'));
            if (length > 0) {
                const text = `    ... ${length - 2} lines matching cause stack trace ...`;
                frames.splice(offset + 1, length - 2, context.stylize(text, 'undefined'));
            }
        }
    }
    return frames;
}

/** Puts the constructor's name where the stack says just `Error`. */
function nameClass(stack, constructor, name, prefix) {
    let length = name.length;
    const next = stack[length];
    const isPlain =
        name.endsWith('Error') &&
        stack.startsWith(name) &&
        (next === undefined || next === ':' || next === '\n');
    if (constructor !== null && !isPlain) return stack;
    let fallback = 'Error';
    if (constructor === null) {
        const start =
            /^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n {4}at)/.exec(stack) ?? /^([a-z_A-Z0-9-]*Error)$/.exec(stack);
        fallback = start?.[1] ?? '';
        length = fallback.length;
        fallback = fallback || 'Error';
    }
    const wanted = prefix(fallback).slice(0, -1);
    if (name === wanted) return stack;
    if (!wanted.includes(name)) return `${wanted} [${name}]${stack.slice(length)}`;
    return length === 0 ? `${wanted}: ${stack}` : `${wanted}${stack.slice(length)}`;
}

/** Takes the names of properties from `keys` that the stack shows already, and adds the hidden ones. */
function chooseKeys(context, error, keys, stack) {
    if (!context.showHidden) {
        for (const name of ['name', 'message', 'stack']) {
            const index = keys.indexOf(name);
            if (index !== -1 && stack.includes(error[name])) keys.splice(index, 1);
        }
    }
    if ('cause' in error && !keys.includes('cause')) keys.push('cause');
    if (Array.isArray(error.errors) && !keys.includes('errors')) keys.push('errors');
}

/** The text of an error, without braces; `prefix(fallback)` is what precedes its class's braces. */
function formatError(context, error, constructor, keys, prefix) {
    const name = error.name === null || error.name === undefined ? 'Error' : String(error.name);
    let stack = stackOf(error);
    chooseKeys(context, error, keys, stack);
    stack = nameClass(stack, constructor, name, prefix);
    let position = (error.message && stack.indexOf(error.message)) || -1;
    if (position !== -1) position += error.message.length;
    const start = stack.indexOf('\n    at', position);
    if (start === -1) {
        stack = `[${stack}]`;
    } else {
        const lines = framesOf(context, error, stack.slice(start + 1));
        const grey = (line) =>
            context.colors && /^ {4}at (?:[^/\\(]+ \(|)node:(.+):\d+:\d+\)?$/.test(line)
                ? context.stylize(line, 'undefined')
                : line;
        stack = `${stack.slice(0, start)}\n${lines.map(grey).join('\n')}`;
    }
    if (context.indentation === 0) return stack;
    return stack.replaceAll('\n', `\n${' '.repeat(context.indentation)}`);
}

/** The lines of a stack without its first, which the engine leaves out anyway. */
function framesIn(stack) {
    return stack
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .join('\n');
}

module.exports = { formatError, framesIn, stackOf };
