// TextEncoder, TextDecoder, atob, btoa (WHATWG Encoding; HTML 8.3).
'use strict';

const { decode, encode } = binding('encoding');

function bytesOf(value) {
    if (value === undefined) return new Uint8Array(0);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value);
    const { invalidArgument } = require('internal/errors');
    throw invalidArgument('input', 'an instance of ArrayBuffer or ArrayBufferView', value);
}

/** A string's UTF-8 as a new Uint8Array. */
function utf8(text) {
    return new Uint8Array(encode(text.toWellFormed()));
}

class TextEncoder {
    get encoding() {
        return 'utf-8';
    }

    encode(text = '') {
        return utf8(String(text));
    }

    /** Fills `target` with as many whole characters as have room. */
    encodeInto(text, target) {
        const bytes = utf8(String(text));
        let written = Math.min(bytes.length, target.length);
        // Bytes that begin with 10 continue a character.
        while (written > 0 && written < bytes.length && (bytes[written] & 0xc0) === 0x80) written--;
        target.set(bytes.subarray(0, written));
        return { read: decode('utf-8', bytes.subarray(0, written), false, true).length, written };
    }
}

const LABELS = {
    'utf-8': ['utf-8', 'utf8', 'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'x-unicode20utf8'],
    'utf-16le': ['utf-16le', 'utf-16', 'csunicode', 'iso-10646-ucs-2', 'ucs-2', 'unicode', 'unicodefeff'],
    'utf-16be': ['utf-16be', 'unicodefffe'],
    'windows-1252': [
        'windows-1252',
        'ansi_x3.4-1968',
        'ascii',
        'cp1252',
        'cp819',
        'csisolatin1',
        'ibm819',
        'iso-8859-1',
        'iso-ir-100',
        'iso8859-1',
        'iso88591',
        'iso_8859-1',
        'iso_8859-1:1987',
        'l1',
        'latin1',
        'us-ascii',
        'x-cp1252',
    ],
};
// Encodings that Python has by the same name.
for (const name of [
    'iso-8859-2',
    'iso-8859-3',
    'iso-8859-4',
    'iso-8859-5',
    'iso-8859-6',
    'iso-8859-7',
    'iso-8859-8',
    'iso-8859-10',
    'iso-8859-13',
    'iso-8859-14',
    'iso-8859-15',
    'iso-8859-16',
    'koi8-r',
    'koi8-u',
    'windows-1250',
    'windows-1251',
    'windows-1253',
    'windows-1254',
    'windows-1255',
    'windows-1256',
    'windows-1257',
    'windows-1258',
    'gb18030',
    'gbk',
    'big5',
    'euc-jp',
    'iso-2022-jp',
    'shift_jis',
    'euc-kr',
])
    LABELS[name] = [name];

function encodingFor(label) {
    const wanted = String(label).trim().toLowerCase();
    const found = Object.keys(LABELS).find((name) => LABELS[name].includes(wanted));
    if (found !== undefined) return found;
    const { coded } = require('internal/errors');
    const message = `The "${label}" encoding is not supported`;
    throw coded(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', message);
}

class TextDecoder {
    #fatal;
    #ignoreBOM;
    #encoding;
    // What of a character has come of a stream, and whether its beginning is past.
    #rest = new Uint8Array(0);
    #isBegun = false;

    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
        this.#encoding = encodingFor(label);
        this.#fatal = Boolean(fatal);
        this.#ignoreBOM = Boolean(ignoreBOM);
    }

    get encoding() {
        return this.#encoding;
    }

    get fatal() {
        return this.#fatal;
    }

    get ignoreBOM() {
        return this.#ignoreBOM;
    }

    decode(input, { stream = false } = {}) {
        let bytes = bytesOf(input);
        if (this.#rest.length > 0) {
            const joined = new Uint8Array(this.#rest.length + bytes.length);
            joined.set(this.#rest);
            joined.set(bytes, this.#rest.length);
            bytes = joined;
        }
        const whole = stream ? wholeCharacters(this.#encoding, bytes) : bytes.length;
        this.#rest = bytes.slice(whole);
        bytes = bytes.subarray(0, whole);
        let text;
        try {
            text = decode(this.#encoding, bytes, this.#fatal);
        } catch (error) {
            this.#rest = new Uint8Array(0);
            this.#isBegun = false;
            if (error.name !== 'UnicodeDecodeError') throw error;
            const { coded } = require('internal/errors');
            const message = `The encoded data was not valid for encoding ${this.#encoding}`;
            throw coded(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', message);
        }
        const hasMark = !this.#isBegun && !this.#ignoreBOM && text.startsWith('\ufeff');
        if (whole > 0) this.#isBegun = true;
        if (!stream) this.#isBegun = false;
        return hasMark && this.#encoding.startsWith('utf') ? text.slice(1) : text;
    }
}

/** How many bytes at the beginning are whole characters, or no characters at all. */
function wholeCharacters(encoding, bytes) {
    const { length } = bytes;
    if (encoding === 'utf-8') {
        for (let back = 1; back <= 3 && back <= length; back++) {
            const byte = bytes[length - back];
            if ((byte & 0xc0) === 0x80) continue;
            const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
            return size > back ? length - back : length;
        }
        return length;
    }
    if (encoding.startsWith('utf-16')) {
        const even = length & ~1;
        const high = encoding === 'utf-16le' ? bytes[even - 1] : bytes[even - 2];
        return even >= 2 && (high & 0xfc) === 0xd8 ? even - 2 : even;
    }
    return length;
}

function invalidCharacter(message) {
    return new DOMException(message, 'InvalidCharacterError');
}

/** Bytes as the characters 0 to 255 of a string, from Base64. */
function atob(data) {
    let text = String(data).replace(/[\t\n\f\r ]/g, '');
    if (text.length % 4 === 0) text = text.replace(/==?$/, '');
    if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
        throw invalidCharacter('The string to be decoded is not correctly encoded.');
    }
    return latin1(Uint8Array.fromBase64(text));
}

function btoa(data) {
    const text = String(data);
    if (/[^\0-\xff]/.test(text)) throw invalidCharacter('Invalid character');
    return fromLatin1(text).toBase64();
}

function latin1(bytes) {
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) {
        text += String.fromCharCode.apply(undefined, bytes.subarray(i, i + 8192));
    }
    return text;
}

function fromLatin1(text) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
}

module.exports = { TextDecoder, TextEncoder, atob, btoa, bytesOf, fromLatin1, latin1, utf8 };
