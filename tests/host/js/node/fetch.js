// fetch, Request, Response, Headers, FormData.
const http = require('http');
const zlib = typeof Bun;
const srv = http.createServer((q, r) => {
    const u = new URL(q.url, 'http://x');
    let b = [];
    q.on('data', (c) => b.push(c)).on('end', () => {
        const body = Buffer.concat(b).toString();
        if (u.pathname === '/json') {
            r.setHeader('content-type', 'application/json');
            r.end(
                JSON.stringify({
                    m: q.method,
                    h: q.headers['x-t'],
                    ct: q.headers['content-type'],
                    te: q.headers['transfer-encoding'],
                    body,
                }),
            );
        } else if (u.pathname === '/redir') {
            r.writeHead(+u.searchParams.get('s'), { Location: '/json' });
            r.end();
        } else if (u.pathname === '/loop') {
            r.writeHead(302, { Location: '/loop' });
            r.end();
        } else if (u.pathname === '/slow') {
            r.write('begin');
            setTimeout(() => r.end('end'), 2000).unref();
        } else if (u.pathname === '/drop') {
            q.socket.destroy();
        } else if (u.pathname === '/cookies') {
            r.setHeader('Set-Cookie', ['a=1', 'b=2']);
            r.end('c');
        } else {
            r.statusCode = 404;
            r.end('none');
        }
    });
});
srv.listen(0, '127.0.0.1', async () => {
    const B = `http://127.0.0.1:${srv.address().port}`;
    const T = async (f) => {
        try {
            console.log(await f());
        } catch (e) {
            console.log(e.name, e.message.replace(B, 'B'), e.code, e.cause?.code, e.cause?.message);
        }
    };
    await T(async () => {
        const r = await fetch(B + '/json', { headers: { 'x-t': '1' } });
        return [
            r.status,
            r.ok,
            r.statusText,
            r.headers.get('content-type'),
            r.url.replace(B, 'B'),
            r.redirected,
            r.type,
            await r.json(),
            r.bodyUsed,
        ];
    });
    await T(async () => (await fetch(B + '/json', { method: 'POST', body: 'tëxt' })).json());
    await T(async () =>
        (await fetch(B + '/json', { method: 'POST', body: new URLSearchParams({ a: 'b c' }) })).json(),
    );
    await T(async () => (await fetch(B + '/json', { method: 'PUT', body: new Uint8Array([65, 66]) })).text());
    for (const s of [301, 302, 303, 307, 308])
        await T(async () => {
            const r = await fetch(`${B}/redir?s=${s}`, { method: 'POST', body: 'q' });
            const j = await r.json();
            return [s, r.redirected, j.m, j.body, j.ct];
        });
    await T(async () => (await fetch(`${B}/redir?s=302`, { redirect: 'manual' })).status);
    await T(async () => fetch(`${B}/redir?s=302`, { redirect: 'error' }));
    await T(() => fetch(B + '/loop'));
    await T(() => fetch('nope'));
    await T(() => fetch('ftp://x/'));
    await T(async () => (await fetch(B + '/x')).text());
    await T(async () => {
        const r = await fetch(B + '/slow');
        const it = r.body.getReader();
        const { value } = await it.read();
        it.cancel();
        return Buffer.from(value).toString();
    });
    await T(async () => {
        const ac = new AbortController();
        setTimeout(() => ac.abort(), 20);
        const r = await fetch(B + '/slow', { signal: ac.signal });
        return r.text();
    });
    await T(() => fetch(B, { signal: AbortSignal.abort() }));
    await T(() => fetch(B + '/slow', { signal: AbortSignal.timeout(30) }).then((r) => r.text()));
    await T(async () => {
        const r = await fetch(B + '/cookies');
        return [r.headers.getSetCookie(), r.headers.get('set-cookie'), (await r.arrayBuffer()).byteLength];
    });
    await T(async () => {
        const r = await fetch(B + '/json');
        const c = r.clone();
        return [(await r.text()).length > 0, (await c.json()).m];
    });
    await T(async () => {
        const r = await fetch(B + '/json');
        await r.text();
        return r.text();
    });
    await T(async () => (await fetch('data:text/plain;base64,aGk=')).text());
    await T(async () => {
        const r = new Response('a', { status: 201, headers: { x: 'y' } });
        return [r.status, await r.text(), [...r.headers]];
    });
    await T(() => Response.json({ a: 1 }).text());
    await T(() => new Request(B, { method: 'POST', body: 'b' }).text());
    await T(() =>
        new Headers([
            ['a', '1'],
            ['a', '2'],
        ]).get('A'),
    );
    await T(async () => {
        const f = new FormData();
        f.append('k', 'v');
        f.append('f', new Blob(['data']), 'n.txt');
        const r = await fetch(B + '/json', { method: 'POST', body: f });
        const j = await r.json();
        return [
            /^multipart\/form-data; boundary=/.test(j.ct),
            j.body.includes('name="k"'),
            (await new Response(j.body, { headers: { 'content-type': j.ct } }).formData()).get('k'),
        ];
    });
    await T(async () => {
        const r = await fetch(B + '/json', {
            method: 'POST',
            duplex: 'half',
            body: new ReadableStream({
                start(c) {
                    c.enqueue(new TextEncoder().encode('s1'));
                    c.enqueue(new TextEncoder().encode('s2'));
                    c.close();
                },
            }),
        });
        return r.json();
    });
    srv.close();
    srv.closeAllConnections();
});
