// URL (WHATWG URL, 6.1).
'use strict';

const parser = require('internal/url_parser');
const { URLSearchParams, changed, reset } = require('internal/search_params');
const { SETS, encode } = require('internal/url_percent');
const { parseHost } = require('internal/url_host');
const { coded } = require('internal/errors');

function invalid(input, base) {
    const more = base === undefined ? { input } : { input, base };
    return coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL', more);
}

function parseWith(input, base) {
    let record;
    if (base !== undefined) {
        record = parser.parse(base);
        if (record === null) return null;
    }
    return parser.parse(input, record);
}

const text = (value) => String(value).toWellFormed();

class URL {
    #record;
    #params;

    constructor(input, base) {
        if (arguments.length === 0)
            throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
        const [wanted, below] = [text(input), base === undefined ? undefined : text(base)];
        const record = parseWith(wanted, below);
        if (record === null) throw invalid(wanted, below);
        this.#record = record;
    }

    static canParse(input, base) {
        return parseWith(text(input), base === undefined ? undefined : text(base)) !== null;
    }

    static parse(input, base) {
        return URL.canParse(input, base) ? new URL(input, base) : null;
    }

    static createObjectURL() {
        throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'URL.createObjectURL() is not implemented');
    }

    get href() {
        return parser.serialize(this.#record);
    }
    set href(value) {
        const record = parser.parse(text(value));
        if (record === null) throw invalid(text(value));
        this.#record = record;
        this.#params?.[reset](record.query ?? '');
    }

    get origin() {
        const { protocol, host, port, path } = this.#record;
        if (protocol === 'blob:' && typeof path === 'string') {
            const inner = parser.parse(path);
            return inner !== null && /^https?:$/.test(inner.protocol) ? new URL(path).origin : 'null';
        }
        if (!parser.isSpecial(this.#record) || protocol === 'file:') return 'null';
        return `${protocol}//${host}${port === null ? '' : `:${port}`}`;
    }

    get protocol() {
        return this.#record.protocol;
    }
    set protocol(value) {
        const match = /^([A-Za-z][A-Za-z0-9+.-]*)(?::|$)/.exec(text(value).replace(/[\t\n\r]/g, ''));
        if (match === null) return;
        const protocol = `${match[1].toLowerCase()}:`;
        const record = this.#record;
        if (protocol in parser.SPECIAL !== parser.isSpecial(record)) return;
        const hasMore = record.username !== '' || record.password !== '' || record.port !== null;
        if (protocol === 'file:' && hasMore) return;
        if (record.protocol === 'file:' && record.host === '') return;
        record.protocol = protocol;
        if (record.port === parser.SPECIAL[protocol]) record.port = null;
    }

    get username() {
        return this.#record.username;
    }
    set username(value) {
        if (this.#hasAuthority()) this.#record.username = encode(text(value), SETS.userinfo);
    }

    get password() {
        return this.#record.password;
    }
    set password(value) {
        if (this.#hasAuthority()) this.#record.password = encode(text(value), SETS.userinfo);
    }

    #hasAuthority() {
        const { host, protocol } = this.#record;
        return host !== null && host !== '' && protocol !== 'file:';
    }

    get host() {
        const { host, port } = this.#record;
        return host === null ? '' : host + (port === null ? '' : `:${port}`);
    }

    set host(value) {
        this.#setHost(text(value), true);
    }

    get hostname() {
        return this.#record.host ?? '';
    }
    set hostname(value) {
        this.#setHost(text(value), false);
    }

    #setHost(value, withPort) {
        const record = this.#record;
        if (typeof record.path === 'string') return;
        const isSpecial = parser.isSpecial(record);
        value = value.replace(/[\t\n\r]/g, '');
        const end = value.search(isSpecial ? /[/\\?#]/ : /[/?#]/);
        if (end !== -1) value = value.slice(0, end);
        let [name, port] = [value, ''];
        if (record.protocol !== 'file:') {
            [name, port] = parser.splitPort(value);
            if (!withPort && name !== value) return;
        }
        const hasMore = record.username !== '' || record.password !== '' || record.port !== null;
        if (name === '') {
            if (isSpecial && record.protocol !== 'file:') return;
            if (hasMore || value.startsWith(':')) return;
        }
        const host = name === '' ? '' : parseHost(name, !isSpecial);
        if (host === null) return;
        record.host = record.protocol === 'file:' && host === 'localhost' ? '' : host;
        const digits = /^\d*/.exec(port)[0];
        if (withPort && digits !== '') parser.setPort(record, digits);
    }

    get port() {
        return this.#record.port === null ? '' : String(this.#record.port);
    }
    set port(value) {
        if (!this.#hasAuthority()) return;
        value = text(value).replace(/[\t\n\r]/g, '');
        if (value === '') this.#record.port = null;
        else parser.setPort(this.#record, /^\d*/.exec(value)[0]);
    }

    get pathname() {
        return parser.pathText(this.#record);
    }
    set pathname(value) {
        if (typeof this.#record.path === 'string') return;
        value = text(value)
            .replace(/[\t\n\r]/g, '')
            .replaceAll('?', '%3F')
            .replaceAll('#', '%23');
        if (value === '' && this.#record.host === null) this.#record.path = [''];
        else parser.setPathFrom(this.#record, value);
    }

    get search() {
        return this.#record.query ? `?${this.#record.query}` : '';
    }
    set search(value) {
        value = text(value);
        if (value === '') {
            this.#record.query = null;
            this.#trimOpaque();
        } else
            parser.setQuery(
                this.#record,
                value
                    .replace(/^\?/, '')
                    .replace(/[\t\n\r]/g, '')
                    .replaceAll('#', '%23'),
            );
        this.#params?.[reset](value.replace(/^\?/, ''));
    }

    get searchParams() {
        if (this.#params === undefined) {
            this.#params = new URLSearchParams();
            this.#params[reset](this.#record.query ?? '');
            this.#params[changed] = () => {
                this.#record.query = this.#params.toString() || null;
            };
        }
        return this.#params;
    }

    get hash() {
        return this.#record.fragment ? `#${this.#record.fragment}` : '';
    }
    set hash(value) {
        value = text(value);
        if (value === '') {
            this.#record.fragment = null;
            this.#trimOpaque();
        } else parser.setFragment(this.#record, value.replace(/^#/, '').replace(/[\t\n\r]/g, ''));
    }

    // Spaces at the end of an opaque path are only kept before a query or a fragment.
    #trimOpaque() {
        const { path, query, fragment } = this.#record;
        if (typeof path === 'string' && query === null && fragment === null) {
            this.#record.path = path.replace(/ +$/, '');
        }
    }

    toString() {
        return this.href;
    }
    toJSON() {
        return this.href;
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        if (typeof depth === 'number' && depth < 0) return this;
        const shown = {};
        for (const name of [
            'href',
            'origin',
            'protocol',
            'username',
            'password',
            'host',
            'hostname',
            'port',
            'pathname',
            'search',
            'searchParams',
            'hash',
        ])
            shown[name] = this[name];
        return `URL ${inspect(shown, options)}`;
    }
}
for (const name of Object.getOwnPropertyNames(URL.prototype)) {
    if (name !== 'constructor') Object.defineProperty(URL.prototype, name, { enumerable: true });
}
Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

module.exports = { URL };
