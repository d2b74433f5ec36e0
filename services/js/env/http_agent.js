// http.Agent: its options are kept; connections are not.
'use strict';

class Agent {
    constructor(options = {}) {
        this.options = { ...options };
        this.maxSockets = options.maxSockets ?? Infinity;
        this.keepAlive = options.keepAlive ?? false;
        this.sockets = {};
        this.freeSockets = {};
        this.requests = {};
    }

    destroy() {}
}

module.exports = { Agent };
