// http.Server and http.ServerResponse.
'use strict';

const EventEmitter = require('events');
const host = binding('http_server');
const { IncomingMessage, OutgoingMessage } = require('internal/http_messages');
const { HttpSocket } = require('internal/http_socket');
const { STATUS_CODES } = require('internal/http_names');
const { coded } = require('internal/errors');

class ServerResponse extends OutgoingMessage {
    constructor(request, number, server) {
        super();
        this.req = request;
        this.socket = this.connection = request.socket;
        this.statusCode = 200;
        this.statusMessage = undefined;
        this.number = number;
        this.server = server;
        this.canChunk = request.httpVersion === '1.1';
        const wanted = request.headers.connection?.toLowerCase() ?? '';
        this.shouldKeepAlive = this.canChunk ? !wanted.includes('close') : wanted.includes('keep-alive');
        this.isGone = false;
        for (const name of ['number', 'server', 'isGone'])
            Object.defineProperty(this, name, { enumerable: false });
    }

    first() {
        const status = this.statusCode;
        if (!(Number.isInteger(status) && status >= 100 && status <= 999)) {
            throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
        }
        this.statusMessage ??= STATUS_CODES[status] ?? 'unknown';
        this.hasBody = this.req.method !== 'HEAD' && status !== 204 && status !== 304 && status >= 200;
        if (this.sendDate && !this.hasHeader('date')) this.setHeader('Date', new Date().toUTCString());
        const said = this.getHeader('connection');
        if (said !== undefined) this.shouldKeepAlive = !/close/i.test(String(said));
        const isClear =
            !this.hasBody || this.bodyLength >= 0 || this.canChunk || this.hasHeader('content-length');
        if (!isClear || !this.server.listening) this.shouldKeepAlive = false;
        if (said === undefined) {
            this.setHeader('Connection', this.shouldKeepAlive ? 'keep-alive' : 'close');
            if (this.shouldKeepAlive) {
                this.setHeader('Keep-Alive', `timeout=${Math.floor(this.server.keepAliveTimeout / 1000)}`);
            }
        }
        return `HTTP/1.1 ${status} ${this.statusMessage}`;
    }

    writeHead(status, message, headers) {
        if (this.headersSent) {
            throw coded(
                Error,
                'ERR_HTTP_HEADERS_SENT',
                'Cannot write headers after they are sent to the client',
            );
        }
        if (!(status >= 100 && status <= 999)) {
            throw coded(RangeError, 'ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${status}`);
        }
        if (typeof message !== 'string') [message, headers] = [undefined, message];
        this.statusCode = status | 0;
        if (message !== undefined) this.statusMessage = message;
        if (Array.isArray(headers)) {
            const pairs = Array.isArray(headers[0])
                ? headers
                : Array.from({ length: headers.length / 2 }, (_, i) => headers.slice(2 * i, 2 * i + 2));
            for (const [name, value] of pairs) this.setHeader(name, value);
        } else if (headers) {
            for (const name of Object.keys(headers)) this.setHeader(name, headers[name]);
        }
        return this;
    }

    writeContinue() {}
    writeProcessing() {
        this.send('HTTP/1.1 102 Processing\r\n\r\n');
    }
    send(data) {
        return this.isGone || host.send(this.number, data);
    }
    async drain() {
        await host.drain(this.number);
    }

    complete() {
        host.finish(this.number, this.shouldKeepAlive);
    }

    _destroy(error, callback) {
        if (!this.writableFinished) host.destroy(this.number);
        callback(error);
    }
}

class Server extends EventEmitter {
    #host;
    #address = null;

    constructor(options, listener) {
        super();
        if (typeof options === 'function') [options, listener] = [{}, options];
        this.keepAliveTimeout = options?.keepAliveTimeout ?? 5000;
        this.requestTimeout = options?.requestTimeout ?? 300000;
        this.headersTimeout = options?.headersTimeout ?? 60000;
        this.timeout = 0;
        this.maxHeadersCount = null;
        this.listening = false;
        if (listener) this.on('request', listener);
    }

    listen(...values) {
        const callback = typeof values.at(-1) === 'function' ? values.pop() : undefined;
        let [port, name, backlog] = values;
        if (typeof port === 'object' && port !== null) ({ port, host: name, backlog } = port);
        if (typeof name === 'number') [name, backlog] = [undefined, name];
        port = Number(port ?? 0);
        if (!(Number.isInteger(port) && port >= 0 && port < 65536)) {
            throw coded(
                RangeError,
                'ERR_SOCKET_BAD_PORT',
                `options.port should be >= 0 and < 65536. Received ${values[0]}.`,
            );
        }
        if (this.listening)
            throw coded(
                Error,
                'ERR_SERVER_ALREADY_LISTEN',
                'Listen method has been called more than once without closing.',
            );
        if (callback) this.once('listening', callback);
        this.#host = host.make(
            { request: (...told) => this.#requested(...told), closed: () => this.emit('close') },
            Math.max(this.keepAliveTimeout, 1000),
        );
        try {
            const [address, bound, family] = this.#host.listen(name ?? '', port, backlog ?? 511);
            this.#address = { address, family, port: bound };
            this.listening = true;
            process.nextTick(() => this.emit('listening'));
        } catch (error) {
            process.nextTick(() => this.emit('error', error));
        }
        return this;
    }

    #requested(number, method, url, version, fields, hasBody, remoteAddress, remotePort) {
        const socket = new HttpSocket(() => host.destroy(number), {
            remoteAddress,
            remotePort,
            localAddress: this.#address.address,
            localPort: this.#address.port,
        });
        const request = new IncomingMessage(socket);
        Object.assign(request, { method, url, httpVersion: version });
        request.setFields(fields);
        if (hasBody) request.readBody = () => host.read(number);
        const response = new ServerResponse(request, number, this);
        const gone = () => {
            if (response.writableFinished) return;
            response.isGone = true;
            request.aborted = true;
            request.emit('aborted');
            if (!request.destroyed) request.emit('close');
            response.destroy();
        };
        response.on('finish', () => socket.emit('finish'));
        if (!this.emit('request', request, response)) response.writeHead(404).end();
        if (!response.writableEnded) {
            if (!hasBody) host.watch(number, gone);
            else request.once('end', () => response.writableEnded || host.watch(number, gone));
        }
    }

    address() {
        return this.#address;
    }

    close(callback) {
        if (callback) this.once('close', () => callback());
        if (!this.listening) {
            const error = coded(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.');
            if (callback) {
                this.removeAllListeners('close');
                process.nextTick(callback, error);
            }
            return this;
        }
        this.listening = false;
        this.#host.close();
        return this;
    }

    closeAllConnections() {
        this.#host?.closeAll();
    }
    closeIdleConnections() {}
    getConnections(callback) {
        process.nextTick(callback, null, this.#host?.count() ?? 0);
    }
    setTimeout() {
        return this;
    }
    ref() {
        return this;
    }
    unref() {
        return this;
    }

    async [Symbol.asyncDispose]() {
        await new Promise((resolve) => this.close(resolve));
    }
}

module.exports = { Server, ServerResponse };
