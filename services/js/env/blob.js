// Blob and File (W3C File API), in memory.
'use strict';

const { bytesOf, utf8 } = require('internal/encoding');
const { decode } = binding('encoding');

class Blob {
    #bytes;
    #type;

    constructor(parts = [], { type = '', endings = 'transparent' } = {}) {
        const chunks = [...parts].map((part) => {
            if (part instanceof Blob) return part.#bytes;
            if (ArrayBuffer.isView(part) || part instanceof ArrayBuffer) return bytesOf(part).slice();
            const text = String(part);
            return utf8(endings === 'native' ? text.replace(/\r\n?/g, '\n') : text);
        });
        this.#bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
        let at = 0;
        for (const chunk of chunks) {
            this.#bytes.set(chunk, at);
            at += chunk.length;
        }
        this.#type = /[^\x20-\x7e]/.test(type) ? '' : String(type).toLowerCase();
    }

    get size() {
        return this.#bytes.length;
    }
    get type() {
        return this.#type;
    }
    async arrayBuffer() {
        return this.#bytes.slice().buffer;
    }
    async bytes() {
        return this.#bytes.slice();
    }
    async text() {
        return decode('utf-8', this.#bytes, false);
    }

    slice(start = 0, end = this.size, type = '') {
        const made = new Blob([], { type });
        made.#bytes = this.#bytes.slice(start, end);
        return made;
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
        return `Blob ${inspect({ size: this.size, type: this.type }, options)}`;
    }
}
Object.defineProperty(Blob.prototype, Symbol.toStringTag, { value: 'Blob', configurable: true });

class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, options = {}) {
        super(parts, options);
        this.#name = String(name);
        this.#lastModified = options.lastModified ?? Date.now();
    }

    get name() {
        return this.#name;
    }
    get lastModified() {
        return this.#lastModified;
    }
}
Object.defineProperty(File.prototype, Symbol.toStringTag, { value: 'File', configurable: true });

module.exports = { Blob, File };
