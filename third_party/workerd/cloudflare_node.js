// Copyright (c) 2024 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
import { tcpPorts, } from 'cloudflare-internal:http';
function validatePort(port) {
    if (!Number.isFinite(port) ||
        port < 0 ||
        port > 65535) {
        throw new Error('Failed to determine port for server');
    }
    return port;
}
function invalidArg(message) {
    const error = new Error(message);
    // @ts-expect-error TS2339 We're imitating Node.js errors.
    error.code = 'ERR_INVALID_ARG_VALUE';
    return error;
}
// Resolves the port a descriptor refers to: a number, { port }, or a Node-style
// server, which is started with listen() if it has no address yet.
function resolvePort(desc) {
    if (typeof desc === 'number') {
        desc = { port: desc };
    }
    // While the TypeScript type system prevents `desc` from being null or undefined,
    // JavaScript does not, so we need to check for it at runtime.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (desc == null) {
        throw new Error('Server descriptor cannot be null or undefined');
    }
    let port = null;
    if (desc.port == null &&
        typeof desc.listen === 'function') {
        const server = desc;
        let serverPort = server.address()?.port;
        if (typeof serverPort === 'number') {
            port = serverPort;
        }
        else {
            // listen() assigns the port synchronously.
            server.listen();
            serverPort = server.address()?.port;
            if (typeof serverPort === 'number') {
                port = serverPort;
            }
        }
    }
    else if (typeof desc.port === 'number') {
        port = desc.port;
    }
    return validatePort(port);
}
// The port of an inbound socket is the port of its declared local address: the
// CONNECT authority for a service binding, or the listener address for a
// sockets entry.
function portFromAuthority(authority) {
    const m = typeof authority === 'string' ? /:(\d+)$/.exec(authority) : null;
    if (m === null) {
        throw new Error(`Failed to determine port for inbound socket from local address ${String(authority)}`);
    }
    return validatePort(Number(m[1]));
}
export async function handleAsNodeRequest(desc, request, env, ctx) {
    if (typeof desc === 'number') {
        desc = { port: desc };
    }
    // While TypeScript will complain if `desc` is null or undefined,
    // JavaScript does not enforce this, so we need to check at runtime.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    const port = validatePort(desc?.port);
    const instance = tcpPorts.getHandler(port);
    if (!instance || !('fetch' in instance)) {
        throw invalidArg(`Http server with port ${port} not found. This is likely a bug with your code. ` +
            `You should check if server.listen() was called with the same port (${port})`);
    }
    return await instance.fetch(request, env, ctx);
}
// Routes an inbound platform socket to the net.Server listening on the port the
// socket arrived on. Resolves when the connection is finished.
export async function handleAsNodeConnection(socket, env, ctx) {
    const port = portFromAuthority((await socket.opened).localAddress);
    const instance = tcpPorts.getHandler(port);
    if (!instance || !('connect' in instance)) {
        throw invalidArg(`No net.Server is listening on port ${port}. Call server.listen(${port}) to accept ` +
            `connections arriving on that port.`);
    }
    await instance.connect(socket, env, ctx);
}
export function connectHandler() {
    return {
        async connect(socket, env, ctx) {
            await handleAsNodeConnection(socket, env, ctx);
        },
    };
}
export function httpServerHandler(desc) {
    const port = resolvePort(desc);
    return {
        async fetch(req, env, ctx) {
            return await handleAsNodeRequest({ port }, req, env, ctx);
        },
    };
}
