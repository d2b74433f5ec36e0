// http.request and http.get: one connection for each request.
'use strict';

const host = binding('http_client');
const { IncomingMessage, OutgoingMessage, checkField } = require('internal/http_messages');
const { HttpSocket } = require('internal/http_socket');
const { coded } = require('internal/errors');
const { abortError } = require('internal/abort');

/** Options from a URL, options or both. */
function merged(input, options, scheme) {
    let found = {};
    if (typeof input === 'string' || input instanceof globalThis.URL) {
        found = require('url').urlToHttpOptions(typeof input === 'string' ? new URL(input) : input);
    } else {
        options = { ...input, ...options };
    }
    found = { ...found, ...options };
    const protocol = found.protocol ?? `${scheme}:`;
    if (protocol !== `${scheme}:`) {
        throw coded(
            TypeError,
            'ERR_INVALID_PROTOCOL',
            `Protocol "${protocol}" not supported. Expected "${scheme}:"`,
        );
    }
    return found;
}

class ClientRequest extends OutgoingMessage {
    #number = host.make();
    #opened;
    #response;
    #waiting = [];

    constructor(options, isSecure) {
        super();
        this.isSecure = isSecure;
        this.method = (options.method ?? 'GET').toUpperCase();
        this.path = options.path ?? '/';
        if (/[^\x21-\xff]/.test(this.path)) {
            throw coded(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
        }
        this.host = options.hostname ?? options.host ?? 'localhost';
        this.port = Number(options.port ?? options.defaultPort ?? (isSecure ? 443 : 80));
        this.protocol = isSecure ? 'https:' : 'http:';
        this.reusedSocket = false;
        this.canChunk = true;
        this.hasBody = !['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'].includes(this.method);
        const headers = options.headers ?? {};
        if (Array.isArray(headers)) {
            for (let i = 0; i < headers.length; i += 2) this.appendHeader(headers[i], headers[i + 1]);
        } else {
            for (const [name, value] of headers[Symbol.iterator] ? headers : Object.entries(headers)) {
                checkField(name, value);
                this.setHeader(name, value);
            }
        }
        if (!this.hasHeader('host') && options.setHost !== false) this.setHeader('Host', this.#hostField());
        if (options.auth && !this.hasHeader('authorization')) {
            this.setHeader('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
        }
        if (!this.hasHeader('connection')) this.setHeader('Connection', 'close');
        if (this.hasHeader('content-length') || this.hasHeader('transfer-encoding')) this.hasBody = true;
        this.socket = this.connection = new HttpSocket(() => host.close(this.#number));
        if (options.timeout) this.setTimeout(options.timeout);
        this.socket.on('timeout', () => this.emit('timeout'));
        this.#obey(options.signal);
        this.#opened = this.#open(options);
    }

    #hostField() {
        const name = this.host.includes(':') ? `[${this.host}]` : this.host;
        return this.port === (this.isSecure ? 443 : 80) ? name : `${name}:${this.port}`;
    }

    #obey(signal) {
        if (!signal) return;
        const abort = () => this.destroy(abortError(signal));
        if (signal.aborted) process.nextTick(abort);
        else signal.addEventListener('abort', abort, { once: true });
    }

    async #open({ rejectUnauthorized, ca, servername }) {
        const trust = { rejectUnauthorized: rejectUnauthorized !== false };
        if (ca) trust.ca = [ca].flat().map(String).join('\n');
        if (servername) trust.servername = servername;
        try {
            const places = await host.open(this.#number, this.host, this.port, this.isSecure, trust);
            if (this.destroyed) return;
            const [localAddress, localPort, remoteAddress, remotePort] = places;
            Object.assign(this.socket, {
                localAddress,
                localPort,
                remoteAddress,
                remotePort,
                encrypted: this.isSecure || undefined,
            });
            this.emit('socket', this.socket);
            this.socket.emit('connect');
            for (const data of this.#waiting.splice(0)) host.send(this.#number, data);
            await this.#receive();
        } catch (error) {
            if (!this.destroyed) this.destroy(error);
        }
    }

    async #receive() {
        const [version, status, reason, fields, hasBody] = await host.response(
            this.#number,
            this.method,
            false,
        );
        if (this.destroyed) return;
        const message = new IncomingMessage(this.socket);
        Object.assign(message, {
            httpVersion: version,
            statusCode: status,
            statusMessage: reason,
            req: this,
        });
        message.setFields(fields);
        if (hasBody) message.readBody = () => host.read(this.#number);
        this.#response = message;
        this.res = message;
        message.on('end', () => this.#finished());
        // Nobody wants it.
        if (!this.emit('response', message)) message.resume();
    }

    #finished() {
        host.close(this.#number);
        this.socket.destroy();
        if (!this.destroyed) {
            this.destroyed = true;
            process.nextTick(() => this.emit('close'));
        }
    }

    first() {
        if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(this.method)) {
            throw coded(
                TypeError,
                'ERR_INVALID_HTTP_TOKEN',
                `Method must be a valid HTTP token ["${this.method}"]`,
            );
        }
        return `${this.method} ${this.path} HTTP/1.1`;
    }

    end(...values) {
        const [chunk] = values;
        if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.hasBody = true;
        return super.end(...values);
    }

    write(...values) {
        this.hasBody = true;
        return super.write(...values);
    }

    send(data) {
        if (this.socket.remoteAddress === undefined) {
            this.#waiting.push(data);
            return true;
        }
        return host.send(this.#number, data);
    }

    async drain() {
        await host.drain(this.#number);
    }

    // Not the response: that says itself when it is over.
    _ended() {}
    complete() {}

    _destroy(error, callback) {
        host.close(this.#number);
        this.socket.destroyed = true;
        if (this.#response !== undefined && !this.#response.complete) {
            this.#response.aborted = true;
            this.#response.destroy(error ?? coded(Error, 'ECONNRESET', 'aborted'));
            callback(null);
        } else {
            callback(error ?? (this.#response === undefined ? hungUp() : null));
        }
    }

    abort() {
        this.aborted = true;
        this.emit('abort');
        this.destroy();
    }

    get finished() {
        return this.writableEnded;
    }
    setNoDelay() {}
    setSocketKeepAlive() {}
}

function hungUp() {
    return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

function request(input, options, callback, scheme) {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    const made = new ClientRequest(merged(input, options, scheme), scheme === 'https');
    if (callback) made.once('response', callback);
    return made;
}

/** The functions of http or https. */
function clientFor(scheme) {
    return {
        request: (input, options, callback) => request(input, options, callback, scheme),
        get(input, options, callback) {
            const made = request(input, options, callback, scheme);
            made.end();
            return made;
        },
    };
}

module.exports = { ClientRequest, clientFor };
