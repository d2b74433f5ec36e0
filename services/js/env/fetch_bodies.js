// Request and Response (WHATWG Fetch, 5.3 to 5.5).
'use strict';

const { Headers } = require('internal/headers');
const { ReadableStream } = require('internal/readable_stream');
const { bytesOf, utf8 } = require('internal/encoding');
const { decode } = binding('encoding');

/** What a body is made of: [bytes, a stream, or a function that makes bytes; its media type]. */
function extract(body) {
    if (body === undefined || body === null) return [null, null];
    if (typeof body === 'string') return [utf8(body), 'text/plain;charset=UTF-8'];
    if (body instanceof ReadableStream) {
        if (body.locked) throw new TypeError('Response body object should not be disturbed or locked');
        return [body, null];
    }
    if (body instanceof URLSearchParams)
        return [utf8(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8'];
    if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return [bytesOf(body).slice(), null];
    if (body instanceof require('internal/blob').Blob) return [() => body.bytes(), body.type || null];
    if (body instanceof require('internal/form_data').FormData) {
        const made = require('internal/form_data').encodeForm(body);
        // The boundary is known at once, the bytes are not.
        return [async () => (await made)[0], made.then(([, type]) => type)];
    }
    if (typeof body[Symbol.asyncIterator] === 'function') return [ReadableStream.from(body), null];
    return [utf8(String(body)), 'text/plain;charset=UTF-8'];
}

class Body {
    #source;
    #stream;
    #isUsed = false;

    takeBody(source) {
        this.#source = source;
        if (source instanceof ReadableStream) this.#stream = source;
    }

    get body() {
        if (this.#source === null) return null;
        this.#stream ??= new ReadableStream({
            pull: async (controller) => {
                this.#isUsed = true;
                const bytes = typeof this.#source === 'function' ? await this.#source() : this.#source;
                if (bytes.length > 0) controller.enqueue(bytes);
                controller.close();
            },
        });
        return this.#stream;
    }

    get bodyUsed() {
        return this.#isUsed;
    }

    async #take() {
        if (this.#isUsed || this.#stream?.locked)
            throw new TypeError('Body is unusable: Body has already been read');
        if (this.#source === null) return new Uint8Array(0);
        this.#isUsed = true;
        if (this.#stream === undefined) {
            return typeof this.#source === 'function' ? this.#source() : this.#source;
        }
        const chunks = [];
        for await (const chunk of this.#stream) chunks.push(typeof chunk === 'string' ? utf8(chunk) : chunk);
        if (chunks.length === 1) return chunks[0];
        return require('buffer').Buffer.concat(chunks);
    }

    async arrayBuffer() {
        const bytes = await this.#take();
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }

    async bytes() {
        return new Uint8Array(await this.arrayBuffer());
    }
    async text() {
        return decode('utf-8', await this.#take(), false).replace(/^\ufeff/, '');
    }
    async json() {
        return JSON.parse(await this.text());
    }

    async blob() {
        const { Blob } = require('internal/blob');
        return new Blob([await this.#take()], { type: this.headers.get('content-type') ?? '' });
    }

    async formData() {
        const { decodeForm } = require('internal/form_data');
        return decodeForm(await this.#take(), this.headers.get('content-type') ?? '');
    }

    /** What a copy is to be made of. */
    copyBody() {
        if (this.#isUsed) throw new TypeError('Response.clone: Body has already been consumed.');
        if (!(this.#source instanceof ReadableStream)) return this.#source;
        const [mine, other] = this.#source.tee();
        this.takeBody(mine);
        return other;
    }
}
for (const name of ['takeBody', 'copyBody'])
    Object.defineProperty(Body.prototype, name, { enumerable: false });

const NO_BODY = new Set([101, 204, 205, 304]);

class Response extends Body {
    #about;

    constructor(body, { status = 200, statusText = '', headers } = {}) {
        super();
        if (!(status >= 200 && status <= 599)) {
            throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
        }
        const [source, type] = extract(body);
        if (source !== null && NO_BODY.has(status)) {
            throw new TypeError(`Response constructor: Invalid response status code ${status}`);
        }
        this.takeBody(source);
        this.#about = {
            status: Number(status),
            statusText: String(statusText),
            headers: new Headers(headers),
            type: 'default',
            url: '',
            redirected: false,
        };
        if (typeof type === 'string' && !this.headers.has('content-type'))
            this.headers.set('content-type', type);
    }

    /** For what a server has answered. */
    static received(source, about) {
        const made = new Response(null);
        made.takeBody(source);
        made.#about = { ...made.#about, ...about };
        return made;
    }

    static error() {
        return Response.received(null, { type: 'error', status: 0 });
    }

    static json(data, init = {}) {
        const made = new Response(JSON.stringify(data), init);
        if (!new Headers(init.headers).has('content-type'))
            made.headers.set('content-type', 'application/json');
        return made;
    }

    static redirect(url, status = 302) {
        if (![301, 302, 303, 307, 308].includes(status))
            throw new RangeError(`Invalid status code ${status}`);
        return new Response(null, { status, headers: { location: new URL(url).href } });
    }

    get status() {
        return this.#about.status;
    }
    get statusText() {
        return this.#about.statusText;
    }
    get headers() {
        return this.#about.headers;
    }
    get type() {
        return this.#about.type;
    }
    get url() {
        return this.#about.url;
    }
    get redirected() {
        return this.#about.redirected;
    }
    get ok() {
        return this.status >= 200 && this.status <= 299;
    }

    clone() {
        const about = { ...this.#about, headers: new Headers(this.headers) };
        return Response.received(this.copyBody(), about);
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        const { status, statusText, headers, body, bodyUsed, ok, redirected, type, url } = this;
        return `Response ${inspect({ status, statusText, headers, body, bodyUsed, ok, redirected, type, url }, options)}`;
    }
}
Object.defineProperty(Response, 'received', { enumerable: false });

class Request extends Body {
    #about;

    constructor(input, init = {}) {
        super();
        const from = input instanceof Request ? input : undefined;
        let url;
        try {
            url = new URL(from ? from.url : String(input));
        } catch (cause) {
            throw new TypeError(`Failed to parse URL from ${input}`, { cause });
        }
        if (url.username || url.password) {
            throw new TypeError(
                `Request cannot be constructed from a URL that includes credentials: ${input}`,
            );
        }
        let method = String(init.method ?? from?.method ?? 'GET');
        if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || /^(connect|trace|track)$/i.test(method)) {
            throw new TypeError(`'${method}' is not a valid HTTP method.`);
        }
        if (/^(get|head|post|put|delete|options)$/i.test(method)) method = method.toUpperCase();
        const body = init.body ?? null;
        if (body !== null && (method === 'GET' || method === 'HEAD')) {
            throw new TypeError('Request with GET/HEAD method cannot have body.');
        }
        const [source, type] = body === null && from ? [from.copyBody(), null] : extract(body);
        this.takeBody(source);
        this.#about = {
            url: url.href,
            method,
            headers: new Headers(init.headers ?? from?.headers),
            redirect: init.redirect ?? from?.redirect ?? 'follow',
            signal: init.signal ?? from?.signal ?? null,
            type,
        };
        if (typeof type === 'string' && !this.headers.has('content-type'))
            this.headers.set('content-type', type);
    }

    get url() {
        return this.#about.url;
    }
    get method() {
        return this.#about.method;
    }
    get headers() {
        return this.#about.headers;
    }
    get redirect() {
        return this.#about.redirect;
    }
    get signal() {
        return (this.#about.signal ??= new AbortController().signal);
    }

    /** The media type, where only a promise knows it yet. */
    laterType() {
        return typeof this.#about.type === 'string' ? null : this.#about.type;
    }
    clone() {
        return new Request(this);
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        const { method, url, headers, redirect, bodyUsed, signal } = this;
        return `Request ${inspect({ method, url, headers, redirect, bodyUsed, signal }, options)}`;
    }
}
for (const type of [Request, Response]) {
    Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
}

module.exports = { Request, Response };
