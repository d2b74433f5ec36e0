// Buffer: a Uint8Array with encodings and numbers.
'use strict';

const { decode } = binding('encoding');
const { fromLatin1, latin1, utf8, atob, btoa } = require('internal/encoding');
const { coded, expectString, invalidArgument, outOfRange } = require('internal/errors');
const numbers = require('internal/buffer_numbers');
const MAX_LENGTH = 2 ** 31 - 1;

const base64 = (text) => {
    // As node: what is no Base64 is skipped, and nothing comes after the padding.
    const clean = text
        .replace(/=[^]*$/, '')
        .replaceAll('-', '+')
        .replaceAll('_', '/')
        .replace(/[^A-Za-z0-9+/]/g, '');
    return Uint8Array.fromBase64(clean.length % 4 === 1 ? clean.slice(0, -1) : clean);
};
const hex = (text) => {
    const valid = /^(?:[0-9a-fA-F]{2})*/.exec(text)[0];
    return Uint8Array.fromHex(valid);
};
const utf16 = (text) => {
    const bytes = new Uint8Array(text.length * 2);
    for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        bytes[2 * i] = code;
        bytes[2 * i + 1] = code >> 8;
    }
    return bytes;
};
const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const CODECS = {
    __proto__: null,
    utf8: { encode: utf8, decode: (bytes) => decode('utf-8', bytes, false) },
    hex: { encode: hex, decode: (bytes) => bytes.toHex() },
    base64: { encode: base64, decode: (bytes) => bytes.toBase64() },
    base64url: {
        encode: base64,
        decode: (bytes) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true }),
    },
    latin1: { encode: fromLatin1, decode: latin1 },
    ascii: { encode: fromLatin1, decode: (bytes) => latin1(bytes.map((byte) => byte & 0x7f)) },
    utf16le: {
        encode: utf16,
        decode: (bytes) => {
            let text = '';
            for (let i = 0; i + 1 < bytes.length; i += 2)
                text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
            return text;
        },
    },
};
const ALIASES = {
    'utf-8': 'utf8',
    binary: 'latin1',
    ucs2: 'utf16le',
    'ucs-2': 'utf16le',
    'utf-16le': 'utf16le',
};

function codecName(encoding) {
    const name = String(encoding).toLowerCase();
    const found = ALIASES[name] ?? name;
    return found in CODECS ? found : undefined;
}

