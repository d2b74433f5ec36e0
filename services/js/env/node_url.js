// url: the WHATWG's classes, names of files, and the old url.parse.
'use strict';

const { URL } = require('internal/url');
const { URLSearchParams } = require('internal/search_params');
const { coded, expectString, invalidArgument } = require('internal/errors');

function fileURLToPath(value) {
    if (typeof value === 'string') value = new URL(value);
    else if (!(value instanceof URL))
        throw invalidArgument('path', 'of type string or an instance of URL', value);
    if (value.protocol !== 'file:')
        throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
    if (value.hostname !== '') {
        throw coded(
            TypeError,
            'ERR_INVALID_FILE_URL_HOST',
            'File URL host must be "localhost" or empty on linux',
        );
    }
    if (/%2f/i.test(value.pathname)) {
        throw coded(
            TypeError,
            'ERR_INVALID_FILE_URL_PATH',
            'File URL path must not include encoded / characters',
        );
    }
    return decodeURIComponent(value.pathname);
}

function pathToFileURL(path) {
    let resolved = require('path').resolve(path);
    if (path.endsWith('/') && !resolved.endsWith('/')) resolved += '/';
    const url = new URL('file:///');
    url.pathname = resolved
        .replaceAll('%', '%25')
        .replaceAll('\\', '%5C')
        .replaceAll('\n', '%0A')
        .replaceAll('\r', '%0D')
        .replaceAll('\t', '%09');
    return url;
}

/** For http.request: a URL as its options. */
function urlToHttpOptions(url) {
    const { hash, hostname, href, pathname, port, protocol, search } = url;
    const options = {
        protocol,
        hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
        hash,
        search,
        pathname,
        path: `${pathname}${search}`,
        href,
    };
    if (port !== '') options.port = Number(port);
    if (url.username || url.password) {
        options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    }
    return options;
}

function Url() {
    for (const name of [
        'protocol',
        'slashes',
        'auth',
        'host',
        'port',
        'hostname',
        'hash',
        'search',
        'query',
        'pathname',
        'path',
        'href',
    ])
        this[name] = null;
}

/** The parts of a URL as they stand there, of relative ones too (RFC 3986, appendix B). */
function parse(text, parseQuery = false, slashesDenoteHost = false) {
    expectString('url', text);
    const url = new Url();
    const [, , protocol, , authority, pathname, search, , hash] =
        /^(([a-z][a-z0-9+.-]*:))?(\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?(#.*)?$/is.exec(text.trim());
    url.protocol = protocol?.toLowerCase() ?? null;
    let path = pathname;
    if (authority !== undefined && (protocol !== undefined || slashesDenoteHost)) {
        url.slashes = true;
        const at = authority.lastIndexOf('@');
        if (at !== -1) url.auth = decodeURIComponent(authority.slice(0, at));
        const [, hostname, , port] = /^(\[[^\]]*\]|[^:]*)(:(\d*))?$/.exec(authority.slice(at + 1)) ?? [
            null,
            authority.slice(at + 1),
        ];
        url.hostname = hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
        url.port = port || null;
        url.host = hostname.toLowerCase() + (url.port === null ? '' : `:${url.port}`);
        if (path === '' && /^(https?|ftp|wss?|file):$/.test(url.protocol)) path = '/';
    } else if (authority !== undefined) {
        path = `//${authority}${path}`;
    }
    url.hash = hash ?? null;
    url.search = search ?? (parseQuery ? '' : null);
    url.query = parseQuery
        ? require('querystring').parse((search ?? '').slice(1))
        : (search?.slice(1) ?? null);
    url.pathname = path === '' ? null : path;
    url.path =
        url.pathname === null && url.search === null ? null : (url.pathname ?? '') + (url.search ?? '');
    if (url.path === '') url.path = null;
    url.href = format(url);
    return url;
}

function format(url, options = {}) {
    if (typeof url === 'string') url = parse(url);
    if (url instanceof URL) {
        const copy = new URL(url.href);
        if (options.auth === false) copy.username = copy.password = '';
        if (options.fragment === false) copy.hash = '';
        if (options.search === false) copy.search = '';
        return copy.href;
    }
    let { protocol = '', pathname = '', hash = '', search = '', auth } = url;
    if (protocol && !protocol.endsWith(':')) protocol += ':';
    let host = '';
    if (url.host) host = url.host;
    else if (url.hostname)
        host =
            (url.hostname.includes(':') ? `[${url.hostname}]` : url.hostname) +
            (url.port ? `:${url.port}` : '');
    if (auth && host) host = `${encodeURIComponent(auth).replace(/%3A/i, ':')}@${host}`;
    if (!search && url.query && typeof url.query === 'object') {
        const query = require('querystring').stringify(url.query);
        search = query && `?${query}`;
    }
    const isSlashed = url.slashes || /^(https?|ftp|wss?|file):$/.test(protocol ?? '');
    if (isSlashed && (host || protocol)) {
        host = `//${host}`;
        if (pathname && !pathname.startsWith('/')) pathname = `/${pathname}`;
    }
    if (hash && !hash.startsWith('#')) hash = `#${hash}`;
    if (search && !search.startsWith('?')) search = `?${search}`;
    const escaped = (pathname ?? '').replace(/[?#]/g, encodeURIComponent);
    return `${protocol ?? ''}${host}${escaped}${(search ?? '').replaceAll('#', '%23')}${hash ?? ''}`;
}

/** `to` as a link on a page at `from`. */
function resolve(from, to) {
    const base = new URL(from, 'resolve://');
    const url = new URL(to, base);
    if (url.protocol !== 'resolve:') return url.href;
    return `${url.pathname}${url.search}${url.hash}`.replace(
        /^\/(?!.)/,
        from.startsWith('/') || to.startsWith('/') ? '/' : '',
    );
}

module.exports = {
    URL,
    URLSearchParams,
    Url,
    domainToASCII: (domain) => binding('idna').toAscii(domain) ?? '',
    fileURLToPath,
    format,
    parse,
    pathToFileURL,
    resolve,
    urlToHttpOptions,
};
