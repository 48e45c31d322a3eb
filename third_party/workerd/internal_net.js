// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
//
// Copyright Joyent, Inc. and other Node contributors.
//
// Permission is hereby granted, free of charge, to any person obtaining a
// copy of this software and associated documentation files (the
// "Software"), to deal in the Software without restriction, including
// without limitation the rights to use, copy, modify, merge, publish,
// distribute, sublicense, and/or sell copies of the Software, and to permit
// persons to whom the Software is furnished to do so, subject to the
// following conditions:
//
// The above copyright notice and this permission notice shall be included
// in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS
// OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
// MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN
// NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
// DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
// OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
// USE OR OTHER DEALINGS IN THE SOFTWARE.
/* eslint-disable @typescript-eslint/no-empty-object-type */
import inner from 'cloudflare-internal:sockets';
import { tcpPorts, HOST_ADDRESS, GATEWAY_ADDRESS, } from 'cloudflare-internal:http';
import { EventEmitter } from 'node-internal:events';
import { AbortError, ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE, ERR_MISSING_ARGS, ERR_OUT_OF_RANGE, ERR_OPTION_NOT_IMPLEMENTED, ERR_SOCKET_CLOSED, ERR_SOCKET_CLOSED_BEFORE_CONNECTION, ERR_SOCKET_CONNECTING, ERR_SOCKET_HANDLE_ADOPTED, ERR_SERVER_ALREADY_LISTEN, ERR_SERVER_NOT_RUNNING, ERR_INVALID_IP_ADDRESS, ERR_INVALID_ADDRESS, EADDRINUSE, EADDRNOTAVAIL, EPIPE, ENOBUFS, ConnectException, GetAddrInfoException, SocketErrnoException, } from 'node-internal:internal_errors';
import { validateAbortSignal, validateArray, validateFunction, validateInt32, validateNumber, validatePort, validateObject, validateOneOf, validateBoolean, validateString, validateUint32, } from 'node-internal:validators';
import { isUint8Array, isArrayBufferView } from 'node-internal:internal_types';
import { nextTick } from 'node-internal:internal_process';
import { Duplex } from 'node-internal:streams_duplex';
import { Buffer } from 'node-internal:internal_buffer';
import { kDestroyed, kIsReadable, kIsWritable, } from 'node-internal:streams_util';
import { JSStreamSocket } from 'node-internal:internal_tls_jsstream';
import { inspect } from 'node-internal:internal_inspect';
const kInspect = inspect.custom;
const kLastWriteQueueSize = Symbol('kLastWriteQueueSize');
const kTimeout = Symbol('kTimeout');
const kBuffer = Symbol('kBuffer');
const kBufferCb = Symbol('kBufferCb');
const kBufferGen = Symbol('kBufferGen');
const kBufferContinuations = Symbol('kBufferContinuations');
const kBytesRead = Symbol('kBytesRead');
const kBytesWritten = Symbol('kBytesWritten');
const kUpdateTimer = Symbol('kUpdateTimer');
export const normalizedArgsSymbol = Symbol('normalizedArgs');
export const kReinitializeHandle = Symbol('kReinitializeHandle');
// Once the socket has been opened, the socket info provided by the
// socket.opened promise will be stored here.
const kSocketInfo = Symbol('kSocketInfo');
// The local address of a Socket, either adopted from a BoundSocket or autobound
// on connect. kBoundReserved marks a port table reservation to be released on
// destroy; false when the address is only a label.
const kBoundSource = Symbol('kBoundSource');
const kBoundReserved = Symbol('kBoundReserved');
const kBoundSocketConsume = Symbol('kBoundSocketConsume');
const DEFAULT_IPV4_ADDR = '0.0.0.0';
const DEFAULT_IPV6_ADDR = '::';
function isWildcard(address) {
    return address === DEFAULT_IPV4_ADDR || address === DEFAULT_IPV6_ADDR;
}
// A synthetic IPv4 address in the form the given family reports it.
function forFamily(address, family) {
    return family === 'IPv6' ? `::ffff:${address}` : address;
}
// The concrete address a socket bound to the wildcard reports once connected
// or accepted: the isolate's host address, as Linux reports the interface the
// connection uses.
function concreteLocal(bound) {
    if (!isWildcard(bound.address))
        return bound;
    return { ...bound, address: forFamily(HOST_ADDRESS, bound.family) };
}
// Reserves port in the isolate's table (shared with http servers), allocating
// an ephemeral port for 0. Throws EADDRINUSE on conflict. Binding is
// role-neutral, so a declared listener port is never taken here;
// Server.listen() claims one.
export function bindPort(address, port, reusePort = false) {
    if (port === 0) {
        port = tcpPorts.ephemeral();
        if (port === 0)
            throw new EADDRINUSE(address, port);
    }
    if (!tcpPorts.tryBind(port, reusePort)) {
        throw new EADDRINUSE(address, port);
    }
    return port;
}
function releaseBoundSource(socket) {
    if (socket[kBoundReserved]) {
        tcpPorts.unregister(socket);
        tcpPorts.release(socket[kBoundSource].port);
        socket[kBoundReserved] = false;
    }
    socket[kBoundSource] = null;
}
// IPv4 Segment
const v4Seg = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])';
const v4Str = `(?:${v4Seg}\\.){3}${v4Seg}`;
const IPv4Reg = new RegExp(`^${v4Str}$`);
// IPv6 Segment
const v6Seg = '(?:[0-9a-fA-F]{1,4})';
const IPv6Reg = new RegExp('^(?:' +
    `(?:${v6Seg}:){7}(?:${v6Seg}|:)|` +
    `(?:${v6Seg}:){6}(?:${v4Str}|:${v6Seg}|:)|` +
    `(?:${v6Seg}:){5}(?::${v4Str}|(?::${v6Seg}){1,2}|:)|` +
    `(?:${v6Seg}:){4}(?:(?::${v6Seg}){0,1}:${v4Str}|(?::${v6Seg}){1,3}|:)|` +
    `(?:${v6Seg}:){3}(?:(?::${v6Seg}){0,2}:${v4Str}|(?::${v6Seg}){1,4}|:)|` +
    `(?:${v6Seg}:){2}(?:(?::${v6Seg}){0,3}:${v4Str}|(?::${v6Seg}){1,5}|:)|` +
    `(?:${v6Seg}:){1}(?:(?::${v6Seg}){0,4}:${v4Str}|(?::${v6Seg}){1,6}|:)|` +
    `(?::(?:(?::${v6Seg}){0,5}:${v4Str}|(?::${v6Seg}){1,7}|:))` +
    ')(?:%[0-9a-zA-Z-.:]{1,})?$');
