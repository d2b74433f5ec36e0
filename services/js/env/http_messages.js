// What requests and responses have in common: fields, and bodies that are read or sent in parts.
'use strict';

const { Readable, Writable } = require('stream');
const { coded } = require('internal/errors');

// Of these only the first counts when a field comes twice.
const SINGLE = new Set([
    'age',
    'authorization',
    'content-length',
    'content-type',
    'etag',
    'expires',
    'from',
    'host',
    'if-modified-since',
    'if-unmodified-since',
    'last-modified',
    'location',
    'max-forwards',
    'proxy-authorization',
    'referer',
    'retry-after',
    'server',
    'user-agent',
]);

class IncomingMessage extends Readable {
    constructor(socket) {
        super({ highWaterMark: 65536 });
        this.socket = this.connection = socket;
        this.httpVersion = '1.1';
        this.complete = false;
        this.aborted = false;
        this.rawHeaders = [];
        this.headers = {};
        this.trailers = {};
        this.rawTrailers = [];
        this.readBody = undefined;
    }

    /** Takes fields as Python has them: names and values by turns, a line each. */
    setFields(text) {
        this.rawHeaders = text === '' ? [] : text.split('\n');
        const headers = {};
        for (let i = 0; i < this.rawHeaders.length; i += 2) {
            const name = this.rawHeaders[i].toLowerCase();
            const value = this.rawHeaders[i + 1];
            if (name === 'set-cookie') (headers[name] ??= []).push(value);
            else if (headers[name] === undefined) headers[name] = value;
            else if (!SINGLE.has(name)) headers[name] += (name === 'cookie' ? '; ' : ', ') + value;
        }
        this.headers = headers;
    }

    get headersDistinct() {
        const found = { __proto__: null };
        for (let i = 0; i < this.rawHeaders.length; i += 2) {
            (found[this.rawHeaders[i].toLowerCase()] ??= []).push(this.rawHeaders[i + 1]);
        }
        return found;
    }

    get httpVersionMajor() {
        return Number(this.httpVersion[0]);
    }
    get httpVersionMinor() {
        return Number(this.httpVersion[2]);
    }

    _read() {
        if (this.readBody === undefined) {
            this.complete = true;
            this.push(null);
            return;
        }
        this.readBody().then(
            (chunk) => {
                if (this.destroyed) return;
                this.complete = chunk === undefined || chunk === null;
                this.push(this.complete ? null : new Uint8Array(chunk));
            },
            (error) => {
                this.aborted = true;
                this.emit('aborted');
                this.destroy(error);
            },
        );
    }

    setTimeout(milliseconds, callback) {
        this.socket?.setTimeout(milliseconds, callback);
        return this;
    }
}

