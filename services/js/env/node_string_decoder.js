// string_decoder: text of bytes that come in parts.
'use strict';

const { Buffer } = require('buffer');
const { coded } = require('internal/errors');

// How many bytes at the end are the beginning of a character.
function incomplete(encoding, bytes) {
    const { length } = bytes;
    switch (encoding) {
        case 'utf8':
            for (let back = 1; back <= 3 && back <= length; back++) {
                const byte = bytes[length - back];
                if ((byte & 0xc0) === 0x80) continue;
                const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
                return size > back ? back : 0;
            }
            return 0;
        case 'utf16le': {
            const odd = length % 2;
            const even = length - odd;
            return even >= 2 && (bytes[even - 1] & 0xfc) === 0xd8 ? 2 + odd : odd;
        }
        case 'base64':
        case 'base64url':
            return length % 3;
        default:
            return 0;
    }
}

const NAMES = {
    'utf-8': 'utf8',
    ucs2: 'utf16le',
    'ucs-2': 'utf16le',
    'utf-16le': 'utf16le',
    binary: 'latin1',
};

class StringDecoder {
    #rest = Buffer.alloc(0);

    constructor(encoding = 'utf8') {
        const name = String(encoding).toLowerCase();
        if (!Buffer.isEncoding(name))
            throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
        this.encoding = NAMES[name] ?? name;
    }

    write(bytes) {
        if (typeof bytes === 'string') return bytes;
        const all =
            this.#rest.length > 0
                ? Buffer.concat([this.#rest, bytes])
                : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const cut = all.length - incomplete(this.encoding, all);
        this.#rest = Buffer.from(all.subarray(cut));
        return all.toString(this.encoding, 0, cut);
    }

    end(bytes) {
        const text = bytes === undefined ? '' : this.write(bytes);
        const rest = this.#rest.toString(this.encoding);
        this.#rest = Buffer.alloc(0);
        return text + rest;
    }
}

module.exports = { StringDecoder };
