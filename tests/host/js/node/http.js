// http: a server and its client.
const http = require('http');
const srv = http.createServer((req, res) => {
    if (req.url === '/hello') {
        res.setHeader('X-A', 'b');
        res.end('hello ' + req.method);
    } else if (req.url === '/chunks') {
        res.write('one,');
        setTimeout(() => {
            res.write('twö,');
            res.end('three');
        }, 5);
    } else if (req.url === '/echo') {
        let b = [];
        req.on('data', (c) => b.push(c)).on('end', () => {
            res.statusCode = 201;
            res.end(Buffer.concat(b).toString().toUpperCase());
        });
    } else if (req.url === '/big') {
        res.end('x'.repeat(3000000));
    } else if (req.url === '/drop') {
        req.socket.destroy();
    } else {
        res.statusCode = 404;
        res.end();
    }
});
srv.listen(0, '127.0.0.1', async () => {
    const { port, address, family } = srv.address();
    console.log(address, family, srv.listening);
    const go = (path, opt = {}, body) =>
        new Promise((ok) => {
            const r = http.request({ port, host: '127.0.0.1', path, ...opt }, (res) => {
                let s = '';
                res.setEncoding('utf8');
                res.on('data', (c) => (s += c)).on('end', () =>
                    ok([
                        res.statusCode,
                        res.statusMessage,
                        res.headers['x-a'],
                        res.headers['content-length'],
                        res.headers['transfer-encoding'],
                        s.length > 100 ? s.length : s,
                        res.complete,
                    ]),
                );
            });
            r.on('error', (e) => ok([e.code, e.message]));
            r.end(body);
        });
    console.log(await go('/hello'));
    console.log(await go('/chunks'));
    console.log(await go('/echo', { method: 'POST' }, 'some böd'));
    console.log(await go('/big'));
    console.log(await go('/nope'));
    console.log(await go('/hello', { method: 'HEAD' }));
    console.log(await go('/drop'));
    console.log(await go('/echo', { method: 'PUT' }, 'z'.repeat(500000)));
    http.get(`http://127.0.0.1:${port}/hello`, { headers: { a: 'b' } }, (res) => {
        res.resume();
        res.on('end', () => {
            console.log('got', res.headers['x-a'], res.httpVersion, res.rawHeaders.length > 0);
            http.get('http://127.0.0.1:1/', () => {}).on('error', (e) => {
                console.log(e.code, e.syscall, e.address, e.port, e.message);
                console.log(srv.close(() => console.log('closed')).listening);
            });
        });
    });
});
