// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
// Copyright Joyent and Node contributors. All rights reserved. MIT license.
import { Server, ServerResponse, setupConnectionsTracking, storeHTTPOptions, _connectionListener, httpServerPreClose, kConnectionsCheckingInterval, } from 'node-internal:internal_http_server';
import { kServerResponse } from 'node-internal:internal_http_util';
import { STATUS_CODES } from 'node-internal:internal_http_constants';
export { STATUS_CODES, kServerResponse };
export * from 'node-internal:internal_http_server';
export default {
    STATUS_CODES,
    Server,
    ServerResponse,
    setupConnectionsTracking,
    storeHTTPOptions,
    _connectionListener,
    kServerResponse,
    httpServerPreClose,
    kConnectionsCheckingInterval,
};
