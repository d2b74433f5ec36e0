// util.parseArgs: a program's words as options and positionals.
'use strict';

const { coded } = require('internal/errors');

function refuse(code, message) {
    return coded(TypeError, `ERR_PARSE_ARGS_${code}`, message);
}

function parseArgs({
    args = process.argv.slice(2),
    options = {},
    strict = true,
    allowPositionals = !strict,
} = {}) {
    const values = { __proto__: null };
    const positionals = [];
    const store = (name, value, shown) => {
        const option = options[name];
        if (strict && option === undefined) {
            throw refuse('UNKNOWN_OPTION', `Unknown option '${shown}'`);
        }
        if (strict && option.type === 'string' && typeof value !== 'string') {
            throw refuse('INVALID_OPTION_VALUE', `Option '${shown} <value>' argument missing`);
        }
        if (strict && option.type === 'boolean' && typeof value === 'string') {
            throw refuse('INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
        }
        if (option?.multiple) (values[name] ??= []).push(value);
        else values[name] = value;
    };
    const rest = [...args];
    while (rest.length > 0) {
        const word = rest.shift();
        if (word === '--') {
            positionals.push(...rest.splice(0));
        } else if (word.startsWith('--')) {
            const equals = word.indexOf('=');
            const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
            if (equals !== -1) store(name, word.slice(equals + 1), `--${name}`);
            else if (options[name]?.type === 'string' && rest.length > 0)
                store(name, rest.shift(), `--${name}`);
            else store(name, true, `--${name}`);
        } else if (word.startsWith('-') && word !== '-') {
            for (let i = 1; i < word.length; i++) {
                const letter = word[i];
                const name = Object.keys(options).find((one) => options[one].short === letter) ?? letter;
                if (options[name]?.type !== 'string') {
                    store(name, true, `-${letter}`);
                    continue;
                }
                if (i + 1 < word.length) store(name, word.slice(i + 1), `-${letter}`);
                else store(name, rest.shift(), `-${letter}`);
                break;
            }
        } else {
            if (!allowPositionals) {
                const message = `Unexpected argument '${word}'. This command does not take positional arguments`;
                throw refuse('UNEXPECTED_POSITIONAL', message);
            }
            positionals.push(word);
        }
    }
    for (const [name, option] of Object.entries(options)) {
        if (option.default !== undefined && values[name] === undefined) values[name] = option.default;
    }
    return { values, positionals };
}

module.exports = { parseArgs };
