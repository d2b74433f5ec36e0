// querystring.
'use strict';

const escape = (value) => encodeURIComponent(String(value).toWellFormed()).replace(/%7E/g, '~');

function unescape(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return new TextDecoder().decode(require('internal/url_percent').decodeBytes(text));
    }
}

function valueText(value) {
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
    return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : '';
}

function stringify(object, separator = '&', equals = '=', options) {
    if (object === null || typeof object !== 'object') return '';
    const encode = options?.encodeURIComponent ?? module.exports.escape;
    const pairs = [];
    for (const key of Object.keys(object)) {
        const values = Array.isArray(object[key]) ? object[key] : [object[key]];
        for (const value of values) pairs.push(encode(key) + equals + encode(valueText(value)));
    }
    return pairs.join(separator);
}

function parse(text, separator = '&', equals = '=', options) {
    const found = { __proto__: null };
    if (typeof text !== 'string' || text === '') return found;
    const decode = options?.decodeURIComponent ?? module.exports.unescape;
    const most = options?.maxKeys ?? 1000;
    let parts = text.split(separator);
    if (most > 0) parts = parts.slice(0, most);
    for (const part of parts) {
        if (part === '') continue;
        const at = part.indexOf(equals);
        const halves = at === -1 ? [part, ''] : [part.slice(0, at), part.slice(at + equals.length)];
        const [key, value] = halves.map((half) => decode(half.replaceAll('+', ' ')));
        if (!(key in found)) found[key] = value;
        else if (Array.isArray(found[key])) found[key].push(value);
        else found[key] = [found[key], value];
    }
    return found;
}

module.exports = { decode: parse, encode: stringify, escape, parse, stringify, unescape };
