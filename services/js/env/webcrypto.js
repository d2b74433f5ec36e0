// The global crypto: random values and digests (W3C Web Cryptography).
'use strict';

const { types } = require('internal/inspect_kinds');
const { bytesOf } = require('internal/encoding');
const host = binding('crypto');
const QUOTA = 65536;

function getRandomValues(array) {
    if (!ArrayBuffer.isView(array) || types.isDataView(array) || /Float/.test(array[Symbol.toStringTag])) {
        throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
    }
    if (array.byteLength > QUOTA) {
        const message = `The requested length exceeds ${QUOTA} bytes`;
        throw new DOMException(message, 'QuotaExceededError');
    }
    bytesOf(array).set(new Uint8Array(host.random(array.byteLength)));
    return array;
}

const ALGORITHMS = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };

const subtle = {
    async digest(algorithm, data) {
        const name = String(algorithm?.name ?? algorithm).toUpperCase();
        if (ALGORITHMS[name] === undefined) {
            throw new DOMException('Unrecognized algorithm name', 'NotSupportedError');
        }
        return host.digest(ALGORITHMS[name], bytesOf(data));
    },
};

module.exports = { getRandomValues, randomUUID: () => host.uuid(), subtle };
Object.defineProperty(module.exports, Symbol.toStringTag, { value: 'Crypto', configurable: true });