// Up to this length a look at a string's characters is cheaper than a copy of its bytes.
const SHORT = 1024;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function checkField(name, value) {
    if (typeof name !== 'string' || !TOKEN.test(name)) {
        throw coded(
            TypeError,
            'ERR_INVALID_HTTP_TOKEN',
            `Header name must be a valid HTTP token ["${name}"]`,
        );
    }
    if (value === undefined) {
        throw coded(
            TypeError,
            'ERR_HTTP_INVALID_HEADER_VALUE',
            `Invalid value "undefined" for header "${name}"`,
        );
    }
    for (const one of [value].flat()) {
        if (/[^\t\x20-\x7e\x80-\xff]/.test(String(one))) {
            throw coded(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
        }
    }
}

class OutgoingMessage extends Writable {
    #fields = new Map();

    constructor() {
        super({ decodeStrings: false, highWaterMark: 65536 });
        this.headersSent = false;
        this.sendDate = true;
        this.chunked = false;
        // How many bytes there are to be: -1 if that is not known.
        this.bodyLength = -1;
        this.hasBody = true;
    }

    #needUnsent(what) {
        if (this.headersSent) {
            throw coded(
                Error,
                'ERR_HTTP_HEADERS_SENT',
                `Cannot ${what} headers after they are sent to the client`,
            );
        }
    }

    setHeader(name, value) {
        this.#needUnsent('set');
        checkField(name, value);
        this.#fields.set(name.toLowerCase(), [name, value]);
        return this;
    }

    setHeaders(headers) {
        for (const [name, value] of headers) this.setHeader(name, value);
        return this;
    }

    appendHeader(name, value) {
        const before = this.getHeader(name);
        return this.setHeader(name, before === undefined ? value : [before, value].flat());
    }

    removeHeader(name) {
        this.#needUnsent('remove');
        this.#fields.delete(String(name).toLowerCase());
    }

    getHeader(name) {
        return this.#fields.get(String(name).toLowerCase())?.[1];
    }
    hasHeader(name) {
        return this.#fields.has(String(name).toLowerCase());
    }
    getHeaderNames() {
        return [...this.#fields.keys()];
    }
    getRawHeaderNames() {
        return [...this.#fields.values()].map(([name]) => name);
    }

    getHeaders() {
        const found = { __proto__: null };
        for (const [key, [, value]] of this.#fields) found[key] = value;
        return found;
    }

    /** The first line and all fields, with what was not set but is needed. */
    head(first) {
        if (this.hasBody && !this.hasHeader('content-length') && !this.hasHeader('transfer-encoding')) {
            if (this.bodyLength >= 0) this.setHeader('Content-Length', this.bodyLength);
            else if (this.canChunk) this.setHeader('Transfer-Encoding', 'chunked');
        }
        this.chunked = /\bchunked\b/i.test(String(this.getHeader('transfer-encoding') ?? ''));
        let text = `${first}\r\n`;
        for (const [name, value] of this.#fields.values()) {
            if (Array.isArray(value)) for (const one of value) text += `${name}: ${one}\r\n`;
            else text += `${name}: ${value}\r\n`;
        }
        this.headersSent = true;
        return `${text}\r\n`;
    }

    // `first()` is the first line, `send` gives bytes or text to the connection, `drain` waits for it.
    _write(chunk, encoding, callback) {
        const data = this.#encoded(chunk, encoding);
        let hasRoom = true;
        let head = this.headersSent ? '' : this.head(this.first());
        if (this.hasBody && data.length > 0) {
            if (this.chunked) {
                head += `${data.length.toString(16)}\r\n`;
                hasRoom =
                    typeof data === 'string'
                        ? this.send(`${head}${data}\r\n`)
                        : this.sendParts(head, data, '\r\n');
            } else {
                hasRoom = typeof data === 'string' ? this.send(head + data) : this.sendParts(head, data, '');
            }
        } else if (head !== '') {
            hasRoom = this.send(head);
        }
        if (hasRoom) callback();
        else this.drain().then(() => callback(), callback);
    }

    // Short text that is ASCII goes as it is, together with what is before it.
    #encoded(chunk, encoding) {
        if (typeof chunk !== 'string') return chunk;
        const isPlain = chunk.length <= SHORT && /^(utf-?8|latin1|ascii|binary)$/i.test(encoding);
        return isPlain && /^[\0-\x7f]*$/.test(chunk) ? chunk : Buffer.from(chunk, encoding);
    }

    sendParts(before, bytes, after) {
        if (before === '' && after === '') return this.send(bytes);
        return this.send(Buffer.concat([Buffer.from(before, 'latin1'), bytes, Buffer.from(after, 'latin1')]));
    }

    _final(callback) {
        let last = this.headersSent ? '' : this.head(this.first());
        if (this.chunked && this.hasBody) last += '0\r\n\r\n';
        if (last !== '') this.send(last);
        this.complete();
        callback();
    }

    end(chunk, encoding, callback) {
        if (typeof chunk === 'function') [chunk, callback] = [undefined, chunk];
        else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
        // All of the body is known: its length can be told.
        if (!this.headersSent && this.writableLength === 0 && !this.writableEnded) {
            if (chunk === undefined || chunk === null) this.bodyLength = 0;
            else
                this.bodyLength =
                    typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
        }
        return super.end(chunk, encoding, callback);
    }

    flushHeaders() {
        if (!this.headersSent) this.send(this.head(this.first()));
    }

    setTimeout(milliseconds, callback) {
        this.socket?.setTimeout(milliseconds, callback);
        return this;
    }
}

module.exports = { IncomingMessage, OutgoingMessage, checkField };
