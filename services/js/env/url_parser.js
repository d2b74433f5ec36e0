// The URL parser of the WHATWG's standard (url.spec.whatwg.org, 4.4).
'use strict';

const { parseHost } = require('internal/url_host');
const { encode, SETS } = require('internal/url_percent');

const SPECIAL = {
    __proto__: null,
    'http:': 80,
    'https:': 443,
    'ws:': 80,
    'wss:': 443,
    'ftp:': 21,
    'file:': null,
};
const isSpecial = (url) => url.protocol in SPECIAL;
const isDriveLetter = (text) => /^[A-Za-z][:|]$/.test(text);
const startsWithDrive = (text) => /^[A-Za-z][:|](?:[/\\?#]|$)/.test(text);
const isSingleDot = (part) => /^(?:\.|%2e)$/i.test(part);
const isDoubleDot = (part) => /^(?:\.|%2e)(?:\.|%2e)$/i.test(part);

/** The parts of a URL as the standard has them; the path is a list, or text if it is opaque. */
function emptyRecord() {
    return {
        protocol: '',
        username: '',
        password: '',
        host: null,
        port: null,
        path: [],
        query: null,
        fragment: null,
    };
}

function shorten(url) {
    if (url.protocol === 'file:' && url.path.length === 1 && /^[A-Za-z]:$/.test(url.path[0])) return;
    url.path.pop();
}

// Credentials, host and port, which end at a slash.
function parseAuthority(url, text) {
    const at = text.lastIndexOf('@');
    if (at !== -1) {
        const credentials = text.slice(0, at);
        const colon = credentials.indexOf(':');
        url.username = encode(colon === -1 ? credentials : credentials.slice(0, colon), SETS.userinfo);
        if (colon !== -1) url.password = encode(credentials.slice(colon + 1), SETS.userinfo);
        text = text.slice(at + 1);
        if (text === '') return false;
    }
    return parseHostAndPort(url, text);
}

function splitPort(text) {
    // A colon in brackets belongs to an IPv6 address.
    let isInside = false;
    for (let i = 0; i < text.length; i++) {
        if (text[i] === '[') isInside = true;
        else if (text[i] === ']') isInside = false;
        else if (text[i] === ':' && !isInside) return [text.slice(0, i), text.slice(i + 1)];
    }
    return [text, ''];
}

/** Sets a port from digits, "" for none; false if there can be no such port. */
function setPort(url, digits) {
    if (digits === '') return true;
    if (!/^\d+$/.test(digits)) return false;
    const number = Number(digits);
    if (number > 65535) return false;
    url.port = SPECIAL[url.protocol] === number ? null : number;
    return true;
}

function parseHostAndPort(url, text) {
    const [name, port] = splitPort(text);
    if (name === '' && (isSpecial(url) || port !== '' || text.startsWith(':'))) return false;
    const host = name === '' ? '' : parseHost(name, !isSpecial(url));
    if (host === null) return false;
    url.host = host;
    return setPort(url, port);
}

/** Appends a path to the segments that are there already. */
function parsePath(url, text) {
    const separator = isSpecial(url) ? /[/\\]/ : /\//;
    const segments = text.split(separator);
    segments.forEach((segment, i) => {
        const isLast = i === segments.length - 1;
        if (isDoubleDot(segment)) {
            shorten(url);
            if (isLast) url.path.push('');
        } else if (isSingleDot(segment)) {
            if (isLast) url.path.push('');
        } else {
            segment = encode(segment, SETS.path);
            if (url.protocol === 'file:' && url.path.length === 0 && isDriveLetter(segment)) {
                segment = `${segment[0]}:`;
            }
            url.path.push(segment);
        }
    });
}

function setPathFrom(url, text) {
    url.path = [];
    if (isSpecial(url)) parsePath(url, /^[/\\]/.test(text) ? text.slice(1) : text);
    else if (text !== '') parsePath(url, text.startsWith('/') ? text.slice(1) : text);
}

function setQuery(url, text) {
    url.query = text === null ? null : encode(text, isSpecial(url) ? SETS.specialQuery : SETS.query);
}

function setFragment(url, text) {
    url.fragment = text === null ? null : encode(text, SETS.fragment);
}

// `rest` up to `?` or `#`, and what is behind them.
function splitTail(text) {
    let fragment = null;
    const hash = text.indexOf('#');
    if (hash !== -1) [text, fragment] = [text.slice(0, hash), text.slice(hash + 1)];
    let query = null;
    const mark = text.indexOf('?');
    if (mark !== -1) [text, query] = [text.slice(0, mark), text.slice(mark + 1)];
    return [text, query, fragment];
}

function cutAuthority(url, text) {
    const end = text.search(isSpecial(url) ? /[/\\]/ : /\//);
    return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end)];
}

function parseFile(url, text, base) {
    url.host = '';
    const slashes = /^[/\\]*/.exec(text)[0].length;
    const hasBase = base !== undefined && base.protocol === 'file:';
    if (slashes >= 2) {
        const rest = text.slice(2);
        const [authority, path] = cutAuthority(url, rest);
        if (isDriveLetter(authority)) {
            setPathFrom(url, rest);
            return true;
        }
        if (authority !== '') {
            const host = parseHost(authority, false);
            if (host === null) return false;
            url.host = host === 'localhost' ? '' : host;
        }
        setPathFrom(url, path);
        return true;
    }
    if (slashes === 1) {
        if (hasBase) {
            url.host = base.host;
            const [drive] = base.path;
            if (!startsWithDrive(text.slice(1)) && drive !== undefined && /^[A-Za-z]:$/.test(drive)) {
                url.path = [drive];
            }
        }
        parsePath(url, text.slice(1));
        return true;
    }
    if (!hasBase) {
        setPathFrom(url, text);
        return true;
    }
    url.host = base.host;
    if (!startsWithDrive(text)) {
        url.path = [...base.path];
        shorten(url);
    }
    parsePath(url, text);
    return true;
}

// What has no scheme, by the base's.
function parseRelative(url, text, base, query) {
    url.protocol = base.protocol;
    if (text.startsWith('//') || (isSpecial(url) && /^[/\\]{2}/.test(text))) {
        return parseAfterSlashes(url, isSpecial(url) ? text.replace(/^[/\\]+/, '') : text.slice(2));
    }
    for (const name of ['username', 'password', 'host', 'port']) url[name] = base[name];
    if (text === '') {
        url.path = [...base.path];
        if (query === null) url.query = base.query;
        return true;
    }
    if (text.startsWith('/') || (isSpecial(url) && text.startsWith('\\'))) {
        setPathFrom(url, text);
        return true;
    }
    url.path = [...base.path];
    shorten(url);
    parsePath(url, text);
    return true;
}

function parseAfterSlashes(url, text) {
    const [authority, path] = cutAuthority(url, text);
    if (isSpecial(url) || authority !== '') {
        if (!parseAuthority(url, authority)) return false;
    } else {
        url.host = '';
    }
    setPathFrom(url, path);
    return true;
}

/** Parses a URL; null if it is none. `base`: a record. */
function parse(input, base) {
    const trimmed = input.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '').replace(/[\t\n\r]/g, '');
    const [body, query, fragment] = splitTail(trimmed);
    const url = emptyRecord();
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(body);
    let isFine = true;
    if (scheme === null) {
        if (base === undefined) return null;
        if (typeof base.path === 'string') {
            if (body !== '' || query !== null || fragment === null) return null;
            Object.assign(url, base);
            setFragment(url, fragment);
            return url;
        }
        if (base.protocol === 'file:') {
            url.protocol = 'file:';
            isFine = parseFile(url, body, base);
            if (body === '') url.path = [...base.path];
            if (body === '' && query === null) url.query = base.query;
        } else {
            isFine = parseRelative(url, body, base, query);
        }
    } else {
        url.protocol = `${scheme[1].toLowerCase()}:`;
        const rest = body.slice(scheme[0].length);
        if (url.protocol === 'file:') {
            isFine = parseFile(url, rest, base);
            if (rest === '' && base?.protocol === 'file:') {
                url.path = [...base.path];
                if (query === null) url.query = base.query;
            }
        } else if (isSpecial(url)) {
            if (
                base !== undefined &&
                base.protocol === url.protocol &&
                !/^[/\\]{2}/.test(rest) &&
                !rest.startsWith('//')
            ) {
                isFine = parseRelative(url, rest, base, query);
            } else {
                isFine = parseAfterSlashes(url, rest.replace(/^[/\\]+/, ''));
            }
        } else if (rest.startsWith('//')) {
            isFine = parseAfterSlashes(url, rest.slice(2));
        } else if (rest.startsWith('/')) {
            setPathFrom(url, rest);
        } else {
            url.path = encode(rest, SETS.control);
        }
    }
    if (!isFine) return null;
    if (query !== null) setQuery(url, query);
    if (fragment !== null) setFragment(url, fragment);
    return url;
}

/** A record as text. */
function serialize(url, withoutFragment = false) {
    let text = url.protocol;
    if (url.host !== null) {
        text += '//';
        if (url.username !== '' || url.password !== '') {
            text += `${url.username}${url.password === '' ? '' : `:${url.password}`}@`;
        }
        text += url.host + (url.port === null ? '' : `:${url.port}`);
    } else if (typeof url.path !== 'string' && url.path.length > 1 && url.path[0] === '') {
        text += '/.';
    }
    text += pathText(url);
    if (url.query !== null) text += `?${url.query}`;
    if (url.fragment !== null && !withoutFragment) text += `#${url.fragment}`;
    return text;
}

function pathText(url) {
    return typeof url.path === 'string' ? url.path : url.path.map((segment) => `/${segment}`).join('');
}

module.exports = {
    SPECIAL,
    cutAuthority,
    isSpecial,
    parse,
    parseHostAndPort,
    parsePath,
    pathText,
    serialize,
    setFragment,
    setPathFrom,
    setPort,
    setQuery,
    splitPort,
};
