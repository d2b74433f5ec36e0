// https: the client's side.
'use strict';

const { clientFor } = require('internal/http_client');
const { Agent } = require('internal/http_agent');
const { coded } = require('internal/errors');

module.exports = {
    Agent,
    ...clientFor('https'),
    globalAgent: new Agent(),
    createServer() {
        throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'https.createServer() is not implemented');
    },
};
