// URLSearchParams (WHATWG URL, 5 and 6.2).
'use strict';

const { SETS, decodeBytes, encode } = require('internal/url_percent');
const { decode } = binding('encoding');
const changed = Symbol('changed');
const reset = Symbol('reset');

function parseForm(text) {
    const list = [];
    for (const part of text.split('&')) {
        if (part === '') continue;
        const equals = part.indexOf('=');
        const halves = equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
        list.push(halves.map((half) => decode('utf-8', decodeBytes(half.replaceAll('+', ' ')), false)));
    }
    return list;
}

function encodeForm(text) {
    return text
        .split(' ')
        .map((part) => encode(part, SETS.form))
        .join('+');
}

const text = (value) => String(value).toWellFormed();

function need(count, values, names) {
    if (values.length >= count) return;
    const { coded } = require('internal/errors');
    const list = names.map((name) => `"${name}"`).join(' and ');
    throw coded(
        TypeError,
        'ERR_MISSING_ARGS',
        `The ${list} argument${count > 1 ? 's' : ''} must be specified`,
    );
}

class URLSearchParams {
    #list = [];
    // The URL's function that is to be told of changes.
    [changed] = undefined;

    constructor(init) {
        Object.defineProperty(this, changed, { enumerable: false, writable: true });
        if (init === undefined || init === null) return;
        if (typeof init === 'object' || typeof init === 'function') {
            if (typeof init[Symbol.iterator] === 'function') {
                for (const pair of init) {
                    const items = typeof pair === 'object' && pair !== null ? [...pair] : [];
                    if (items.length !== 2) {
                        const { coded } = require('internal/errors');
                        const message = 'Each query pair must be an iterable [name, value] tuple';
                        throw coded(TypeError, 'ERR_INVALID_TUPLE', message);
                    }
                    this.#list.push(items.map(text));
                }
                return;
            }
            for (const key of Reflect.ownKeys(init)) {
                const descriptor = Reflect.getOwnPropertyDescriptor(init, key);
                if (!descriptor?.enumerable) continue;
                const name = text(key);
                const at = this.#list.findIndex(([other]) => other === name);
                if (at === -1) this.#list.push([name, text(init[key])]);
                else this.#list[at][1] = text(init[key]);
            }
            return;
        }
        this[reset](text(init).replace(/^\?/, ''));
    }

    [reset](query) {
        this.#list = parseForm(query);
    }

    get size() {
        return this.#list.length;
    }

    append(name, value) {
        need(2, arguments, ['name', 'value']);
        this.#list.push([text(name), text(value)]);
        this[changed]?.();
    }

    delete(name, value) {
        need(1, arguments, ['name']);
        [name, value] = [text(name), value === undefined ? undefined : text(value)];
        this.#list = this.#list.filter(
            ([key, item]) => key !== name || (value !== undefined && item !== value),
        );
        this[changed]?.();
    }

    get(name) {
        need(1, arguments, ['name']);
        name = text(name);
        return this.#list.find(([key]) => key === name)?.[1] ?? null;
    }

    getAll(name) {
        need(1, arguments, ['name']);
        name = text(name);
        return this.#list.filter(([key]) => key === name).map(([, value]) => value);
    }

    has(name, value) {
        need(1, arguments, ['name']);
        [name, value] = [text(name), value === undefined ? undefined : text(value)];
        return this.#list.some(([key, item]) => key === name && (value === undefined || item === value));
    }

    set(name, value) {
        need(2, arguments, ['name', 'value']);
        [name, value] = [text(name), text(value)];
        const first = this.#list.find(([key]) => key === name);
        if (first === undefined) {
            this.#list.push([name, value]);
        } else {
            first[1] = value;
            this.#list = this.#list.filter((pair) => pair === first || pair[0] !== name);
        }
        this[changed]?.();
    }

    sort() {
        this.#list.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
        this[changed]?.();
    }

    forEach(callback, self) {
        require('internal/errors').expectFunction('callback', callback);
        for (const [name, value] of this) callback.call(self, value, name, this);
    }

    *entries() {
        for (let i = 0; i < this.#list.length; i++) yield [...this.#list[i]];
    }

    *keys() {
        for (let i = 0; i < this.#list.length; i++) yield this.#list[i][0];
    }

    *values() {
        for (let i = 0; i < this.#list.length; i++) yield this.#list[i][1];
    }

    toString() {
        return this.#list.map((pair) => pair.map(encodeForm).join('=')).join('&');
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        if (typeof depth === 'number' && depth < 0) return options.stylize('[Object]', 'special');
        const show = (value) => inspect(value, { ...options, depth: depth === null ? null : depth - 1 });
        const pairs = this.#list.map(([name, value]) => `${show(name)} => ${show(value)}`);
        if (pairs.length === 0) return 'URLSearchParams {}';
        const line = pairs.join(', ');
        if (line.length + 20 <= options.breakLength) return `URLSearchParams { ${line} }`;
        return `URLSearchParams {\n  ${pairs.join(',\n  ')} }`;
    }
}
URLSearchParams.prototype[Symbol.iterator] = URLSearchParams.prototype.entries;
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, { enumerable: false });
Object.defineProperty(URLSearchParams.prototype, Symbol.toStringTag, {
    value: 'URLSearchParams',
    configurable: true,
});

module.exports = { URLSearchParams, changed, reset };