const TIMEOUT_MAX = 2 ** 31 - 1;
// Reserves a port in the virtual port table; the adopting Socket reports the
// bound address as its local address.
export class BoundSocket {
    #address;
    // Bound with port 0, so a server adopting it may re-home it onto a declared
    // listener port.
    #ephemeral;
    static isBoundSocket(value) {
        return typeof value === 'object' && value !== null && #address in value;
    }
    constructor(options = {}) {
        validateObject(options, 'options');
        if (options.path !== undefined) {
            throw new ERR_INVALID_ARG_VALUE('options.path', options.path, 'is not supported');
        }
        const port = validatePort(options.port ?? 0, 'options.port');
        this.#ephemeral = port === 0;
        const ipv6Only = options.ipv6Only ?? false;
        validateBoolean(ipv6Only, 'options.ipv6Only');
        const reusePort = options.reusePort ?? false;
        validateBoolean(reusePort, 'options.reusePort');
        let { host } = options;
        let addressType;
        if (host === undefined || host === null) {
            host = ipv6Only ? DEFAULT_IPV6_ADDR : DEFAULT_IPV4_ADDR;
            addressType = ipv6Only ? 6 : 4;
        }
        else {
            validateString(host, 'options.host');
            addressType = isIP(host);
            if (addressType === 0) {
                throw new ERR_INVALID_ARG_VALUE('options.host', host, 'must be a numeric IP address; net.BoundSocket does not perform DNS resolution');
            }
        }
        this.#address = {
            address: host,
            family: addressType === 6 ? 'IPv6' : 'IPv4',
            port: bindPort(host, port, reusePort),
        };
        tcpPorts.register(this, this.#address.port);
    }
    address() {
        if (this.#address === null) {
            throw new ERR_SOCKET_HANDLE_ADOPTED();
        }
        return this.#address;
    }
    // Workers have no file descriptors; -1 matches Node.js on platforms without
    // socket fds.
    fd() {
        if (this.#address === null) {
            throw new ERR_SOCKET_HANDLE_ADOPTED();
        }
        return -1;
    }
    close() {
        if (this.#address === null) {
            throw new ERR_SOCKET_HANDLE_ADOPTED();
        }
        tcpPorts.unregister(this);
        tcpPorts.release(this.#address.port);
        this.#address = null;
    }
    [Symbol.dispose]() {
        if (this.#address !== null) {
            this.close();
        }
    }
    // Transfers the reservation to the adopter.
    [kBoundSocketConsume]() {
        if (this.#address === null) {
            throw new ERR_SOCKET_HANDLE_ADOPTED();
        }
        tcpPorts.unregister(this);
        const address = this.#address;
        this.#address = null;
        return { address, ephemeral: this.#ephemeral };
    }
}
function familyOf(address) {
    switch (isIP(address)) {
        case 4:
            return 'IPv4';
        case 6:
            return 'IPv6';
        default:
            return undefined;
    }
}
// Splits a "host:port" / "[v6]:port" authority; "*" is the wildcard.
function parseAuthority(authority) {
    if (typeof authority !== 'string')
        return null;
    const m = /^\[?([^\]]*?)\]?:(\d+)$/.exec(authority);
    if (m === null)
        return null;
    const address = m[1] === '*' ? DEFAULT_IPV4_ADDR : m[1];
    const info = { address, port: Number(m[2]) };
    const family = familyOf(address);
    if (family !== undefined)
        info.family = family;
    return info;
}
// A listening server reserves its port in the isolate's TCP port table and
// installs a connect handler there. Inbound platform sockets are routed to it
// by local port (see connectHandler in cloudflare:node) and wrapped as
// net.Sockets; the platform owns the local endpoint, so nothing is released
// per connection.
export class Server extends EventEmitter {
    #address = null;
    #connections = 0;
    #closing = false;
    #handler = {
        connect: (socket) => this.#onConnection(socket),
    };
    allowHalfOpen;
    pauseOnConnect;
    noDelay;
    keepAlive;
    keepAliveInitialDelay;
    highWaterMark;
    maxConnections = undefined;
    constructor(options, connectionListener) {
        super();
        if (typeof options === 'function') {
            connectionListener = options;
            options = {};
        }
        else if (options == null) {
            options = {};
        }
        else {
            validateObject(options, 'options');
        }
        if (connectionListener !== undefined) {
            validateFunction(connectionListener, 'connectionListener');
            this.on('connection', connectionListener);
        }
        let keepAliveInitialDelay = options.keepAliveInitialDelay;
        if (keepAliveInitialDelay !== undefined) {
            validateNumber(keepAliveInitialDelay, 'options.keepAliveInitialDelay');
            if (keepAliveInitialDelay < 0)
                keepAliveInitialDelay = 0;
        }
        this.allowHalfOpen = options.allowHalfOpen ?? false;
        this.pauseOnConnect = Boolean(options.pauseOnConnect);
        this.noDelay = Boolean(options.noDelay);
        this.keepAlive = Boolean(options.keepAlive);
        this.keepAliveInitialDelay = ~~((keepAliveInitialDelay ?? 0) / 1000);
        this.highWaterMark = options.highWaterMark;
    }
    listen(...args) {
        const [options, cb] = _normalizeArgs(args);
        if (this.#address !== null) {
            throw new ERR_SERVER_ALREADY_LISTEN();
        }
        if (cb !== null) {
            this.once('listening', cb);
        }
        let bound = null;
        if (BoundSocket.isBoundSocket(options)) {
            bound = options;
        }
        else if (BoundSocket.isBoundSocket(options.handle)) {
            bound = options.handle;
        }
        const fail = (err) => {
            queueMicrotask(() => {
                this.emit('error', err);
            });
            return this;
        };
        let address;
        if (bound !== null) {
            // Adoption transfers the reservation to the server.
            let ephemeral;
            ({ address, ephemeral } = bound[kBoundSocketConsume]());
            if (tcpPorts.hasDeclared() && !tcpPorts.isDeclared(address.port)) {
                tcpPorts.release(address.port);
                if (!ephemeral) {
                    return fail(new EADDRNOTAVAIL(address.address, address.port));
                }
                // A socket bound with port 0 becomes a listener on a declared port,
                // so new BoundSocket() + listen(bound) lands where connections arrive.
                const declared = tcpPorts.unclaimedDeclared();
                if (declared === 0 || !tcpPorts.tryBind(declared)) {
                    return fail(new EADDRINUSE(address.address, 0));
                }
                address = { ...address, port: declared };
            }
        }
        else {
            const opts = options;
            if (opts.path != null) {
                throw new ERR_INVALID_ARG_VALUE('options.path', opts.path, 'is not supported');
            }
            if (opts.handle != null || opts.fd != null) {
                throw new ERR_INVALID_ARG_VALUE('options', options, 'only a net.BoundSocket handle is supported');
            }
            let port = opts.port == null ? 0 : validatePort(opts.port, 'options.port');
            const reusePort = opts.reusePort ?? false;
            validateBoolean(reusePort, 'options.reusePort');
            let host = opts.host;
            if (host === undefined) {
                host = opts.ipv6Only ? DEFAULT_IPV6_ADDR : DEFAULT_IPV4_ADDR;
            }
            else {
                validateString(host, 'options.host');
                if (host === 'localhost')
                    host = '127.0.0.1';
            }
            // Where the platform declares the ports it delivers connections on, a
            // server can only listen on one of them, and port 0 takes the first
            // unclaimed one.
            if (tcpPorts.hasDeclared()) {
                if (port === 0) {
                    port = tcpPorts.unclaimedDeclared();
                    if (port === 0)
                        return fail(new EADDRINUSE(host, 0));
                }
                else if (!tcpPorts.isDeclared(port)) {
                    return fail(new EADDRNOTAVAIL(host, port));
                }
            }
            let boundPort;
            try {
                boundPort = bindPort(host, port, reusePort);
            }
            catch (err) {
                return fail(err);
            }
            address = { address: host, port: boundPort };
            const family = familyOf(host);
            if (family !== undefined)
                address.family = family;
        }
        this.#address = address;
        // A pending close from a previous listen is cancelled.
        this.#closing = false;
        tcpPorts.setHandler(address.port, this.#handler);
        queueMicrotask(() => {
            this.emit('listening');
        });
        return this;
    }
    address() {
        return this.#address === null ? null : { ...this.#address };
    }
    get listening() {
        return this.#address !== null;
    }
    close(cb) {
        if (typeof cb === 'function') {
            if (this.#address === null) {
                this.once('close', () => {
                    cb(new ERR_SERVER_NOT_RUNNING());
                });
            }
            else {
                this.once('close', cb);
            }
        }
        if (this.#address !== null) {
            tcpPorts.clearHandler(this.#address.port, this.#handler);
            tcpPorts.release(this.#address.port);
            this.#address = null;
        }
        this.#closing = true;
        this.#maybeEmitClose();
        return this;
    }
    // 'close' fires once the server is not listening and no connection remains.
    #maybeEmitClose() {
        if (this.#closing && this.#address === null && this.#connections === 0) {
            this.#closing = false;
            queueMicrotask(() => {
                this.emit('close');
            });
        }
    }
    getConnections(cb) {
        validateFunction(cb, 'cb');
        const count = this.#connections;
        queueMicrotask(() => {
            cb(null, count);
        });
        return this;
    }
    ref() {
        return this;
    }
    unref() {
        return this;
    }
    async [Symbol.asyncDispose]() {
        if (this.#address === null)
            return;
        // eslint-disable-next-line @typescript-eslint/no-invalid-void-type
        const { promise, resolve } = Promise.withResolvers();
        this.close(() => {
            resolve();
        });
        await promise;
    }
    async #onConnection(handle) {
        const info = await handle.opened;
        if (this.#address === null) {
            await handle.close();
            return;
        }
        // The accepted socket's local endpoint is the server's bound address, as
        // with an accepted fd; the CONNECT authority only routed it here. A peer
        // the platform does not report (a service binding's) appears behind the
        // gateway address with its own port, since a connected socket always has
        // a distinct peer.
        const localAddress = concreteLocal(this.#address);
        const remoteAddress = parseAuthority(info.remoteAddress) ?? {
            address: forFamily(GATEWAY_ADDRESS, localAddress.family),
            family: localAddress.family ?? 'IPv4',
            port: tcpPorts.ephemeral(),
        };
        if (this.maxConnections !== undefined &&
            this.#connections >= this.maxConnections) {
            this.emit('drop', {
                localAddress: localAddress.address,
                localPort: localAddress.port,
                localFamily: localAddress.family,
                remoteAddress: remoteAddress.address,
                remotePort: remoteAddress.port,
                remoteFamily: remoteAddress.family,
            });
            await handle.close();
            return;
        }
        const socket = new Socket({
            allowHalfOpen: this.allowHalfOpen,
            highWaterMark: this.highWaterMark,
        });
        socket._handle = {
            socket: handle,
            writer: handle.writable.getWriter(),
            reader: handle.readable.getReader({ mode: 'byob' }),
            bytesRead: 0,
            bytesWritten: 0,
            reading: false,
            options: {
                host: remoteAddress.address,
                port: remoteAddress.port,
                addressType: isIP(remoteAddress.address),
            },
        };
        socket[kSocketInfo] = { remoteAddress: { ...remoteAddress } };
        socket[kBoundSource] = localAddress;
        socket.server = this;
        socket._server = this;
        socket.connecting = false;
        socket._undestroy();
        this.#connections++;
        // eslint-disable-next-line @typescript-eslint/no-invalid-void-type
        const { promise: closed, resolve } = Promise.withResolvers();
        socket.once('close', () => {
            resolve();
        });
        handle.closed.then(onConnectionClosed.bind(socket), (err) => {
            socket.destroy(err);
        });
        if (this.pauseOnConnect) {
            socket.pause();
        }
        this.emit('connection', socket);
        if (!socket.isPaused() && !socket._handle.reading) {
            tryReadStart(socket);
        }
        await closed;
        this.#connections--;
        this.#maybeEmitClose();
    }
}
// @ts-expect-error TS2323 Redeclare error.
export function Socket(options) {
    if (!(this instanceof Socket)) {
        return new Socket(options);
    }
    if (options?.objectMode) {
        throw new ERR_INVALID_ARG_VALUE('options.objectMode', options.objectMode, 'is not supported');
    }
    else if (options?.readableObjectMode || options?.writableObjectMode) {
        throw new ERR_INVALID_ARG_VALUE(`options.${options.readableObjectMode ? 'readableObjectMode' : 'writableObjectMode'}`, options.readableObjectMode || options.writableObjectMode, 'is not supported');
    }
    if (options?.keepAliveInitialDelay !== undefined) {
        validateNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
        if (options.keepAliveInitialDelay < 0) {
            options.keepAliveInitialDelay = 0;
        }
    }
    if (typeof options === 'number') {
        options = { fd: options };
    }
    else {
        options = { ...options };
    }
    if (options.fd !== undefined) {
        // We are not supporting the options.fd option for now. This is the option
        // that allows users to pass in a file descriptor to an existing socket.
        // Workers doesn't have file descriptors and does not use them in any way.
        throw new ERR_OPTION_NOT_IMPLEMENTED('options.fd');
    }
    // We do not support the noDelay and keepAlive options at this
    // time and will just ignore them if they are passed.
    //
    // We shouldn't throw an error for the following validations,
    // because it breaks packages such as redis.
    //
    // if (options.noDelay) {
    //   throw new ERR_OPTION_NOT_IMPLEMENTED('truthy options.noDelay');
    // }
    //
    // if (options.keepAlive) {
    //   throw new ERR_OPTION_NOT_IMPLEMENTED('truthy options.keepAlive');
    // }
    options.allowHalfOpen = Boolean(options.allowHalfOpen);
    // TODO(now): Match behavior with Node.js
    // In Node.js, emitClose and autoDestroy are false by default so that
    // the socket must handle those itself, including emitting the close
    // event with the hadError argument. We should match that behavior.
    options.emitClose = false;
    options.autoDestroy = true;
    options.decodeStrings = false;
    // In Node.js, these are meaningful when the options.fd is used.
    // We do not support options.fd so we just ignore whatever value
    // is given and always pass true.
    options.readable = true;
    options.writable = true;
    this._handle = null;
    this.connecting = false;
    this._hadError = false;
    this._parent = null;
    this._parentWrap = null;
    this._host = null;
    this[kLastWriteQueueSize] = 0;
    this[kTimeout] = null;
    this[kBuffer] = null;
    this[kBufferCb] = null;
    this[kBufferGen] = null;
    this[kBufferContinuations] = null;
    this[kSocketInfo] = null;
    this[kBytesRead] = 0;
    this[kBytesWritten] = 0;
    this[kBoundSource] = null;
    this[kBoundReserved] = false;
    this.server = null;
    this._server = null;
    this._closeAfterHandlingError = false;
    // @ts-expect-error TS2540 Required due to types
    this.autoSelectFamilyAttemptedAddresses = [];
    this._undestroy();
    this._pendingData = null;
    this._pendingEncoding = '';
    // Call Duplex constructor before setting up the abort signal
    // This ensures the stream methods are properly set up before
    // any abort handling that might call destroy()
    Duplex.call(this, options);
    if (options.handle) {
        validateObject(options.handle, 'options.handle');
        if (BoundSocket.isBoundSocket(options.handle)) {
            const { address } = options.handle[kBoundSocketConsume]();
            this[kBoundSource] = address;
            this[kBoundReserved] = true;
            tcpPorts.register(this, address.port);
        }
        else {
            this._handle = options.handle;
        }
    }
    // We explicitly listen for all 'end' events, not only for once
    // because Socket class supports reconnection through s.connect();
    this.on('end', onReadableStreamEnd);
    const onread = options.onread;
    if (onread != null &&
        typeof onread === 'object' &&
        // The onread.buffer can either be a Uint8Array or a function that returns
        // a Uint8Array.
        (isUint8Array(onread.buffer) || typeof onread.buffer === 'function') &&
        // The onread.callback is the function used to deliver the read buffer to
        // the application.
        typeof onread.callback === 'function') {
        if (typeof onread.buffer === 'function') {
            this[kBufferGen] = onread.buffer;
        }
        else {
            const { buffer } = onread;
            this[kBufferGen] = () => buffer;
        }
        this[kBuffer] = true;
        // The read loop's BYOB reads transfer the buffers they are handed, so a
        // caller reusing one - a fixed buffer, or a generator handing out the
        // same buffers again - is continued over the store it moved to.
        this[kBufferContinuations] = new WeakMap();
        // eslint-disable-next-line @typescript-eslint/unbound-method
        this[kBufferCb] = onread.callback;
    }
    else {
        this[kBuffer] = true;
        this[kBufferGen] = () => new Uint8Array(4096);
        this[kBufferCb] = undefined;
    }
    // Now set up abort signal handling after the Duplex constructor
    if (options.signal) {
        addClientAbortSignalOption(this, options.signal);
    }
    this[kBytesRead] = 0;
    this[kBytesWritten] = 0;
    // TODO(soon): Enable this once blockList is implemented.
    // if (options.blockList) {
    //     if (!BlockList.isBlockList(options.blockList)) {
    //       throw new ERR_INVALID_ARG_TYPE('options.blockList', 'net.BlockList', options.blockList);
    //     }
    //     this.blockList = options.blockList;
    //   }
    return this;
}
Object.setPrototypeOf(Socket.prototype, Duplex.prototype);
Object.setPrototypeOf(Socket, Duplex);
// Restarts the idle timer (of this socket and of any wrapping TLS socket)
// after activity, keeping the 'timeout' listeners as they are. A socket
// whose timeout is disabled holds no timer (kTimeout is null, see
// clearSocketTimers), so there is nothing to restart.
Socket.prototype._unrefTimer = function _unrefTimer() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    for (let s = this; s != null; s = s._parentWrap) {
        if (s[kTimeout] != null) {
            clearTimeout(s[kTimeout]);
            s[kTimeout] = setTimeout(() => {
                s._onTimeout();
            }, s.timeout);
        }
    }
};
// Disables the idle timer of this socket and of any wrapping TLS socket.
// kTimeout is cleared as well as the timer, so that later activity
// (_unrefTimer) does not arm a new one.
function clearSocketTimers(socket) {
    for (let s = socket; s != null; s = s._parentWrap) {
        clearTimeout(s[kTimeout]);
        s[kTimeout] = null;
    }
}
Socket.prototype.setTimeout = function (msecs, callback) {
    if (this.destroyed)
        return this;
    this.timeout = msecs;
    // Type checking identical to timers.enroll()
    msecs = getTimerDuration(msecs, 'msecs');
    // Attempt to clear an existing timer in both cases -
    // even if it will be rescheduled we don't want to leak an existing timer.
    clearTimeout(this[kTimeout]);
    this[kTimeout] = null;
    if (msecs === 0) {
        if (callback !== undefined) {
            validateFunction(callback, 'callback');
            this.removeListener('timeout', callback);
        }
    }
    else {
        // @ts-expect-error TS2740 Required to not overcomplicate types
        this[kTimeout] = setTimeout(() => {
            this._onTimeout();
        }, msecs);
        if (callback !== undefined) {
            validateFunction(callback, 'callback');
            this.once('timeout', callback);
        }
    }
    return this;
};
Socket.prototype._onTimeout = function () {
    const handle = this._handle;
    const lastWriteQueueSize = this[kLastWriteQueueSize];
    if (lastWriteQueueSize > 0 && handle) {
        // `lastWriteQueueSize !== writeQueueSize` means there is
        // an active write in progress, so we suppress the timeout.
        const { writeQueueSize } = handle;
        if (lastWriteQueueSize !== writeQueueSize) {
            this[kLastWriteQueueSize] = writeQueueSize;
            this._unrefTimer();
            return;
        }
    }
    this.emit('timeout');
};
Socket.prototype._getpeername = function () {
    if (this._handle == null || this[kSocketInfo] == null) {
        return {};
    }
    return { ...this[kSocketInfo].remoteAddress };
};
Socket.prototype._getsockname = function () {
    if (this[kBoundSource] != null) {
        return this[kBoundSource];
    }
    // A wrapping socket (TLSSocket) shares the local endpoint of the socket it
    // wraps.
    if (this._parentWrap != null) {
        return this._parentWrap._getsockname();
    }
    return {};
};
Socket.prototype.address = function () {
    return this._getsockname();
};
// ======================================================================================
// Writable side ...
Socket.prototype._writeGeneric = function (writev, data, encoding, cb
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type
) {
    // If we are still connecting, buffer this for later.
    // The writable logic will buffer up any more writes while
    // waiting for this one to be done.
    try {
        if (this.connecting) {
            this._pendingData = data;
            this._pendingEncoding = encoding;
            function onClose() {
                cb(new ERR_SOCKET_CLOSED_BEFORE_CONNECTION());
            }
            this.once('connect', () => {
                this.off('close', onClose);
                this._writeGeneric(writev, data, encoding, cb);
            });
            this.once('close', onClose);
            return;
        }
        this._pendingData = null;
        this._pendingEncoding = '';
        if (this._handle?.writer === undefined) {
            cb(new ERR_SOCKET_CLOSED());
            return false;
        }
        const handle = this._handle;
        this._unrefTimer();
        let lastWriteSize = 0;
        if (writev) {
            // data is an array of strings or ArrayBufferViews. We're going to concat
            // them all together into a single buffer so we can write all at once. This
            // trades higher memory use by copying the input buffers for fewer round trips
            // through the write loop in the stream. Since the write loops involve bouncing
            // back and forth across the kj event loop boundary and requires reacquiring the
            // isolate lock after each write, this should be more efficient in the long run.
            const buffers = [];
            for (const d of data) {
                if (typeof d.chunk === 'string') {
                    const buf = Buffer.from(d.chunk, d.encoding);
                    buffers.push(buf);
                    lastWriteSize += buf.byteLength;
                }
                else if (isArrayBufferView(d.chunk)) {
                    buffers.push(new Uint8Array(d.chunk.buffer, d.chunk.byteOffset, d.chunk.byteLength));
                    lastWriteSize += d.chunk.byteLength;
                }
                else {
                    throw new ERR_INVALID_ARG_TYPE('chunk', ['string', 'ArrayBufferView'], d.chunk);
                }
            }
            this._unrefTimer();
            handle.writer.write(Buffer.concat(buffers)).then(() => {
                if (this._handle != null) {
                    this._handle.bytesWritten += this[kLastWriteQueueSize] ?? 0;
                }
                else {
                    this[kBytesWritten] += this[kLastWriteQueueSize] ?? 0;
                }
                this[kLastWriteQueueSize] = 0;
                this._unrefTimer();
                cb();
            }, (err) => {
                this[kLastWriteQueueSize] = 0;
                this._unrefTimer();
                cb(streamFailureError(handle.socket, 'write', err));
            });
        }
        else {
            let bufferData;
            if (typeof data === 'string') {
                bufferData = Buffer.from(data, encoding);
            }
            else {
                bufferData = data;
            }
            handle.writer.write(bufferData).then(() => {
                if (this._handle != null) {
                    this._handle.bytesWritten += this[kLastWriteQueueSize] ?? 0;
                }
                else {
                    this[kBytesWritten] += this[kLastWriteQueueSize] ?? 0;
                }
                this[kLastWriteQueueSize] = 0;
                this._unrefTimer();
                cb();
            }, (err) => {
                this[kLastWriteQueueSize] = 0;
                this._unrefTimer();
                cb(streamFailureError(handle.socket, 'write', err));
            });
            lastWriteSize = bufferData.byteLength;
        }
        this[kLastWriteQueueSize] = lastWriteSize;
    }
    catch (err) {
        this.destroy(err);
    }
};
Socket.prototype._writev = function (chunks, cb) {
    this._writeGeneric(true, chunks, '', cb);
};
Socket.prototype._write = function (data, encoding, cb) {
    this._writeGeneric(false, data, encoding, cb);
};
Socket.prototype._final = function (cb) {
    if (this.connecting) {
        this.once('connect', () => {
            this._final(cb);
        });
        return;
    }
    // If there is no writer, then there's really nothing left to do here.
    if (this._handle == null) {
        cb();
        return;
    }
    this._handle.writer.close().then(() => {
        cb();
    }, (err) => {
        cb(err);
    });
};
Socket.prototype.end = function (
// eslint-disable-next-line @typescript-eslint/no-redundant-type-constituents
data, encoding, cb) {
    // @ts-expect-error this fails after upgrading to @types/node@22.14
    Duplex.prototype.end.call(this, data, encoding, cb);
    return this;
};
// ======================================================================================
// Readable side
Socket.prototype.pause = function () {
    if (this[kBuffer] && !this.connecting && this._handle?.reading) {
        // If the read loop is already running, setting reading to false
        // will interrupt it after the current read completes (if any)
        if (!this.destroyed) {
            this._handle.reading = false;
        }
    }
    return Duplex.prototype.pause.call(this);
};
Socket.prototype.resume = function () {
    if (this[kBuffer] &&
        !this.connecting &&
        this._handle &&
        !this._handle.reading) {
        tryReadStart(this);
    }
    return Duplex.prototype.resume.call(this);
};
Socket.prototype.read = function (n) {
    if (this[kBuffer] &&
        !this.connecting &&
        this._handle &&
        !this._handle.reading) {
        tryReadStart(this);
    }
    return Duplex.prototype.read.call(this, n);
};
Socket.prototype._read = function (n) {
    if (this.connecting || !this._handle) {
        this.once('connect', () => {
            this._read(n);
        });
    }
    else if (!this._handle.reading) {
        tryReadStart(this);
    }
};
// ======================================================================================
// Destroy and reset
Socket.prototype._reset = function () {
    this.resetAndClosing = true;
    return this.destroy();
};
Socket.prototype.resetAndDestroy = function () {
    // In Node.js, the resetAndDestroy method is used to "[close] the TCP connection by
    // sending an RST packet and destroy the stream. If this TCP socket is in connecting
    // status, it will send an RST packet and destroy this TCP socket once it is connected.
    // Otherwise, it will call socket.destroy with an ERR_SOCKET_CLOSED Error. If this is
    // not a TCP socket (for example, a pipe), calling this method will immediately throw
    // an ERR_INVALID_HANDLE_TYPE Error." In our implementation we really don't have a way
    // of ensuring whether or not an RST packet is actually sent so this is largely an
    // alias for the existing destroy. If the socket is still connecting, it will be
    // destroyed immediately after the connection is established.
    if (this._handle) {
        if (this.connecting) {
            this.once('connect', () => {
                this._reset();
            });
        }
        else {
            this._reset();
        }
    }
    else {
        this.destroy(new ERR_SOCKET_CLOSED());
    }
    return this;
};
Socket.prototype.destroySoon = function () {
    if (this.writable) {
        this.end();
    }
    if (this.writableFinished) {
        this.destroy();
    }
    else {
        this.once('finish', () => {
            // Do not call this.destroy.bind(this) since user can override it.
            this.destroy();
        });
    }
};
Socket.prototype._destroy = function (exception, cb) {
    this.connecting = false;
    clearSocketTimers(this);
    releaseBoundSource(this);
    if (this._handle != null) {
        this._handle.socket.close().then(() => {
            cleanupAfterDestroy(this, cb, exception);
        }, (err) => {
            cleanupAfterDestroy(this, cb, (err || exception));
        });
    }
    else {
        cleanupAfterDestroy(this, cb, exception);
    }
};
// ======================================================================================
// Connection
// @ts-expect-error TS2322 Type inconsistencies between types/node
Socket.prototype.connect = function (...args) {
    let normalized;
    // @ts-expect-error TS7015 Required not to overcomplicate types
    if (Array.isArray(args[0]) && args[0][normalizedArgsSymbol]) {
        normalized = args[0];
    }
    else {
        normalized = _normalizeArgs(args);
    }
    const options = normalized[0];
    const cb = normalized[1];
    if (this.connecting) {
        throw new ERR_SOCKET_CONNECTING();
    }
    if (this._aborted) {
        if (cb) {
            cb(new AbortError());
        }
        else {
            throw new AbortError();
        }
        return undefined;
    }
    if (cb !== null) {
        this.once('connect', cb);
    }
    if (this._parentWrap?.connecting) {
        return this;
    }
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (options.port === undefined && options.path == null) {
        throw new ERR_MISSING_ARGS(['options', 'port', 'path']);
    }
    if (this.write !== Socket.prototype.write) {
        // eslint-disable-next-line @typescript-eslint/unbound-method
        this.write = Socket.prototype.write;
    }
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (options.path != null) {
        throw new ERR_INVALID_ARG_VALUE('path', options.path, 'is not supported');
    }
    this[kBytesRead] = 0;
    this[kBytesWritten] = 0;
    // This is required for "reconnection".
    // Previous connected handle needs to emit "close" event.
    // This ensures that the previous handle is closed before initializing a new one.
    if (this._handle) {
        // A reconnect is a new underlying socket, so the previous local endpoint
        // is dropped and the new connection autobinds. The old handle is detached
        // first so that its EOF and close do not end this socket; writes buffer
        // until the new connection opens.
        releaseBoundSource(this);
        const old = this._handle;
        this._handle = null;
        old.reading = false;
        this.connecting = true;
        old.socket.close().then(() => {
            initializeConnection(this, options);
        }, () => {
            initializeConnection(this, options);
        });
    }
    else {
        initializeConnection(this, options);
    }
    return this;
};
Socket.prototype[kReinitializeHandle] = function reinitializeHandle(handle) {
    this._handle?.socket.close().then(() => {
        cleanupAfterDestroy(this);
    }, (err) => {
        cleanupAfterDestroy(this, null, err);
    });
    this._handle = handle;
    this._undestroy();
};
// ======================================================================================
// Socket methods that are not no-ops or nominal impls
Socket.prototype.setNoDelay = function (_enable) {
    // Ignore this for now.
    // Cloudflare connect() does not support this.
    return this;
};
Socket.prototype.setKeepAlive = function (_enable, _initialDelay) {
    // Ignore this for now.
    // This is used by services like mySQL.
    // TODO(soon): Investigate supporting this.
    return this;
};
// @ts-expect-error TS2322 Intentionally no-op
Socket.prototype.ref = function () {
    // Intentional no-op
};
// @ts-expect-error TS2322 Intentionally no-op
Socket.prototype.unref = function () {
    // Intentional no-op
};
Object.defineProperties(Socket.prototype, {
    _connecting: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        get() {
            return this.connecting;
        },
    },
    pending: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        get() {
            return !this._handle || this.connecting;
        },
        configurable: true,
    },
    readyState: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        get() {
            if (this.connecting) {
                return 'opening';
            }
            else if (this.readable && this.writable) {
                return 'open';
            }
            else if (this.readable && !this.writable) {
                return 'readOnly';
            }
            else if (!this.readable && this.writable) {
                return 'writeOnly';
            }
            return 'closed';
        },
    },
    bufferSize: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        get() {
            if (this._handle) {
                return this.writableLength;
            }
            return undefined;
        },
    },
    [kUpdateTimer]: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        get() {
            // eslint-disable-next-line @typescript-eslint/unbound-method
            return this._unrefTimer;
        },
    },
    bytesRead: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._handle ? this._handle.bytesRead : this[kBytesRead];
        },
    },
    _bytesDispatched: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._handle ? this._handle.bytesWritten : this[kBytesWritten];
        },
    },
    bytesWritten: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            let bytes = this._bytesDispatched;
            const data = this._pendingData;
            const encoding = this._pendingEncoding;
            const writableBuffer = this.writableBuffer;
            if (!writableBuffer)
                return undefined;
            if (Array.isArray(data)) {
                // Was a writev, iterate over chunks to get total length
                for (let i = 0; i < data.length; i++) {
                    const chunk = data[i];
                    if (chunk == null) {
                        continue;
                    }
                    // @ts-expect-error TS2339 allBuffers doesn't exist on type.
                    if (chunk instanceof Buffer || data.allBuffers)
                        bytes += chunk.length;
                    else {
                        bytes += Buffer.byteLength(
                        // @ts-expect-error TS2339 TODO(soon): Use correct type here.
                        chunk.chunk, 
                        // @ts-expect-error TS2339 TODO(soon): Use correct type here.
                        chunk.encoding);
                    }
                }
            }
            else if (data) {
                // Writes are either a string or a Buffer.
                if (typeof data !== 'string') {
                    bytes += data.length;
                }
                else {
                    bytes += Buffer.byteLength(data, encoding);
                }
            }
            else {
                const flushed = this._handle != null
                    ? this._handle.bytesWritten
                    : this[kBytesWritten];
                return this.writableLength + flushed;
            }
            return bytes;
        },
    },
    remoteAddress: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._getpeername().address;
        },
    },
    remoteFamily: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._getpeername().family;
        },
    },
    remotePort: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._getpeername().port;
        },
    },
    localAddress: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._getsockname().address;
        },
    },
    localPort: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._getsockname().port;
        },
    },
    localFamily: {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        configurable: false,
        enumerable: true,
        get() {
            return this._getsockname().family;
        },
    },
});
// ======================================================================================
// Helper/utility methods
function cleanupAfterDestroy(socket, cb, error) {
    const isException = error != null;
    if (socket._handle != null) {
        socket[kBytesRead] = socket._handle.bytesRead;
        socket[kBytesWritten] = socket._handle.bytesWritten;
        socket.resetAndClosing = false;
    }
    socket[kLastWriteQueueSize] = 0;
    socket[kSocketInfo] = null;
    if (cb != null) {
        // The Duplex destroy machinery emits 'error' from its callback on the
        // next tick. emitClose is off for sockets, so 'close' (with hadError)
        // is emitted here, queued behind that 'error'.
        cb(error);
        nextTick(() => socket.emit('close', isException));
        return;
    }
    // No destroy callback (a handle being replaced): emit both directly.
    if (error != null) {
        socket.emit('error', error);
    }
    socket.emit('close', isException);
}
// The platform's connect() error carries no cause; the errno name of a
// recognized failure is exposed to node:net separately, and reported here the
// way Node does. An unrecognized failure keeps the platform's error. The
// platform resolves names itself, so `address` is the host as given, where
// Node would report the resolved IP.
function connectFailureError(handle, address, port, err) {
    const code = inner.getConnectFailureCode(handle);
    if (code === undefined)
        return err;
    if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
        return new GetAddrInfoException(code, address);
    }
    return new ConnectException(code, address, port);
}
// A failed read or write whose cause the platform recognized is reported the
// way Node does; any other failure keeps the platform's error.
function streamFailureError(handle, syscall, err) {
    const code = syscall === 'read'
        ? inner.getReadFailureCode(handle)
        : inner.getWriteFailureCode(handle);
    return code === undefined ? err : new SocketErrnoException(code, syscall);
}
function initializeConnection(socket, options) {
    const { host = 'localhost', family, hints, autoSelectFamily, autoSelectFamilyAttemptTimeout, lookup, localAddress, localPort, } = options;
    let { port } = options;
    if (socket[kBoundSource] != null &&
        (localAddress !== undefined || localPort !== undefined)) {
        throw new ERR_INVALID_ARG_VALUE('options', options, 'localAddress and localPort cannot be used with an adopted bound socket');
    }
    if (localAddress && !isIP(localAddress)) {
        throw new ERR_INVALID_IP_ADDRESS(localAddress);
    }
    if (localPort) {
        validateNumber(localPort, 'options.localPort');
    }
    if (typeof port !== 'number' && typeof port !== 'string') {
        throw new ERR_INVALID_ARG_TYPE('options.port', ['number', 'string'], port);
    }
    validatePort(port);
    port |= 0;
    if (autoSelectFamily != null) {
        // We don't support this option.
        // We shouldn't throw this because services like mongodb depends on it.
        // TODO(soon): Investigate supporting this.
        validateBoolean(autoSelectFamily, 'options.autoSelectFamily');
    }
    if (autoSelectFamilyAttemptTimeout != null) {
        // We don't support this option.
        // We shouldn't throw this because services like mongodb depends on it.
        // TODO(soon): Investigate supporting this.
        validateInt32(autoSelectFamilyAttemptTimeout, 'options.autoSelectFamilyAttemptTimeout', 1);
    }
    socket._unrefTimer();
    socket.connecting = true;
    const continueConnection = (host, port, family) => {
        socket[kSocketInfo] = {
            remoteAddress: {
                address: host,
                port,
                family: family === 4 ? 'IPv4' : family === 6 ? 'IPv6' : undefined,
            },
        };
        const address = `${host}`;
        if (family === 6) {
            // The host is an IPv6 address. We need to wrap it in square brackets.
            host = `[${host}]`;
        }
        // @ts-expect-error TS2540 Unnecessary error due to using @types/node
        socket.autoSelectFamilyAttemptedAddresses = [`${host}:${port}`];
        // The platform resolves a host name as part of connecting, and a failed
        // lookup never starts an attempt in Node, so for a name the attempt is
        // only reported once its outcome shows one was made.
        let attemptPending = isIP(address) === 0;
        const emitConnectionAttempt = () => {
            if (!attemptPending)
                return;
            attemptPending = false;
            socket.emit('connectionAttempt', host, port, addressType);
        };
        if (!attemptPending) {
            socket.emit('connectionAttempt', host, port, addressType);
        }
        socket._host = `${host}`;
        try {
            // Autobind the local endpoint, as connect(2) does, unless one was
            // adopted from a BoundSocket.
            if (socket[kBoundSource] == null) {
                const address = localAddress ??
                    (family === 6 ? DEFAULT_IPV6_ADDR : DEFAULT_IPV4_ADDR);
                // Only a concrete localPort claims a table entry; localAddress alone
                // (and localPort 0) autobinds, with the address kept as the label.
                const reserved = localPort != null && localPort !== 0;
                socket[kBoundSource] = {
                    address,
                    family: isIP(address) === 6 ? 'IPv6' : 'IPv4',
                    port: reserved ? bindPort(address, localPort) : tcpPorts.ephemeral(),
                };
                if (reserved) {
                    socket[kBoundReserved] = true;
                    tcpPorts.register(socket, socket[kBoundSource].port);
                }
            }
            // connect(2) resolves a wildcard bind to the source address actually
            // used. The platform does not report an outbound socket's source
            // (SocketInfo.localAddress is empty for outbound sockets); if it did, it
            // would replace the synthetic host address here, from handle.opened.
            socket[kBoundSource] = concreteLocal(socket[kBoundSource]);
            const handle = inner.connect(`${host}:${port}`, {
                // The Duplex owns the half-open policy: with allowHalfOpen false,
                // Readable's endReadableNT schedules endWritableNT, which calls end()
                // a tick after 'end' and so flushes whatever was queued (the socket's
                // own 'end' listener, onReadableStreamEnd, only installs writeAfterFIN
                // to refuse later writes). The connect() socket must not race it by
                // closing the writable half on EOF as well.
                allowHalfOpen: true,
                // A Node.js socket is always capable of being upgraded to the TLS socket.
                secureTransport: socket.encrypted ? 'on' : 'starttls',
                // We are not going to pass the high water-mark here. The outer Node.js
                // stream will implement the appropriate backpressure for us.
            });
            // Our version of the socket._handle is necessarily different from Node.js'.
            // It serves the same purpose but any code that may exist that is depending
            // on `_handle` being a particular type (which it shouldn't be) will fail.
            socket._handle = {
                socket: handle,
                writer: handle.writable.getWriter(),
                reader: handle.readable.getReader({ mode: 'byob' }),
                bytesRead: 0,
                bytesWritten: 0,
                reading: false,
                options: {
                    host: socket._host,
                    port,
                    addressType,
                },
            };
            // We need to undestroy the stream to connect to it.
            socket._undestroy();
            // A failed connection attempt rejects both `closed` and `opened`, in
            // that order, so whichever settles first reports it; the other finds
            // the socket destroyed.
            const onConnectionFailed = (err) => {
                if (socket.destroyed || socket._handle?.socket !== handle)
                    return;
                const error = connectFailureError(handle, address, port, err);
                // A failed lookup never reaches a connection attempt in Node: it is
                // reported through 'lookup' and the socket is destroyed with it.
                if (error instanceof GetAddrInfoException) {
                    socket.emit('lookup', error, undefined, undefined, address);
                }
                else {
                    emitConnectionAttempt();
                    socket.emit('connectionAttemptFailed', host, port, addressType, error);
                }
                socket.destroy(error);
            };
            handle.opened.then(() => {
                if (!socket.destroyed)
                    emitConnectionAttempt();
                onConnectionOpened.call(socket);
            }, onConnectionFailed);
            handle.closed.then(() => {
                // A reconnect may have replaced the handle by the time the previous
                // one reports closed.
                if (socket._handle?.socket === handle) {
                    onConnectionClosed.call(socket);
                }
            }, (error) => {
                if (socket.connecting) {
                    onConnectionFailed(error);
                    return;
                }
                // Do not call socket.destroy.bind(socket) since user can override it.
                socket.destroy(error);
            });
        }
        catch (err) {
            socket.destroy(err);
        }
    };
    if (lookup != null) {
        validateFunction(lookup, 'options.lookup');
    }
    const addressType = isIP(host);
    // The host is not an IP address. That's allowed in our implementation, but let's
    // see if the user provided a lookup function. If not, we'll skip.
    if (addressType === 0 && lookup != null) {
        // Looks like we have a lookup function! Let's call it. The expectation is that
        // the lookup function will produce a good IP address from the non-IP address
        // that is given. How that is done is left entirely up to the application code.
        // The connection attempt will continue once the lookup function invokes the
        // given callback.
        const lookupOptions = { family: family || addressType, hints };
        lookup(host, lookupOptions, (err, address, family) => {
            socket.emit('lookup', err, address, family, host);
            if (err) {
                socket.destroy(err);
                return;
            }
            if (isIP(address) === 0) {
                throw new ERR_INVALID_IP_ADDRESS(address);
            }
            if (family !== 4 &&
                family !== 6 &&
                family !== 'IPv4' &&
                family !== 'IPv6') {
                throw new ERR_INVALID_ARG_VALUE('family', family, 'must be 4 or 6');
            }
            continueConnection(address, port, family);
        });
    }
    else {
        continueConnection(host, port, addressType);
    }
}
export function onConnectionOpened() {
    // Callback may come after call to destroy
    if (this.destroyed) {
        return;
    }
    this.connecting = false;
    this._unrefTimer();
    this.emit('connect');
    this.emit('ready');
    if (!this.isPaused()) {
        tryReadStart(this);
    }
}
export function onConnectionClosed() {
    const handle = this._handle;
    if (handle?.socket.upgraded) {
        // The socket is being upgraded from insecure to TLS.
        // No need to handle this particular close event.
        return;
    }
    clearSocketTimers(this);
    if (this.destroyed || handle == null || handle.readLoopActive) {
        // A pending read reports the connection's outcome itself: EOF as its
        // done result, a failure (a peer's reset) as a rejection that destroys
        // the socket with the error. Ending the readable here as well would
        // announce EOF for a connection that failed, and with allowHalfOpen
        // false go on to end the writable side before the failure is reported.
        return;
    }
    // Nobody is reading (the socket is paused or stopped on backpressure), so
    // no read will observe the connection's end: end the readable here.
    // push(null) is a no-op if it already has; read(0) lets 'end' fire on a
    // socket nobody is reading, as in Node.
    this.push(null);
    this.read(0);
}
async function startRead(socket) {
    const handle = socket._handle;
    if (!handle || handle.readLoopActive)
        return;
    handle.readLoopActive = true;
    const reader = handle.reader;
    try {
        while (handle.reading && socket._handle === handle) {
            const generatedBuffer = socket[kBufferGen]?.();
            if (!isUint8Array(generatedBuffer)) {
                throw new ERR_INVALID_ARG_TYPE('onread.buffer', ['Buffer', 'Uint8Array'], generatedBuffer);
            }
            // A view the loop has read into before was detached by that read's
            // transfer of its buffer. Handed out again - a fixed onread buffer, or a
            // generator reusing its buffers, as Node's in-place fills allow - it
            // means the same range of the store the buffer moved to, which the
            // loop kept as the view's continuation.
            const view = socket[kBufferContinuations]?.get(generatedBuffer) ?? generatedBuffer;
            if (view.byteLength === 0) {
                throw new ENOBUFS();
            }
            // The view's range within its buffer, taken before the read: a BYOB
            // read transfers the buffer and detaches the view, which then reports
            // neither.
            const { byteOffset: viewOffset, byteLength: viewLength } = view;
            const { value, done } = await reader.read(view);
            // Make sure the socket was not destroyed or reconnected while we were
            // waiting. If it was, we're going to throw away the chunk of data we
            // just read.
            if (socket.destroyed || socket._handle !== handle) {
                // Doh! Well, this is awkward. Let's just stop reading and return.
                // There's really nothing else we should try to do here.
                break;
            }
            // Reset the timeout timer since we received data.
            socket._unrefTimer();
            if (done) {
                // All done! If allowHalfOpen is true, then this will just end the
                // readable side of the socket. If allowHalfOpen is false, then this
                // should allow the current write queue to drain but not allow any
                // further writes to be queued.
                socket.push(null);
                // As in Node's onStreamRead: with nothing buffered, EOF must surface
                // as 'end' right away, even when nobody is consuming the socket. The
                // Readable's own read(0) does that; the socket's read() override
                // would try to start reading again.
                Duplex.prototype.read.call(socket, 0);
                break;
            }
            // The BYOB read transferred the view's buffer. Continue the caller's
            // view over the transferred backing store as a view of the same range
            // - the caller's offset and capacity, not the whole allocation - so a
            // read into it again fills exactly the region the caller handed out. A
            // store the read left too small for that range (detached or shrunk
            // while the read was pending, which only a non-transferring read can
            // see) is continued as an empty view, so reading into it is ENOBUFS.
            socket[kBufferContinuations]?.set(generatedBuffer, viewOffset + viewLength <= value.buffer.byteLength
                ? new Uint8Array(value.buffer, viewOffset, viewLength)
                : new Uint8Array(0));
            // If the byteLength is zero, skip the push.
            if (value.byteLength === 0) {
                continue;
            }
            handle.bytesRead += value.byteLength;
            // The socket API is expected to produce Buffer instances, not Uint8Arrays
            const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
            if (typeof socket[kBufferCb] === 'function') {
                if (socket[kBufferCb](buffer.byteLength, buffer) === false) {
                    // If the callback returns explicitly false (not falsy) then
                    // we're being asked to stop reading for now.
                    break;
                }
                continue;
            }
            // Because we're pushing the buffer onto the stream we can't use the shared
            // buffer here or the next read will overwrite it! We need to copy. For the
            // more efficient version, use onread.
            if (!socket.push(Buffer.from(buffer))) {
                // If push returns false, we've hit the high water mark and should stop
                // reading until the stream requests to start reading again.
                break;
            }
        }
    }
    catch (err) {
        // A pending read rejects when the socket is destroyed (its stream is
        // closing) or when a TLS upgrade releases this loop's reader (the
        // handle is handed over; the parent socket keeps pointing at it):
        // neither is news. Anything else - a failing generator or buffer
        // (above), a read the runtime refuses - destroys the socket with the
        // error rather than leaving it open and silent.
        if (socket._handle === handle && !handle.handedOver && !socket.destroyed) {
            socket.destroy(streamFailureError(handle.socket, 'read', err));
        }
    }
    finally {
        handle.readLoopActive = false;
        handle.reading = false;
    }
}
export function tryReadStart(socket) {
    if (socket._handle != null) {
        socket._handle.reading = true;
    }
    startRead(socket).catch((err) => socket.destroy(err));
}
function writeAfterFIN(chunk, encoding, cb) {
    if (!this.writableEnded) {
        // @ts-expect-error TS2554 Required due to @types/node
        return Duplex.prototype.write.call(this, chunk, encoding, cb);
    }
    if (typeof encoding === 'function') {
        cb = encoding;
        encoding = null;
    }
    const er = new EPIPE();
    if (cb != null && typeof cb === 'function') {
        queueMicrotask(() => {
            cb(er);
        });
    }
    this.destroy(er);
    return false;
}
function onReadableStreamEnd() {
    if (!this.allowHalfOpen) {
        this.write = writeAfterFIN;
    }
}
export function getTimerDuration(msecs, name) {
    validateNumber(msecs, name);
    if (msecs < 0 || !Number.isFinite(msecs)) {
        throw new ERR_OUT_OF_RANGE(name, 'a non-negative finite number', msecs);
    }
    // Ensure that msecs fits into signed int32
    if (msecs > TIMEOUT_MAX) {
        return TIMEOUT_MAX;
    }
    return msecs;
}
export function toNumber(x) {
    return (x = Number(x)) >= 0 ? x : false;
}
export function isPipeName(s) {
    return typeof s === 'string' && toNumber(s) === false;
}
export function _normalizeArgs(args) {
    let arr;
    if (args.length === 0) {
        arr = [{}, null];
        // @ts-expect-error TS2554 Required due to @types/node
        arr[normalizedArgsSymbol] = true;
        return arr;
    }
    const arg0 = args[0];
    let options = {};
    if (typeof arg0 === 'object' && arg0 !== null) {
        // (options[...][, cb])
        options = arg0;
    }
    else if (isPipeName(arg0)) {
        // (path[...][, cb])
        options.path = arg0;
    }
    else {
        // ([port][, host][...][, cb])
        options.port = arg0;
        if (args.length > 1 && typeof args[1] === 'string') {
            options.host = args[1];
        }
    }
    const cb = args[args.length - 1];
    if (typeof cb !== 'function')
        arr = [options, null];
    else
        arr = [options, cb];
    // @ts-expect-error TS2554 Required due to @types/node
    arr[normalizedArgsSymbol] = true;
    return arr;
}
function addClientAbortSignalOption(self, signal) {
    validateAbortSignal(signal, 'options.signal');
    let disposable;
    function onAbort() {
        disposable?.[Symbol.dispose]();
        self._aborted = true;
    }
    if (signal.aborted) {
        queueMicrotask(onAbort);
    }
    else {
        queueMicrotask(() => {
            disposable = addAbortListener(signal, onAbort);
        });
    }
}
function addAbortListener(signal, listener) {
    if (signal === undefined) {
        throw new ERR_INVALID_ARG_TYPE('signal', 'AbortSignal', signal);
    }
    validateAbortSignal(signal, 'signal');
    validateFunction(listener, 'listener');
    let removeEventListener;
    if (signal.aborted) {
        queueMicrotask(() => {
            listener();
        });
    }
    else {
        signal.addEventListener('abort', listener, { once: true });
        removeEventListener = () => {
            signal.removeEventListener('abort', listener);
        };
    }
    return {
        // @ts-expect-error TS2353 Required for __proto__
        __proto__: null,
        [Symbol.dispose]() {
            removeEventListener?.();
        },
    };
}
// ======================================================================================
// The rest of the exports
export function connect(...args) {
    const normalized = _normalizeArgs(args);
    const options = normalized[0];
    const socket = new Socket(options);
    if (options.timeout) {
        socket.setTimeout(options.timeout);
    }
    if (socket.destroyed) {
        return socket;
    }
    return socket.connect(normalized);
}
export const createConnection = connect;
export function createServer(options, connectionListener) {
    return new Server(options, connectionListener);
}
export function getDefaultAutoSelectFamily() {
    // This is the only value we support.
    return false;
}
export function setDefaultAutoSelectFamily(val) {
    if (!val)
        return;
    throw new ERR_INVALID_ARG_VALUE('val', val);
}
// We don't actually make use of this. It's here only for compatibility.
// The value is not used anywhere.
let autoSelectFamilyAttemptTimeout = 10;
export function getDefaultAutoSelectFamilyAttemptTimeout() {
    return autoSelectFamilyAttemptTimeout;
}
export function setDefaultAutoSelectFamilyAttemptTimeout(val) {
    validateInt32(val, 'val', 1);
    if (val < 10)
        val = 10;
    autoSelectFamilyAttemptTimeout = val;
}
export function isIP(input) {
    if (isIPv4(input))
        return 4;
    if (isIPv6(input))
        return 6;
    return 0;
}
export function isIPv4(input) {
    input = typeof input !== 'string' ? `${input}` : input;
    return IPv4Reg.test(input);
}
export function isIPv6(input) {
    input = typeof input !== 'string' ? `${input}` : input;
    return IPv6Reg.test(input);
}
// ======================================================================================
export class SocketAddress {
    #address;
    #port;
    #family;
    #flowlabel;
    static isSocketAddress(value) {
        return value instanceof SocketAddress;
    }
    constructor(options = {}) {
        validateObject(options, 'options');
        this.#family = options.family || 'ipv4';
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
        if (typeof this.#family?.toLowerCase === 'function')
            this.#family = this.#family.toLowerCase();
        validateOneOf(this.#family, 'options.family', ['ipv4', 'ipv6']);
        const { address = this.#family === 'ipv4' ? '127.0.0.1' : '::', port = 0, flowlabel = 0, } = options;
        validateString(address, 'options.address');
        const _port = validatePort(port, 'options.port');
        validateUint32(flowlabel, 'options.flowlabel', false);
        switch (this.#family) {
            case 'ipv4':
                if (!isIPv4(address)) {
                    throw new ERR_INVALID_ADDRESS();
                }
                break;
            case 'ipv6':
                if (!isIPv6(address)) {
                    throw new ERR_INVALID_ADDRESS();
                }
                break;
        }
        // Node.js' implementation is a bit more complicated since it is backed
        // by a C++ class wrapping an actual socket address structure. We don't
        // need that here, so we keep things simple.
        this.#address = address;
        this.#port = _port;
        this.#flowlabel = flowlabel;
    }
    get address() {
        return this.#address;
    }
    get port() {
        return this.#port;
    }
    get family() {
        return this.#family;
    }
    get flowlabel() {
        return this.#flowlabel;
    }
    [kInspect](depth, options) {
        if (depth < 0)
            return this;
        const opts = {
            ...options,
            depth: options.depth == null ? null : options.depth - 1,
        };
        // @ts-expect-error TS2769 not all the overloads are compatible
        return `SocketAddress ${inspect(this.toJSON(), opts)}`;
    }
    toJSON() {
        return {
            address: this.address,
            port: this.port,
            family: this.family,
            flowlabel: this.flowlabel,
        };
    }
    static parse(input) {
        validateString(input, 'input');
        try {
            const parsed = URL.parse(`http://${input}`);
            if (parsed == null) {
                return undefined;
            }
            const { hostname: address, port } = parsed;
            if (address.startsWith('[') && address.endsWith(']')) {
                return new SocketAddress({
                    address: address.slice(1, -1),
                    // @ts-expect-error TS2362 port will be a string, this converts it
                    port: port | 0,
                    family: 'ipv6',
                });
            }
            // @ts-expect-error TS2362 port will be a string, this converts it
            return new SocketAddress({ address, port: port | 0 });
        }
        catch {
            // Ignore errors here. Return undefined if the input cannot
            // be successfully parsed or is not a proper socket address.
        }
        return undefined;
    }
}
// ======================================================================================
// Note: the bulk of the following BlockList related code was authored by claude...
// The implementation in Node.js is split between javascript and C++.
// Here we do the entire implementation as TypeScript simply because
// we don't need the C++ parts at all.
// An IPv6 address may end in a dotted-quad IPv4 address, so it is at most 45 characters.
const kIpv6RangeRegex = /Range: IPv6 ([0-9a-fA-F:.]{1,45})-([0-9a-fA-F:.]{1,45})/i;
const kIpv6AddressRegex = /Address: IPv6 ([0-9a-fA-F:.]{1,45})/i;
const kIpv6SubnetRegex = /Subnet: IPv6 ([0-9a-fA-F:.]{1,45})\/(\d{1,3})/i;
const kIpv4RangeRegex = /Range: IPv4 (\d{1,3}(?:\.\d{1,3}){3})-(\d{1,3}(?:\.\d{1,3}){3})/;
const kIpv4AddressRegex = /Address: IPv4 (\d{1,3}(?:\.\d{1,3}){3})/;
const kIpv4SubnetRegex = /Subnet: IPv4 (\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})/;
// IPv4/IPv6 CIDR network utilities
function parseIPv4(ip) {
    // When the input is not a valid IPv4 address, return an empty array.
    const parts = ip.split('.');
    if (parts.length !== 4)
        return undefined;
    const nums = [0, 0, 0, 0];
    for (let n = 0; n < parts.length; n++) {
        const part = parts[n];
        if (part === undefined)
            return undefined;
        const num = parseInt(part, 10);
        if (isNaN(num) || num < 0 || num > 255)
            return undefined;
        nums[n] = num;
    }
    return nums;
}
function parseIPv6(ip) {
    // A zone (fe80::1%eth0) does not take part in matching.
    const percent = ip.indexOf('%');
    if (percent !== -1)
        ip = ip.slice(0, percent);
    // A trailing dotted-quad IPv4 address, as in ::ffff:1.2.3.4, stands for the last two groups.
    const lastColon = ip.lastIndexOf(':');
    if (ip.includes('.', lastColon)) {
        const ipv4 = parseIPv4(ip.slice(lastColon + 1));
        if (ipv4 === undefined)
            return undefined;
        const high = ((ipv4[0] << 8) | ipv4[1]).toString(16);
        const low = ((ipv4[2] << 8) | ipv4[3]).toString(16);
        ip = `${ip.slice(0, lastColon + 1)}${high}:${low}`;
    }
    // Expand :: notation
    let expanded = ip;
    if (ip.includes('::')) {
        const parts = ip.split('::');
        if (parts.length === 2) {
            const left = parts[0]?.split(':') ?? [];
            const right = parts[1]?.split(':') ?? [];
            const missing = 8 - left.length - right.length;
            const middle = Array.from({ length: missing }).fill('0');
            expanded = [...left, ...middle, ...right].join(':');
        }
    }
    const parts = expanded.split(':');
    if (parts.length !== 8)
        return undefined;
    const nums = parts.map((p) => {
        const num = parseInt(p || '0', 16);
        return num >= 0 && num <= 0xffff ? num : -1;
    });
    return nums.includes(-1) ? undefined : nums;
}
// Rules hold their addresses as integers (an IPv4 address as a 32-bit value, an IPv6 address as
// a 128-bit value) and are parsed once, when added. check() then parses only the address it is
// given and compares integers.
function ipv4ToBigInt(ip) {
    const parts = parseIPv4(ip);
    if (parts === undefined)
        throw new ERR_INVALID_IP_ADDRESS('Invalid IPv4 address');
    return BigInt(((parts[0] << 24) | (parts[1] << 16) | (parts[2] << 8) | parts[3]) >>> 0);
}
function ipv6ToBigInt(ip) {
    const parts = parseIPv6(ip);
    if (parts === undefined)
        throw new ERR_INVALID_IP_ADDRESS('Invalid IPv6 address');
    let result = 0n;
    for (let i = 0; i < 8; i++) {
        const part = parts[i];
        result = (result << 16n) | BigInt(part);
    }
    return result;
}
function ipToBigInt(ip, family) {
    return family === 'ipv4' ? ipv4ToBigInt(ip) : ipv6ToBigInt(ip);
}
// A mask of `prefix` leading one bits in a `bits`-bit address.
function subnetMask(prefix, bits) {
    return ((1n << BigInt(bits)) - 1n) ^ ((1n << BigInt(bits - prefix)) - 1n);
}
const kIPv4MappedPrefix = 0xffffn;
const kIPv4Mask = 0xffffffffn;
function parseAddress(address, family) {
    if (family === 'ipv4') {
        return { ipv4: ipv4ToBigInt(address), ipv6: undefined };
    }
    const ipv6 = ipv6ToBigInt(address);
    const ipv4 = ipv6 >> 32n === kIPv4MappedPrefix ? ipv6 & kIPv4Mask : undefined;
    return { ipv4, ipv6 };
}
function formatIPFamily(family) {
    return family === 'ipv4' ? 'IPv4' : 'IPv6';
}
class AddressRule {
    address;
    family;
    #address;
    constructor(address, family) {
        this.address = address;
        this.family = family;
        this.#address = ipToBigInt(address, family);
    }
    toString() {
        return `Address: ${formatIPFamily(this.family)} ${this.address}`;
    }
    covers(ip) {
        return ip === this.#address;
    }
}
class RangeRule {
    start;
    end;
    family;
    #start;
    #end;
    constructor(start, end, family) {
        this.start = start;
        this.end = end;
        this.family = family;
        this.#start = ipToBigInt(start, family);
        this.#end = ipToBigInt(end, family);
        if (this.#start > this.#end) {
            throw new ERR_INVALID_ARG_VALUE('start', start, 'must come before end');
        }
    }
    toString() {
        return `Range: ${formatIPFamily(this.family)} ${this.start}-${this.end}`;
    }
    covers(ip) {
        return this.#start <= ip && ip <= this.#end;
    }
}
class SubnetRule {
    network;
    prefix;
    family;
    #network;
    #mask;
    constructor(network, prefix, family) {
        this.network = network;
        this.prefix = prefix;
        this.family = family;
        this.#mask = subnetMask(prefix, family === 'ipv4' ? 32 : 128);
        this.#network = ipToBigInt(network, family) & this.#mask;
    }
    toString() {
        return `Subnet: ${formatIPFamily(this.family)} ${this.network}/${this.prefix}`;
    }
    covers(ip) {
        return (ip & this.#mask) === this.#network;
    }
}
export class BlockList {
    #rules = [];
    static isBlockList(value) {
        return value instanceof BlockList;
    }
    addAddress(address, family = 'ipv4') {
        if (SocketAddress.isSocketAddress(address)) {
            this.#rules.push(new AddressRule(address.address, address.family));
        }
        else {
            validateString(address, 'address');
            validateOneOf(family, 'family', ['ipv4', 'ipv6']);
            // Validate the address format
            if (family === 'ipv4' && !isIPv4(address)) {
                throw new ERR_INVALID_IP_ADDRESS('Invalid IPv4 address');
            }
            if (family === 'ipv6' && !isIPv6(address)) {
                throw new ERR_INVALID_IP_ADDRESS('Invalid IPv6 address');
            }
            this.#rules.push(new AddressRule(address, family));
        }
    }
    addRange(start, end, family = 'ipv4') {
        let startAddr;
        let endAddr;
        let addrFamily;
        if (SocketAddress.isSocketAddress(start)) {
            startAddr = start.address;
            addrFamily = start.family;
        }
        else {
            validateString(start, 'start');
            validateOneOf(family, 'family', ['ipv4', 'ipv6']);
            startAddr = start;
            addrFamily = family;
        }
        if (SocketAddress.isSocketAddress(end)) {
            endAddr = end.address;
            if (SocketAddress.isSocketAddress(start) && end.family !== addrFamily) {
                throw new ERR_INVALID_ARG_VALUE('end', end, 'must be same family as start');
            }
        }
        else {
            validateString(end, 'end');
            endAddr = end;
        }
        // Validate addresses
        if (addrFamily === 'ipv4') {
            if (!isIPv4(startAddr) || !isIPv4(endAddr)) {
                throw new ERR_INVALID_IP_ADDRESS('Invalid IPv4 address');
            }
        }
        else {
            if (!isIPv6(startAddr) || !isIPv6(endAddr)) {
                throw new ERR_INVALID_IP_ADDRESS('Invalid IPv6 address');
            }
        }
        this.#rules.push(new RangeRule(startAddr, endAddr, addrFamily));
    }
    addSubnet(network, prefix, family = 'ipv4') {
        let networkAddr;
        let addrFamily;
        if (SocketAddress.isSocketAddress(network)) {
            networkAddr = network.address;
            addrFamily = network.family;
        }
        else {
            validateString(network, 'network');
            validateOneOf(family, 'family', ['ipv4', 'ipv6']);
            networkAddr = network;
            addrFamily = family;
        }
        validateInt32(prefix, 'prefix');
        // Validate prefix range
        if (addrFamily === 'ipv4') {
            if (prefix < 0 || prefix > 32) {
                throw new ERR_OUT_OF_RANGE('prefix', 'between 0 and 32', prefix);
            }
            if (!isIPv4(networkAddr)) {
                throw new ERR_INVALID_IP_ADDRESS('Invalid IPv4 address');
            }
        }
        else {
            if (prefix < 0 || prefix > 128) {
                throw new ERR_OUT_OF_RANGE('prefix', 'between 0 and 128', prefix);
            }
            if (!isIPv6(networkAddr)) {
                throw new ERR_INVALID_IP_ADDRESS('Invalid IPv6 address');
            }
        }
        this.#rules.push(new SubnetRule(networkAddr, prefix, addrFamily));
    }
    check(address, family = 'ipv4') {
        let checkAddr;
        let checkFamily;
        if (SocketAddress.isSocketAddress(address)) {
            checkAddr = address.address;
            checkFamily = address.family;
        }
        else {
            validateString(address, 'address');
            validateOneOf(family, 'family', ['ipv4', 'ipv6']);
            checkAddr = address;
            checkFamily = family.toLowerCase();
        }
        // An address that isn't valid for its family matches nothing.
        let parsed;
        try {
            if (checkFamily === 'ipv4' && !isIPv4(checkAddr)) {
                return false;
            }
            if (checkFamily === 'ipv6' && !isIPv6(checkAddr)) {
                return false;
            }
            parsed = parseAddress(checkAddr, checkFamily);
        }
        catch {
            return false;
        }
        for (const rule of this.#rules) {
            const ip = parsed[rule.family];
            if (ip !== undefined && rule.covers(ip)) {
                return true;
            }
        }
        return false;
    }
    get rules() {
        return this.#rules.map((rule) => rule.toString());
    }
    [kInspect](depth, options) {
        if (depth < 0)
            return '[BlockList]';
        const opts = {
            ...options,
            depth: options.depth == null ? null : options.depth - 1,
        };
        // @ts-expect-error TS2769 not all the overloads are compatible
        return `BlockList {\n  rules: ${inspect(this.rules, opts)}\n}`;
    }
    toJSON() {
        return this.rules;
    }
    fromJSON(data) {
        let rules;
        if (typeof data === 'string') {
            try {
                rules = JSON.parse(data);
            }
            catch {
                throw new ERR_INVALID_ARG_VALUE('data', data, 'must be valid JSON');
            }
        }
        else {
            rules = data;
        }
        validateArray(rules, 'data');
        for (const item of data) {
            if (item.includes('IPv4')) {
                // IPv4 subnet pattern
                const subnetMatch = item.match(kIpv4SubnetRegex);
                if (subnetMatch) {
                    const [, network, prefix] = subnetMatch;
                    if (network === undefined || prefix === undefined) {
                        // Skip the rule if parsing failed.
                        continue;
                    }
                    this.addSubnet(network, parseInt(prefix, 10));
                    continue;
                }
                // IPv4 address pattern
                const addressMatch = item.match(kIpv4AddressRegex);
                if (addressMatch) {
                    const [, address] = addressMatch;
                    if (address === undefined) {
                        // Skip the rule if parsing failed.
                        continue;
                    }
                    this.addAddress(address);
                    continue;
                }
                // IPv4 range pattern
                const rangeMatch = item.match(kIpv4RangeRegex);
                if (rangeMatch) {
                    const [, start, end] = rangeMatch;
                    if (start === undefined || end === undefined) {
                        // Skip the rule if parsing failed.
                        continue;
                    }
                    this.addRange(start, end);
                    continue;
                }
            }
            if (item.includes('IPv6')) {
                // IPv6 subnet pattern
                const ipv6SubnetMatch = item.match(kIpv6SubnetRegex);
                if (ipv6SubnetMatch) {
                    const [, network, prefix] = ipv6SubnetMatch;
                    if (network === undefined || prefix === undefined) {
                        // Skip the rule if parsing failed.
                        continue;
                    }
                    this.addSubnet(network, parseInt(prefix, 10), 'ipv6');
                    continue;
                }
                // IPv6 address pattern
                const ipv6AddressMatch = item.match(kIpv6AddressRegex);
                if (ipv6AddressMatch) {
                    const [, address] = ipv6AddressMatch;
                    if (address === undefined) {
                        // Skip the rule if parsing failed.
                        continue;
                    }
                    this.addAddress(address, 'ipv6');
                    continue;
                }
                // IPv6 range pattern
                const ipv6RangeMatch = item.match(kIpv6RangeRegex);
                if (ipv6RangeMatch) {
                    const [, start, end] = ipv6RangeMatch;
                    if (start === undefined || end === undefined) {
                        // Skip the rule if parsing failed.
                        continue;
                    }
                    this.addRange(start, end, 'ipv6');
                    continue;
                }
            }
        }
    }
}
