// fetch (WHATWG Fetch), without what belongs to browsers: no CORS, cookies or caches.
'use strict';

const host = binding('http_client');
const { Headers } = require('internal/headers');
const { ReadableStream } = require('internal/readable_stream');
const { Request, Response } = require('internal/fetch_bodies');
const { utf8 } = require('internal/encoding');
const MAX_REDIRECTS = 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const failed = (cause) => new TypeError('fetch failed', { cause });

function dataResponse(url) {
    const [, type, isBase64, data] = /^data:([^,]*?)(;\s*base64)?,(.*)$/is.exec(url) ?? [];
    if (data === undefined) throw failed(new Error('invalid data URL'));
    const bytes = require('internal/url_percent').decodeBytes(data);
    const body = isBase64 ? Buffer.from(Buffer.from(bytes).toString('latin1'), 'base64') : bytes;
    return Response.received(body, {
        url,
        headers: new Headers({ 'content-type': type || 'text/plain;charset=US-ASCII' }),
        statusText: 'OK',
    });
}

function headOf(request, url, length, isStream) {
    const { headers } = request;
    let head = `${request.method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n`;
    const add = (name, value) => {
        if (!headers.has(name)) head += `${name}: ${value}\r\n`;
    };
    add('accept', '*/*');
    add('accept-language', '*');
    add('user-agent', 'ovum');
    add('accept-encoding', 'gzip, deflate');
    if (isStream) head += 'transfer-encoding: chunked\r\n';
    else if (length > 0 || /^(POST|PUT|PATCH)$/.test(request.method)) head += `content-length: ${length}\r\n`;
    for (const [name, value] of headers) {
        if (!/^(host|connection|content-length|transfer-encoding|keep-alive|upgrade)$/.test(name))
            head += `${name}: ${value}\r\n`;
    }
    return `${head}\r\n`;
}

async function send(number, data) {
    if (!host.send(number, data)) await host.drain(number);
}

// One request and the head of its answer; `body` is bytes, a stream or null.
async function exchange(request, url, body, number) {
    const isSecure = url.protocol === 'https:';
    const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
    await host.open(number, name, Number(url.port) || (isSecure ? 443 : 80), isSecure, {});
    const isStream = body instanceof ReadableStream;
    const head = headOf(request, url, isStream ? 0 : (body?.length ?? 0), isStream);
    await send(number, head);
    if (isStream) {
        for await (const chunk of body) {
            const bytes = typeof chunk === 'string' ? utf8(chunk) : chunk;
            if (bytes.length === 0) continue;
            await send(number, `${bytes.length.toString(16)}\r\n`);
            await send(number, bytes);
            await send(number, '\r\n');
        }
        await send(number, '0\r\n\r\n');
    } else if (body !== null && body.length > 0) {
        await send(number, body);
    }
    const [, status, statusText, fields, hasBody] = await host.response(number, request.method, true);
    const headers = new Headers();
    const lines = fields === '' ? [] : fields.split('\n');
    for (let i = 0; i < lines.length; i += 2) headers.append(lines[i], lines[i + 1]);
    return { status, statusText, headers, hasBody };
}

function bodyStream(number, signal) {
    const stop = () => {
        host.close(number);
        stream.controller.error(signal.reason);
    };
    const stream = new ReadableStream({
        async pull(controller) {
            let chunk;
            try {
                chunk = await host.read(number);
            } catch (cause) {
                throw signal?.aborted ? signal.reason : new TypeError('terminated', { cause });
            }
            if (chunk === undefined || chunk === null) {
                signal?.removeEventListener('abort', stop);
                controller.close();
            } else {
                controller.enqueue(new Uint8Array(chunk));
            }
        },
        cancel: () => host.close(number),
    });
    signal?.addEventListener('abort', stop, { once: true });
    return stream;
}

// How a request goes on at another place (Fetch, 4.4, "HTTP-redirect fetch").
function redirected(request, status, from, to) {
    const init = {
        method: request.method,
        headers: new Headers(request.headers),
        redirect: request.redirect,
    };
    const becomesGet =
        (status === 303 && !/^(GET|HEAD)$/.test(request.method)) ||
        ((status === 301 || status === 302) && request.method === 'POST');
    if (becomesGet) {
        init.method = 'GET';
        for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type'])
            init.headers.delete(name);
    }
    if (from.origin !== to.origin)
        for (const name of ['authorization', 'cookie', 'host']) init.headers.delete(name);
    return [new Request(to.href, init), becomesGet];
}

async function fetch(input, init) {
    let request = new Request(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
    if (signal?.aborted) throw signal.reason;
    let url = new URL(request.url);
    if (url.protocol === 'data:') return dataResponse(url.href);
    const type = await request.laterType();
    if (type && !request.headers.has('content-type')) request.headers.set('content-type', type);
    // Bytes can be sent again; a stream is sent as it comes.
    const given = init?.body;
    let body = null;
    if (request.body !== null) {
        const isStream =
            given instanceof ReadableStream || typeof given?.[Symbol.asyncIterator] === 'function';
        body = isStream ? request.body : await request.bytes();
    }
    for (let count = 0; ; count++) {
        if (!/^https?:$/.test(url.protocol)) throw failed(new Error('unknown scheme'));
        const number = host.make();
        const stop = () => host.close(number);
        signal?.addEventListener('abort', stop, { once: true });
        let answer;
        try {
            answer = await exchange(request, url, body, number);
        } catch (cause) {
            host.close(number);
            throw signal?.aborted ? signal.reason : failed(cause);
        } finally {
            signal?.removeEventListener('abort', stop);
        }
        if (signal?.aborted) {
            host.close(number);
            throw signal.reason;
        }
        const { status, statusText, headers, hasBody } = answer;
        const location = headers.get('location');
        if (REDIRECTS.has(status) && location !== null && request.redirect !== 'manual') {
            host.close(number);
            if (request.redirect === 'error') throw failed(new Error('unexpected redirect'));
            if (count >= MAX_REDIRECTS) throw failed(new Error('redirect count exceeded'));
            const next = new URL(location, url);
            if (next.hash === '') next.hash = url.hash;
            if (body instanceof ReadableStream && status !== 303)
                throw failed(new Error('the body was a stream'));
            let becomesGet;
            [request, becomesGet] = redirected(request, status, url, next);
            if (becomesGet) body = null;
            url = next;
            continue;
        }
        if (!hasBody) host.close(number);
        const stream = hasBody ? bodyStream(number, signal) : null;
        url.hash = '';
        return Response.received(stream, {
            status,
            statusText,
            headers,
            url: url.href,
            redirected: count > 0,
            type: 'basic',
        });
    }
}

module.exports = { fetch };
