// Percent-encoding (WHATWG URL, 1.3).
'use strict';

const { utf8 } = require('internal/encoding');

const control = /[\0-\x1f\x7f-\uffff]/;
const more = (set, characters) => new RegExp(`[${set.source.slice(1, -1)}${characters}]`);
const fragment = more(control, ' "<>`');
const query = more(control, ' "#<>');
const path = more(query, '?`{}');
const userinfo = more(path, '/:;=@^[\\\\\\]|');
const SETS = {
    control,
    fragment,
    query,
    specialQuery: more(query, "'"),
    path,
    userinfo,
    component: more(userinfo, '$&+,'),
    form: /[^*\-.0-9A-Z_a-z]/,
};

/** Text with what is in the set as the bytes of UTF-8, %XX each. */
function encode(text, set) {
    if (!set.test(text)) return text;
    let encoded = '';
    for (const character of text) {
        if (!set.test(character)) encoded += character;
        else
            for (const byte of utf8(character))
                encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    return encoded;
}

/** The bytes of text, with %XX as one byte. */
function decodeBytes(text) {
    const bytes = utf8(text);
    if (!text.includes('%')) return bytes;
    const decoded = [];
    for (let i = 0; i < bytes.length; i++) {
        const digits = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0) : '';
        if (/^[0-9A-Fa-f]{2}$/.test(digits)) {
            decoded.push(Number.parseInt(digits, 16));
            i += 2;
        } else {
            decoded.push(bytes[i]);
        }
    }
    return Uint8Array.from(decoded);
}

module.exports = { SETS, decodeBytes, encode };
