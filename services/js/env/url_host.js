// Hosts of URLs: domains, IPv4 and IPv6 addresses, opaque ones (WHATWG URL, 3.5).
'use strict';

const { SETS, decodeBytes, encode } = require('internal/url_percent');
const { decode } = binding('encoding');

const FORBIDDEN = /[\0\t\n\r #/:<>?@[\\\]^|]/;
const FORBIDDEN_IN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;

function ipv4Number(text) {
    if (text === '') return NaN;
    let radix = 10;
    if (/^0x/i.test(text)) [text, radix] = [text.slice(2), 16];
    else if (text.length > 1 && text.startsWith('0')) [text, radix] = [text.slice(1), 8];
    if (text === '') return 0;
    const digits = { 8: /^[0-7]+$/, 10: /^\d+$/, 16: /^[0-9a-f]+$/i }[radix];
    return digits.test(text) ? Number.parseInt(text, radix) : NaN;
}

/** Whether a domain is to be read as an IPv4 address: its last part is a number. */
function endsInNumber(domain) {
    const parts = domain.split('.');
    if (parts.at(-1) === '') {
        if (parts.length === 1) return false;
        parts.pop();
    }
    const last = parts.at(-1);
    return /^\d+$/.test(last) || /^0x[0-9a-f]*$/i.test(last);
}

function parseIPv4(domain) {
    const parts = domain.split('.');
    if (parts.at(-1) === '' && parts.length > 1) parts.pop();
    if (parts.length > 4) return null;
    const numbers = parts.map(ipv4Number);
    if (numbers.some(Number.isNaN)) return null;
    const last = numbers.pop();
    if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return null;
    let address = last;
    numbers.forEach((number, i) => {
        address += number * 256 ** (3 - i);
    });
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

function parseIPv6(text) {
    const halves = text.split('::');
    if (halves.length > 2) return null;
    const pieces = (part, isLast) => {
        if (part === '') return [];
        const found = [];
        const words = part.split(':');
        for (let i = 0; i < words.length; i++) {
            const word = words[i];
            if (isLast && i === words.length - 1 && word.includes('.')) {
                const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(word)?.slice(1) ?? [];
                if (bytes.length !== 4 || bytes.some((byte) => byte > 255 || /^0\d/.test(byte))) return null;
                found.push(bytes[0] * 256 + +bytes[1], bytes[2] * 256 + +bytes[3]);
            } else if (/^[0-9a-f]{1,4}$/i.test(word)) {
                found.push(Number.parseInt(word, 16));
            } else {
                return null;
            }
        }
        return found;
    };
    const first = pieces(halves[0], halves.length === 1);
    const second = halves.length === 2 ? pieces(halves[1], true) : [];
    if (first === null || second === null) return null;
    const missing = 8 - first.length - second.length;
    if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
    return compress([...first, ...Array(missing).fill(0), ...second]);
}

// RFC 5952: the longest run of zeros, from two on, becomes `::`.
function compress(pieces) {
    let best = { at: -1, length: 1 };
    for (let i = 0; i < 8; i++) {
        let length = 0;
        while (pieces[i + length] === 0) length++;
        if (length > best.length) best = { at: i, length };
        i += length;
    }
    const hex = (list) => list.map((piece) => piece.toString(16)).join(':');
    if (best.at === -1) return `[${hex(pieces)}]`;
    return `[${hex(pieces.slice(0, best.at))}::${hex(pieces.slice(best.at + best.length))}]`;
}

/** A host as it stands in a URL, null if it is none. `isOpaque`: of a scheme without domains. */
function parseHost(text, isOpaque) {
    if (text.startsWith('[')) return text.endsWith(']') ? parseIPv6(text.slice(1, -1)) : null;
    if (isOpaque) return FORBIDDEN.test(text) ? null : encode(text, SETS.control);
    let domain = decode('utf-8', decodeBytes(text), false);
    if (/^[\x20-\x7e]*$/.test(domain) && !/(^|\.)xn--/i.test(domain)) domain = domain.toLowerCase();
    else {
        const ascii = binding('idna').toAscii(domain);
        if (typeof ascii !== 'string') return null;
        domain = ascii;
    }
    if (domain === '' || FORBIDDEN_IN_DOMAIN.test(domain)) return null;
    return endsInNumber(domain) ? parseIPv4(domain) : domain;
}

module.exports = { parseHost };
