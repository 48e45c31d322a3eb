// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
// Copyright Joyent and Node contributors. All rights reserved. MIT license.
import { EventEmitter } from 'node-internal:events';
import { validateOneOf, validateNumber } from 'node-internal:validators';
import { ERR_METHOD_NOT_IMPLEMENTED } from 'node-internal:internal_errors';
// This is mostly a stub implementation.
// We don't intend to support the Agent API right now beyond providing a very limited stub API.
//
export class Agent extends EventEmitter {
    defaultPort;
    protocol;
    options;
    agentKeepAliveTimeoutBuffer = 1000;
    keepAliveMsecs = 1000;
    keepAlive = false;
    maxSockets;
    maxFreeSockets;
    scheduling = 'lifo';
    maxTotalSockets;
    totalSocketCount;
    freeSockets = {};
    sockets = {};
    requests = {};
    constructor(options) {
        super({});
        this.options = { __proto__: null, ...options };
        // Match Node.js: read defaultPort and protocol from options with fallbacks,
        // set path = null, and ensure proxyEnv key exists.
        /* eslint-disable @typescript-eslint/no-unsafe-assignment,
           @typescript-eslint/no-unsafe-member-access,
           @typescript-eslint/no-explicit-any */
        const opts = this.options;
        this.defaultPort = opts.defaultPort || 80;
        this.protocol = opts.protocol || 'http:';
        opts.path = null;
        if (!('proxyEnv' in opts)) {
            opts.proxyEnv = undefined;
        }
        if (opts.noDelay === undefined)
            opts.noDelay = true;
        /* eslint-enable @typescript-eslint/no-unsafe-assignment,
           @typescript-eslint/no-unsafe-member-access,
           @typescript-eslint/no-explicit-any */
        // Don't confuse net and make it think that we're connecting to a pipe
        this.keepAliveMsecs = this.options.keepAliveMsecs || 1000;
        this.keepAlive = this.options.keepAlive || false;
        this.maxSockets = this.options.maxSockets || Agent.defaultMaxSockets;
        this.maxFreeSockets = this.options.maxFreeSockets || 256;
        this.scheduling = this.options.scheduling || 'lifo';
        this.totalSocketCount = 0;
        validateOneOf(this.scheduling, 'scheduling', ['fifo', 'lifo']);
        if (this.options.maxTotalSockets !== undefined) {
            validateNumber(this.options.maxTotalSockets, 'maxTotalSockets', 1);
            this.maxTotalSockets = this.options.maxTotalSockets;
        }
        else {
            this.maxTotalSockets = Infinity;
        }
    }
    static defaultMaxSockets = Infinity;
    createConnection(_options, _callback) {
        // We can't create a connection like this because our implementation
        // relies on fetch() not on node:net sockets. In node.js, method
        // calls node:net's createConnection method.
        throw new ERR_METHOD_NOT_IMPLEMENTED('createConnection');
    }
    getName(options = {}) {
        let name = options.host || 'localhost';
        name += ':';
        if (options.port)
            name += options.port.toString();
        name += ':';
        if (options.localAddress)
            name += options.localAddress;
        // Pacify parallel/test-http-agent-getname by only appending
        // the ':' when options.family is set.
        if (options.family === 4 || options.family === 6)
            name += `:${options.family}`;
        if (options.socketPath)
            name += `:${options.socketPath}`;
        return name;
    }
    addRequest(_req, _options) {
        // Not implemented. Acts as a no-op.
    }
    createSocket(_req, _options, _callback) {
        // Not implemented. Acts as a no-op.
    }
    removeSocket(_socket) {
        // Not implemented. Acts as a no-op.
    }
    keepSocketAlive(_socket) {
        // Not implemented. Acts as a no-op.
        return false;
    }
    reuseSocket(_socket, _req) {
        // Not implemented. Acts as a no-op.
    }
    destroy(_error) {
        // Not implemented. Acts as a no-op.
    }
}
export const globalAgent = new Agent({
    keepAlive: true,
    scheduling: 'lifo',
    timeout: 5000,
});
