// Buffer's numbers: readUInt8 … writeDoubleBE, integers of 1 to 6 bytes, bigints of 8.
'use strict';

const { coded, invalidArgument, outOfRange } = require('internal/errors');

function checkOffset(offset, bytes, size) {
    if (typeof offset !== 'number') throw invalidArgument('offset', 'of type number', offset);
    if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
    if (bytes.length < size) {
        throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
    }
    if (offset < 0 || offset + size > bytes.length) {
        throw outOfRange('offset', `>= 0 and <= ${bytes.length - size}`, offset);
    }
}

function view(bytes) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkRange(value, low, high) {
    if (value < low || value > high) throw outOfRange('value', `>= ${low} and <= ${high}`, value);
}

// Integers of any size up to six bytes, as numbers.
function readInteger(bytes, offset, size, isLittle, isSigned) {
    checkOffset(offset, bytes, size);
    let value = 0;
    for (let i = 0; i < size; i++) {
        value = value * 256 + bytes[isLittle ? offset + size - 1 - i : offset + i];
    }
    return isSigned && value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
}

function writeInteger(bytes, value, offset, size, isLittle, isSigned) {
    value = Number(value);
    const bits = 8 * size;
    if (isSigned) checkRange(value, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
    else checkRange(value, 0, 2 ** bits - 1);
    checkOffset(offset, bytes, size);
    value = Math.trunc(value);
    let rest = value < 0 ? value + 2 ** bits : value;
    for (let i = 0; i < size; i++) {
        bytes[isLittle ? offset + i : offset + size - 1 - i] = rest % 256;
        rest = Math.floor(rest / 256);
    }
    return offset + size;
}

function checkSize(size) {
    if (typeof size !== 'number') throw invalidArgument('byteLength', 'of type number', size);
    if (!(size >= 1 && size <= 6)) throw outOfRange('byteLength', '>= 1 and <= 6', size);
}

function define(prototype, name, method) {
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
    // Both spellings are node's.
    if (name.includes('UInt')) define(prototype, name.replace('UInt', 'Uint'), method);
}

function addIntegers(prototype, order) {
    const isLittle = order === 'LE';
    for (const [sign, isSigned] of [
        ['Int', true],
        ['UInt', false],
    ]) {
        for (const size of [1, 2, 4]) {
            if (size === 1 && !isLittle) continue;
            const name = `${sign}${8 * size}${size === 1 ? '' : order}`;
            define(prototype, `read${name}`, function (offset = 0) {
                return readInteger(this, offset, size, isLittle, isSigned);
            });
            define(prototype, `write${name}`, function (value, offset = 0) {
                return writeInteger(this, value, offset, size, isLittle, isSigned);
            });
        }
        define(prototype, `read${sign}${order}`, function (offset, size) {
            checkSize(size);
            return readInteger(this, offset, size, isLittle, isSigned);
        });
        define(prototype, `write${sign}${order}`, function (value, offset, size) {
            checkSize(size);
            return writeInteger(this, value, offset, size, isLittle, isSigned);
        });
    }
}

function addWide(prototype, order) {
    const isLittle = order === 'LE';
    for (const [name, method, size] of [
        ['Float', 'Float32', 4],
        ['Double', 'Float64', 8],
    ]) {
        define(prototype, `read${name}${order}`, function (offset = 0) {
            checkOffset(offset, this, size);
            return view(this)[`get${method}`](offset, isLittle);
        });
        define(prototype, `write${name}${order}`, function (value, offset = 0) {
            checkOffset(offset, this, size);
            view(this)[`set${method}`](offset, Number(value), isLittle);
            return offset + size;
        });
    }
    for (const [name, method, low, high] of [
        ['BigInt64', 'BigInt64', -(2n ** 63n), 2n ** 63n - 1n],
        ['BigUInt64', 'BigUint64', 0n, 2n ** 64n - 1n],
    ]) {
        define(prototype, `read${name}${order}`, function (offset = 0) {
            checkOffset(offset, this, 8);
            return view(this)[`get${method}`](offset, isLittle);
        });
        define(prototype, `write${name}${order}`, function (value, offset = 0) {
            if (typeof value !== 'bigint') throw invalidArgument('value', 'of type bigint', value);
            if (value < low || value > high) throw outOfRange('value', `>= ${low}n and <= ${high}n`, value);
            checkOffset(offset, this, 8);
            view(this)[`set${method}`](offset, value, isLittle);
            return offset + 8;
        });
    }
}

/** Adds all of them to a prototype. */
function addTo(prototype) {
    for (const order of ['LE', 'BE']) {
        addIntegers(prototype, order);
        addWide(prototype, order);
    }
}

module.exports = { addTo };