function codecOf(encoding = 'utf8') {
    const name = codecName(encoding);
    if (name === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    return CODECS[name];
}

function encodeText(text, encoding) {
    return codecOf(encoding || 'utf8').encode(text);
}

function checkSize(size) {
    if (typeof size !== 'number') throw invalidArgument('size', 'of type number', size);
    if (!(size >= 0 && size <= MAX_LENGTH)) throw outOfRange('size', `>= 0 && <= ${MAX_LENGTH}`, size);
    return Math.trunc(size);
}

function bytesOf(value, name = 'buffer') {
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return plain(value);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw invalidArgument(name, 'an instance of Buffer or Uint8Array', value);
}

// Where a part begins and ends: numbers are clamped, from behind if they are negative.
function range(length, start, end) {
    const clamp = (value, missing) => {
        if (value === undefined) return missing;
        value = Math.trunc(Number(value)) || 0;
        return value < 0 ? Math.max(length + value, 0) : Math.min(value, length);
    };
    const first = clamp(start, 0);
    return [first, Math.max(clamp(end, length), first)];
}

class Buffer extends Uint8Array {
    static from(value, second, third) {
        if (typeof value === 'string') return adopt(encodeText(value, second));
        if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
            return new Buffer(value, second, third);
        if (value !== null && typeof value === 'object') {
            if (ArrayBuffer.isView(value)) return adopt(Uint8Array.from(value));
            const inner = value.valueOf?.();
            if (inner !== null && inner !== undefined && inner !== value)
                return Buffer.from(inner, second, third);
            if (value.type === 'Buffer' && Array.isArray(value.data))
                return adopt(Uint8Array.from(value.data));
            if (value.length !== undefined || Symbol.iterator in value) {
                return adopt(Uint8Array.from(value, (item) => Number(item)));
            }
            if (typeof value[Symbol.toPrimitive] === 'function') {
                return Buffer.from(value[Symbol.toPrimitive]('string'), second);
            }
        }
        throw invalidArgument(
            'first argument',
            'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object',
            value,
        );
    }

    static of(...items) {
        return adopt(Uint8Array.of(...items));
    }

    static alloc(size, fill, encoding) {
        const made = new Buffer(checkSize(size));
        return fill === undefined || fill === 0 ? made : made.fill(fill, encoding);
    }

    static allocUnsafe(size) {
        return new Buffer(checkSize(size));
    }

    static allocUnsafeSlow(size) {
        return new Buffer(checkSize(size));
    }

    static isBuffer(value) {
        return value instanceof Buffer;
    }

    static isEncoding(encoding) {
        return typeof encoding === 'string' && codecName(encoding) !== undefined;
    }

    static byteLength(value, encoding) {
        return typeof value === 'string' ? encodeText(value, encoding).length : value.byteLength;
    }

    static concat(list, total) {
        if (!Array.isArray(list)) throw invalidArgument('list', 'an instance of Array', list);
        const length = total ?? list.reduce((sum, bytes) => sum + bytes.length, 0);
        const made = new Buffer(length);
        let at = 0;
        for (const bytes of list) {
            if (at >= length) break;
            made.set(bytes.subarray(0, length - at), at);
            at += bytes.length;
        }
        return made;
    }

    static compare(left, right) {
        return compare(bytesOf(left, 'buf1'), bytesOf(right, 'buf2'));
    }

    get parent() {
        return this.buffer;
    }
    get offset() {
        return this.byteOffset;
    }

    toString(encoding, start, end) {
        if (start === undefined && end === undefined) return codecOf(encoding).decode(plain(this));
        const first = Math.min(Math.max(Math.trunc(start) || 0, 0), this.length);
        const last =
            end === undefined ? this.length : Math.min(Math.max(Math.trunc(end) || 0, first), this.length);
        return codecOf(encoding).decode(plain(this.subarray(first, last)));
    }

    toLocaleString(...values) {
        return this.toString(...values);
    }

    toJSON() {
        return { type: 'Buffer', data: [...this] };
    }

    equals(other) {
        return compare(this, bytesOf(other, 'otherBuffer')) === 0;
    }

    compare(target, targetStart, targetEnd, start, end) {
        return compare(
            this.subarray(start ?? 0, end),
            bytesOf(target, 'target').subarray(targetStart ?? 0, targetEnd),
        );
    }

    copy(target, targetStart = 0, start = 0, end = this.length) {
        const part = this.subarray(start, Math.max(start, end));
        const count = Math.max(Math.min(part.length, target.length - targetStart), 0);
        target.set(part.subarray(0, count), Math.min(targetStart, target.length));
        return count;
    }

    /** Shares the memory, as `subarray`. */
    slice(start, end) {
        return this.subarray(...range(this.length, start, end));
    }

    subarray(start, end) {
        const [first, last] = range(this.length, start, end);
        return new Buffer(this.buffer, this.byteOffset + first, last - first);
    }

    write(text, offset, length, encoding) {
        expectString('argument', text);
        if (typeof offset === 'string') [offset, encoding] = [0, offset];
        else if (typeof length === 'string') [length, encoding] = [undefined, length];
        offset ??= 0;
        if (!(offset >= 0 && offset <= this.length))
            throw outOfRange('offset', `>= 0 && <= ${this.length}`, offset);
        const room = Math.min(length ?? Infinity, this.length - offset);
        const bytes = encodeText(text, encoding);
        let count = Math.min(bytes.length, room);
        // No part of a character is written.
        if (codecOf(encoding) === CODECS.utf8) {
            while (count > 0 && count < bytes.length && (bytes[count] & 0xc0) === 0x80) count--;
        }
        this.set(bytes.subarray(0, count), offset);
        return count;
    }

    fill(value, start, end, encoding) {
        if (typeof start === 'string') [start, encoding] = [undefined, start];
        else if (typeof end === 'string') [end, encoding] = [undefined, end];
        const [first, last] = range(this.length, start, end);
        if (typeof value === 'number' || typeof value === 'boolean') {
            super.fill(value & 255, first, last);
            return this;
        }
        const bytes = typeof value === 'string' ? encodeText(value, encoding) : bytesOf(value, 'value');
        if (bytes.length === 0) super.fill(0, first, last);
        else for (let i = first; i < last; i++) this[i] = bytes[(i - first) % bytes.length];
        return this;
    }

    indexOf(value, start, encoding) {
        return search(this, value, start, encoding, false);
    }

    lastIndexOf(value, start, encoding) {
        return search(this, value, start, encoding, true);
    }

    includes(value, start, encoding) {
        return this.indexOf(value, start, encoding) !== -1;
    }

    swap16() {
        return swap(this, 2);
    }
    swap32() {
        return swap(this, 4);
    }
    swap64() {
        return swap(this, 8);
    }

    [Symbol.for('nodejs.util.inspect.custom')](depth, options) {
        const most = module.exports.INSPECT_MAX_BYTES;
        let text = plain(this)
            .subarray(0, most)
            .toHex()
            .replace(/(..)(?=.)/g, '$1 ');
        const more = this.length - most;
        if (more > 0) text += ` ... ${more} more byte${more > 1 ? 's' : ''}`;
        const extras = Object.keys(this).slice(this.length);
        if (extras.length > 0) {
            const { inspect } = require('internal/inspect');
            const shown = Object.fromEntries(extras.map((key) => [key, this[key]]));
            text += `, ${inspect(shown, { ...options, breakLength: Infinity, compact: true }).slice(2, -2)}`;
        }
        return `<${this.constructor.name} ${text}>`.replace(' >', '>').replace(/^<(\w+)>$/, '<$1 >');
    }
}
Buffer.poolSize = 8192;
numbers.addTo(Buffer.prototype);

/** The same bytes as a Buffer. */
function adopt(bytes) {
    return new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function compare(left, right) {
    const length = Math.min(left.length, right.length);
    for (let i = 0; i < length; i++) {
        if (left[i] !== right[i]) return left[i] < right[i] ? -1 : 1;
    }
    return Math.sign(left.length - right.length);
}

function search(bytes, value, start, encoding, isLast) {
    if (typeof start === 'string') [start, encoding] = [undefined, start];
    let from =
        start === undefined || Number.isNaN(Number(start))
            ? isLast
                ? bytes.length
                : 0
            : Math.trunc(Number(start));
    if (from < 0) from += bytes.length;
    if (from < 0) {
        if (isLast) return -1;
        from = 0;
    }
    if (typeof value === 'number') {
        const method = isLast ? 'lastIndexOf' : 'indexOf';
        return Uint8Array.prototype[method].call(
            bytes,
            value & 255,
            isLast ? Math.min(from, bytes.length - 1) : from,
        );
    }
    const wanted = typeof value === 'string' ? encodeText(value, encoding) : bytesOf(value, 'value');
    const end = bytes.length - wanted.length;
    if (wanted.length === 0) return Math.min(from, bytes.length);
    const isHere = (at) => {
        for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
        return true;
    };
    if (isLast) {
        for (let at = Math.min(from, end); at >= 0; at--) if (isHere(at)) return at;
        return -1;
    }
    for (;;) {
        const at = Uint8Array.prototype.indexOf.call(bytes, wanted[0], from);
        if (at === -1 || at > end) return -1;
        if (isHere(at)) return at;
        from = at + 1;
    }
}

function swap(bytes, size) {
    if (bytes.length % size !== 0) {
        throw coded(
            RangeError,
            'ERR_INVALID_BUFFER_SIZE',
            `Buffer size must be a multiple of ${size * 8}-bits`,
        );
    }
    for (let at = 0; at < bytes.length; at += size) plain(bytes.subarray(at, at + size)).reverse();
    return bytes;
}

module.exports = {
    Buffer,
    INSPECT_MAX_BYTES: 50,
    SlowBuffer: Buffer,
    adopt,
    atob,
    btoa,
    constants: { MAX_LENGTH, MAX_STRING_LENGTH: 2 ** 30 - 1 },
    kMaxLength: MAX_LENGTH,
    isUtf8: (bytes) =>
        decode('utf-8', bytes, false).isWellFormed() && !decode('utf-8', bytes, false).includes('\ufffd'),
    get Blob() {
        return require('internal/blob').Blob;
    },
};
Object.defineProperty(module.exports, 'adopt', { enumerable: false });
