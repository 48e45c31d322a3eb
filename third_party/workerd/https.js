// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
// Copyright Joyent and Node contributors. All rights reserved. MIT license.
import { urlToHttpOptions, isURL } from 'node-internal:internal_url';
import { ClientRequest } from 'node-internal:internal_http_client';
import { Agent, globalAgent } from 'node-internal:internal_https_agent';
import { ERR_METHOD_NOT_IMPLEMENTED } from 'node-internal:internal_errors';
import { Server } from 'node-internal:internal_https_server';
const enableNodejsHttpServerModules = !!Cloudflare.compatibilityFlags['enable_nodejs_http_server_modules'];
export function request(...args) {
    let options = {};
    if (typeof args[0] === 'string') {
        const urlStr = args.shift();
        options = urlToHttpOptions(new URL(urlStr));
    }
    else if (isURL(args[0])) {
        options = urlToHttpOptions(args.shift());
    }
    if (args.length > 0 && typeof args[0] !== 'function') {
        Object.assign(options, args.shift());
    }
    options._defaultAgent = globalAgent;
    args.unshift(options);
    // @ts-expect-error TS2556 This is OK.
    return new ClientRequest(...args);
}
export function get(input, options, cb) {
    const req = request(input, options, cb);
    req.end();
    return req;
}
export function createServer(options, handler) {
    if (!enableNodejsHttpServerModules) {
        throw new ERR_METHOD_NOT_IMPLEMENTED('createServer');
    }
    return new Server(options, handler);
}
export { Agent, globalAgent, Server };
export default {
    get,
    request,
    Agent,
    globalAgent,
    createServer,
    Server,
};
