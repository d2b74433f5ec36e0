// A server for test_http.py. It prints its port, and what happens.
const http = require('http');

const server = http.createServer((request, response) => {
    if (request.url === '/wait') {
        response.write('begun');
        response.on('close', () => console.log('gone', response.writableFinished));
        return;
    }
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
        response.setHeader('X-Method', request.method);
        if (request.url === '/parts') {
            response.write('a');
            response.end('b');
        } else {
            response.end(`${request.httpVersion} ${request.url} ${Buffer.concat(parts)}`);
        }
    });
    request.on('error', (error) => console.log('error', error.code));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => server.close()).resume();
