// A web server, as for node, that shows the machine it runs on:
//
//     ovum run -p 8080:8080 examples/js-web-server
//     curl http://127.0.0.1:8080/machine
//
// It runs on the host as well (python3 -m ovum.services.js examples/js-web-server), and but for
// /machine with node.
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const PORT = Number(process.env.PORT ?? 8080);

function sendJson(response, value, status = 200) {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify(value, null, 2)}\n`);
}

/** What the processor and the buses say. On a host `sys` throws ERR_NO_MACHINE. */
function describeMachine() {
    const { vendor, brand, features } = sys.cpuid();
    return {
        processor: { vendor, brand, features: features.length },
        devices: sys.pci().map(({ address, name }) => `${address} ${name}`),
        memory: os.totalmem(),
        uptime: process.uptime(),
    };
}

const routes = {
    'GET /': (request, response) => {
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        fs.createReadStream(path.join(__dirname, 'index.html')).pipe(response);
    },
    'GET /machine': (request, response) => sendJson(response, describeMachine()),
    'GET /hello': (request, response, query) => {
        sendJson(response, { hello: query.get('name') ?? 'world' });
    },
    'POST /echo': async (request, response) => {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        response.end(Buffer.concat(chunks));
    },
};

const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://machine');
    const route = routes[`${request.method} ${url.pathname}`];
    console.log(request.method, request.url, request.socket.remoteAddress);
    if (route === undefined) {
        sendJson(response, { error: 'there is no such page' }, 404);
        return;
    }
    try {
        await route(request, response, url.searchParams);
    } catch (error) {
        sendJson(response, { error: error.message }, 500);
    }
});

server.listen(PORT, () => console.log(`listening on port ${PORT}`));

module.exports = { server };
