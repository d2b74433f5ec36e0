// What `req.socket` is: addresses, and the connection's end. Its bytes are HTTP's.
'use strict';

const EventEmitter = require('events');

class HttpSocket extends EventEmitter {
    #timer;

    constructor(destroy, places = {}) {
        super();
        this.end = destroy;
        this.destroyed = false;
        this.encrypted = undefined;
        this.readable = this.writable = true;
        Object.assign(this, places);
    }

    get remoteFamily() {
        return this.remoteAddress?.includes(':') ? 'IPv6' : 'IPv4';
    }
    address() {
        return { address: this.localAddress, port: this.localPort, family: this.remoteFamily };
    }

    destroy(error) {
        if (this.destroyed) return this;
        this.destroyed = true;
        clearTimeout(this.#timer);
        this.end();
        if (error) this.emit('error', error);
        this.emit('close', Boolean(error));
        return this;
    }

    /** After so long 'timeout' is emitted, which ends nothing by itself. */
    setTimeout(milliseconds, callback) {
        clearTimeout(this.#timer);
        if (callback) this.once('timeout', callback);
        if (milliseconds > 0) this.#timer = setTimeout(() => this.emit('timeout'), milliseconds).unref();
        return this;
    }

    setNoDelay() {
        return this;
    }
    setKeepAlive() {
        return this;
    }
    ref() {
        return this;
    }
    unref() {
        return this;
    }
}

module.exports = { HttpSocket };
