// Headers (WHATWG Fetch, 5.1).
'use strict';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function checkName(name) {
    name = String(name);
    if (!TOKEN.test(name)) throw new TypeError(`Headers: ${name} is an invalid header name.`);
    return name.toLowerCase();
}

function checkValue(value) {
    value = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
    if (/[\0\n\r]/.test(value) || /[^\0-\xff]/.test(value)) {
        throw new TypeError(`Headers: ${JSON.stringify(value)} is an invalid header value.`);
    }
    return value;
}

class Headers {
    // Names in lower case with the list of their values.
    #fields = new Map();

    constructor(init) {
        if (init === undefined) return;
        if (init === null || typeof init !== 'object') {
            throw new TypeError(
                'Headers constructor: Expected init to be one of: sequence<sequence<ByteString>> or record<ByteString, ByteString>.',
            );
        }
        if (typeof init[Symbol.iterator] === 'function') {
            for (const pair of init) {
                const items = [...pair];
                if (items.length !== 2)
                    throw new TypeError('Headers constructor: expected name/value pair to be length 2.');
                this.append(...items);
            }
        } else {
            for (const name of Reflect.ownKeys(init)) {
                if (Object.prototype.propertyIsEnumerable.call(init, name)) this.append(name, init[name]);
            }
        }
    }

    append(name, value) {
        [name, value] = [checkName(name), checkValue(value)];
        const values = this.#fields.get(name);
        if (values === undefined) this.#fields.set(name, [value]);
        else values.push(value);
    }

    delete(name) {
        this.#fields.delete(checkName(name));
    }
    has(name) {
        return this.#fields.has(checkName(name));
    }
    get(name) {
        const values = this.#fields.get(checkName(name));
        return values === undefined ? null : values.join(', ');
    }

    set(name, value) {
        this.#fields.set(checkName(name), [checkValue(value)]);
    }
    getSetCookie() {
        return [...(this.#fields.get('set-cookie') ?? [])];
    }

    forEach(callback, self) {
        for (const [name, value] of this) callback.call(self, value, name, this);
    }

    *entries() {
        for (const name of [...this.#fields.keys()].sort()) {
            const values = this.#fields.get(name);
            if (name === 'set-cookie') for (const value of values) yield [name, value];
            else yield [name, values.join(', ')];
        }
    }

    *keys() {
        for (const [name] of this) yield name;
    }
    *values() {
        for (const [, value] of this) yield value;
    }
    [Symbol.iterator]() {
        return this.entries();
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        return `Headers ${inspect(Object.fromEntries(this), options)}`;
    }
}
Object.defineProperty(Headers.prototype, Symbol.toStringTag, { value: 'Headers', configurable: true });

module.exports = { Headers };
