// crypto: hashes, HMACs, random numbers, key derivation.
'use strict';

const host = binding('crypto');
const { coded, expectFunction, expectString, invalidArgument, outOfRange } = require('internal/errors');
const { Transform } = require('stream');

function bytes(data, encoding) {
    if (typeof data === 'string') return Buffer.from(data, encoding);
    if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return data;
    throw invalidArgument('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

const buffer = (data) => Buffer.from(data);
const encoded = (data, encoding) =>
    encoding && encoding !== 'buffer' ? buffer(data).toString(encoding) : buffer(data);

class Hash extends Transform {
    #state;
    #isDone = false;

    constructor(state, options) {
        super(options);
        this.#state = state;
    }

    update(data, encoding) {
        if (this.#isDone) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
        host.update(this.#state, bytes(data, encoding));
        return this;
    }

    digest(encoding) {
        if (this.#isDone) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
        this.#isDone = true;
        return encoded(host.finish(this.#state), encoding);
    }

    copy() {
        return new Hash(host.copy(this.#state));
    }

    _transform(chunk, encoding, callback) {
        this.update(chunk, encoding);
        callback();
    }

    _flush(callback) {
        callback(null, this.digest());
    }
}

class Hmac extends Hash {}

function unknownDigest(algorithm) {
    return coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
}

function createHash(algorithm, options) {
    expectString('algorithm', algorithm);
    const state = host.hash(algorithm, options?.outputLength ?? 0);
    if (state === undefined || state === null) throw new Error('Digest method not supported');
    return new Hash(state, options);
}

function createHmac(algorithm, key, options) {
    expectString('hmac', algorithm);
    const state = host.hmac(algorithm, bytes(key));
    if (state === undefined || state === null) throw unknownDigest(algorithm);
    return new Hmac(state, options);
}

// With a callback when one is given.
function perhapsLater(callback, make) {
    if (callback === undefined) return make();
    expectFunction('callback', callback);
    setImmediate(() => {
        let made;
        try {
            made = make();
        } catch (error) {
            callback(error);
            return;
        }
        callback(null, made);
    });
    return undefined;
}

function randomBytes(size, callback) {
    if (typeof size !== 'number') throw invalidArgument('size', 'of type number', size);
    if (!(size >= 0 && size <= 2 ** 31 - 1)) throw outOfRange('size', '>= 0 && <= 2147483647', size);
    return perhapsLater(callback, () => buffer(host.random(size)));
}

function randomInt(low, high, callback) {
    if (high === undefined || typeof high === 'function') [low, high, callback] = [0, low, high];
    if (!Number.isSafeInteger(low)) throw invalidArgument('min', 'a safe integer', low);
    if (!Number.isSafeInteger(high)) throw invalidArgument('max', 'a safe integer', high);
    if (high <= low) throw outOfRange('max', `greater than the value of "min" (${low})`, high);
    return perhapsLater(callback, () => low + host.below(high - low));
}

function randomFillSync(target, offset = 0, size) {
    const view = Buffer.from(target.buffer ?? target, target.byteOffset ?? 0, target.byteLength);
    const part = view.subarray(offset, size === undefined ? undefined : offset + size);
    part.set(new Uint8Array(host.random(part.length)));
    return target;
}

function timingSafeEqual(left, right) {
    if (left.byteLength !== right.byteLength) {
        const message = 'Input buffers must have the same byte length';
        throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', message);
    }
    return host.equal(bytes(left), bytes(right));
}

function pbkdf2Sync(password, salt, iterations, length, digest) {
    const key = host.pbkdf2(digest, bytes(password), bytes(salt), iterations, length);
    if (key === undefined || key === null) throw unknownDigest(digest);
    return buffer(key);
}

function scryptSync(
    password,
    salt,
    length,
    { N = 16384, r = 8, p = 1, cost = N, blockSize = r, parallelization = p } = {},
) {
    return buffer(host.scrypt(bytes(password), bytes(salt), length, cost, blockSize, parallelization));
}

module.exports = {
    Hash,
    Hmac,
    createHash,
    createHmac,
    pbkdf2Sync,
    randomBytes,
    randomFillSync,
    randomInt,
    scryptSync,
    timingSafeEqual,
    getHashes: () => host.names(),
    getRandomValues: (array) => globalThis.crypto.getRandomValues(array),
    hash: (algorithm, data, encoding = 'hex') => createHash(algorithm).update(data).digest(encoding),
    pbkdf2: (password, salt, iterations, length, digest, callback) =>
        perhapsLater(callback, () => pbkdf2Sync(password, salt, iterations, length, digest)),
    pseudoRandomBytes: randomBytes,
    randomUUID: () => host.uuid(),
    scrypt(password, salt, length, options, callback) {
        if (typeof options === 'function') [options, callback] = [{}, options];
        return perhapsLater(callback, () => scryptSync(password, salt, length, options));
    },
    get webcrypto() {
        return require('internal/webcrypto');
    },
    get subtle() {
        return require('internal/webcrypto').subtle;
    },
};
