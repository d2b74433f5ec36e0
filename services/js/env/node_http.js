// http.
'use strict';

const { Server, ServerResponse } = require('internal/http_server');
const { IncomingMessage, OutgoingMessage } = require('internal/http_messages');
const { METHODS, STATUS_CODES } = require('internal/http_names');
const { ClientRequest, clientFor } = require('internal/http_client');
const { Agent } = require('internal/http_agent');

module.exports = {
    Agent,
    ClientRequest,
    IncomingMessage,
    METHODS,
    OutgoingMessage,
    STATUS_CODES,
    Server,
    ServerResponse,
    ...clientFor('http'),
    createServer: (options, listener) => new Server(options, listener),
    globalAgent: new Agent(),
    maxHeaderSize: 16384,
    validateHeaderName: (name) => require('internal/http_messages').checkField(name, ''),
    validateHeaderValue: (name, value) => require('internal/http_messages').checkField(name, value),
};
