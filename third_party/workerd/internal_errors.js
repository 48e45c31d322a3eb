// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
//
// Adapted from Deno and Node.js:
// Copyright 2018-2022 the Deno authors. All rights reserved. MIT license.
//
// Adapted from Node.js. Copyright Joyent, Inc. and other Node contributors.
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
import { inspect } from 'node-internal:internal_inspect';
const classRegExp = /^([A-Z][a-z0-9]*)+$/;
const kTypes = [
    'string',
    'function',
    'number',
    'object',
    'Function',
    'Object',
    'boolean',
    'bigint',
    'symbol',
];
export class NodeErrorAbstraction extends Error {
    code;
    constructor(name, code, message) {
        super(message);
        this.code = code;
        this.name = name;
    }
    toString() {
        return `${this.name} [${this.code}]: ${this.message}`;
    }
}
export class NodeError extends NodeErrorAbstraction {
    constructor(code, message) {
        super(Error.prototype.name, code, message);
    }
}
export class NodeRangeError extends NodeErrorAbstraction {
    constructor(code, message) {
        super(RangeError.prototype.name, code, message);
        Object.setPrototypeOf(this, RangeError.prototype);
        this.toString = function () {
            return `${this.name} [${this.code}]: ${this.message}`;
        };
    }
}
export class NodeTypeError extends NodeErrorAbstraction {
    constructor(code, message) {
        super(TypeError.prototype.name, code, message);
        Object.setPrototypeOf(this, TypeError.prototype);
        this.toString = function () {
            return `${this.name} [${this.code}]: ${this.message}`;
        };
    }
}
export class NodeSyntaxError extends NodeErrorAbstraction {
    constructor(code, message) {
        super(SyntaxError.prototype.name, code, message);
        Object.setPrototypeOf(this, SyntaxError.prototype);
        this.toString = function () {
            return `${this.name} [${this.code}]: ${this.message}`;
        };
    }
}
function createInvalidArgType(name, expected) {
    // https://github.com/nodejs/node/blob/f3eb224/lib/internal/errors.js#L1037-L1087
    expected = Array.isArray(expected) ? expected : [expected];
    let msg = 'The ';
    if (name.endsWith(' argument')) {
        // For cases like 'first argument'
        msg += `${name} `;
    }
    else {
        const type = name.includes('.') ? 'property' : 'argument';
        msg += `"${name}" ${type} `;
    }
    msg += 'must be ';
    const types = [];
    const instances = [];
    const other = [];
    for (const value of expected) {
        if (kTypes.includes(value)) {
            types.push(value.toLocaleLowerCase());
        }
        else if (classRegExp.test(value)) {
            instances.push(value);
        }
        else {
            other.push(value);
        }
    }
    // Special handle `object` in case other instances are allowed to outline
    // the differences between each other.
    if (instances.length > 0) {
        const pos = types.indexOf('object');
        if (pos !== -1) {
            types.splice(pos, 1);
            instances.push('Object');
        }
    }
    if (types.length > 0) {
        if (types.length > 2) {
            const last = types.pop();
            msg += `one of type ${types.join(', ')}, or ${last}`;
        }
        else if (types.length === 2) {
            msg += `one of type ${types[0]} or ${types[1]}`;
        }
        else {
            msg += `of type ${types[0]}`;
        }
        if (instances.length > 0 || other.length > 0) {
            msg += ' or ';
        }
    }
    if (instances.length > 0) {
        if (instances.length > 2) {
            const last = instances.pop();
            msg += `an instance of ${instances.join(', ')}, or ${last}`;
        }
        else {
            msg += `an instance of ${instances[0]}`;
            if (instances.length === 2) {
                msg += ` or ${instances[1]}`;
            }
        }
        if (other.length > 0) {
            msg += ' or ';
        }
    }
    if (other.length > 0) {
        if (other.length > 2) {
            const last = other.pop();
            msg += `one of ${other.join(', ')}, or ${last}`;
        }
        else if (other.length === 2) {
            msg += `one of ${other[0]} or ${other[1]}`;
        }
        else {
            if (other[0]?.toLowerCase() !== other[0]) {
                msg += 'an ';
            }
            msg += `${other[0]}`;
        }
    }
    return msg;
}
function invalidArgTypeHelper(input) {
    if (input == null) {
        return ` Received ${input}`;
    }
    if (typeof input === 'function' && input.name) {
        return ` Received function ${input.name}`;
    }
    if (typeof input === 'object') {
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
        if (input.constructor?.name) {
            return ` Received an instance of ${input.constructor.name}`;
        }
        return ` Received ${inspect(input, { depth: -1 })}`;
    }
    let inspected = inspect(input, { colors: false });
    if (inspected.length > 25) {
        inspected = `${inspected.slice(0, 25)}...`;
    }
    return ` Received type ${typeof input} (${inspected})`;
}
function addNumericalSeparator(val) {
    let res = '';
    let i = val.length;
    const start = val[0] === '-' ? 1 : 0;
    for (; i >= start + 4; i -= 3) {
        res = `_${val.slice(i - 3, i)}${res}`;
    }
    return `${val.slice(0, i)}${res}`;
}
export class ERR_CONSOLE_WRITABLE_STREAM extends NodeTypeError {
    constructor(name) {
        super('ERR_CONSOLE_WRITABLE_STREAM', `Console expects a writable stream instance for ${name}`);
    }
}
export class ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY extends NodeError {
    constructor() {
        super('ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY', 'Public key is not valid for specified curve');
    }
}
export class ERR_CRYPTO_HASH_FINALIZED extends NodeError {
    constructor() {
        super('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    }
}
export class ERR_CRYPTO_HASH_UPDATE_FAILED extends NodeError {
    constructor() {
        super('ERR_CRYPTO_HASH_UPDATE_FAILED', 'Hash update failed');
    }
}
export class ERR_CRYPTO_INCOMPATIBLE_KEY extends NodeError {
    constructor(name, msg) {
        super('ERR_CRYPTO_INCOMPATIBLE_KEY', `Incompatible ${name}: ${msg}`);
    }
}
export class ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE extends NodeError {
    constructor(actual, expected) {
        super('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type ${actual}, expected ${expected}.`);
    }
}
export class ERR_INVALID_ARG_TYPE_RANGE extends NodeRangeError {
    constructor(name, expected, actual) {
        const msg = createInvalidArgType(name, expected);
        super('ERR_INVALID_ARG_TYPE', `${msg}.${invalidArgTypeHelper(actual)}`);
    }
}
export class ERR_INVALID_ARG_TYPE extends NodeTypeError {
    constructor(name, expected, actual) {
        const msg = createInvalidArgType(name, expected);
        super('ERR_INVALID_ARG_TYPE', `${msg}.${invalidArgTypeHelper(actual)}`);
    }
    static RangeError = ERR_INVALID_ARG_TYPE_RANGE;
}
export class ERR_INVALID_ARG_VALUE_RANGE extends NodeRangeError {
    constructor(name, value, reason = 'is invalid') {
        const type = name.includes('.') ? 'property' : 'argument';
        const inspected = inspect(value);
        super('ERR_INVALID_ARG_VALUE', `The ${type} '${name}' ${reason}. Received ${inspected}`);
    }
}
export class ERR_INVALID_ARG_VALUE extends NodeTypeError {
    constructor(name, value, reason = 'is invalid') {
        const type = name.includes('.') ? 'property' : 'argument';
        const inspected = inspect(value);
        super('ERR_INVALID_ARG_VALUE', `The ${type} '${name}' ${reason}. Received ${inspected}`);
    }
    static RangeError = ERR_INVALID_ARG_VALUE_RANGE;
}
export class ERR_OUT_OF_RANGE extends RangeError {
    code = 'ERR_OUT_OF_RANGE';
    constructor(str, range, input, replaceDefaultBoolean = false) {
        // TODO(later): Implement internal assert?
        // assert(range, 'Missing "range" argument');
        let msg = replaceDefaultBoolean
            ? str
            : `The value of "${str}" is out of range.`;
        let received;
        if (Number.isInteger(input) && Math.abs(input) > 2 ** 32) {
            received = addNumericalSeparator(String(input));
        }
        else if (typeof input === 'bigint') {
            received = String(input);
            if (input > 2n ** 32n || input < -(2n ** 32n)) {
                received = addNumericalSeparator(received);
            }
            received += 'n';
        }
        else {
            received = inspect(input);
        }
        msg += ` It must be ${range}. Received ${received}`;
        super(msg);
        const { name } = this;
        // Add the error code to the name to include it in the stack trace.
        this.name = `${name} [${this.code}]`;
        // Access the stack to generate the error message including the error code from the name.
        // eslint-disable-next-line @typescript-eslint/no-unused-expressions
        this.stack;
        // Reset the name to the actual name.
        this.name = name;
    }
}
export class ERR_UNHANDLED_ERROR extends NodeError {
    constructor(x) {
        super('ERR_UNHANDLED_ERROR', `Unhandled error. (${x})`);
    }
}
export class ERR_INVALID_THIS extends NodeTypeError {
    constructor(x) {
        super('ERR_INVALID_THIS', `Value of "this" must be of type ${x}`);
    }
}
export class ERR_BUFFER_OUT_OF_BOUNDS extends NodeRangeError {
    constructor(name) {
        super('ERR_BUFFER_OUT_OF_BOUNDS', name
            ? `"${name}" is outside of buffer bounds`
            : 'Attempt to access memory outside buffer bounds');
    }
}
export class ERR_INVALID_BUFFER_SIZE extends NodeRangeError {
    constructor(size) {
        super('ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size}-bits`);
    }
}
export class ERR_UNKNOWN_ENCODING extends NodeTypeError {
    constructor(x) {
        super('ERR_UNKNOWN_ENCODING', `Unknown encoding: ${x}`);
    }
}
export class ERR_STREAM_PREMATURE_CLOSE extends NodeTypeError {
    constructor() {
        super('ERR_STREAM_PREMATURE_CLOSE', 'Premature close');
    }
}
export class AbortError extends Error {
    code;
    constructor(message = 'The operation was aborted', options) {
        if (options !== undefined && typeof options !== 'object') {
            throw new ERR_INVALID_ARG_TYPE('options', 'Object', options);
        }
        super(message, options);
        this.code = 'ABORT_ERR';
        this.name = 'AbortError';
    }
}
function determineSpecificType(value) {
    if (value == null) {
        // eslint-disable-next-line @typescript-eslint/restrict-plus-operands
        return '' + value;
    }
    if (typeof value === 'function' && value.name) {
        return `function ${value.name}`;
    }
    if (typeof value === 'object') {
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
        if (value.constructor?.name) {
            return `an instance of ${value.constructor.name}`;
        }
        return inspect(value, { depth: -1 });
    }
    let inspected = inspect(value, { colors: false });
    if (inspected.length > 28)
        inspected = `${inspected.slice(0, 25)}...`;
    return `type ${typeof value} (${inspected})`;
}
export class ERR_AMBIGUOUS_ARGUMENT extends NodeTypeError {
    constructor(x, y) {
        super('ERR_AMBIGUOUS_ARGUMENT', `The "${x}" argument is ambiguous. ${y}`);
    }
}
export class ERR_CONSTRUCT_CALL_REQUIRED extends NodeTypeError {
    constructor(name) {
        super('ERR_CONSTRUCT_CALL_REQUIRED', `Class constructor ${name} cannot be invoked without \`new\``);
    }
}
export class ERR_INVALID_RETURN_VALUE extends NodeTypeError {
    constructor(input, name, value) {
        super('ERR_INVALID_RETURN_VALUE', `Expected ${input} to be returned from the "${name}" function but got ${determineSpecificType(value)}.`);
    }
}
export class ERR_MULTIPLE_CALLBACK extends NodeError {
    constructor() {
        super('ERR_MULTIPLE_CALLBACK', 'Callback called multiple times');
    }
}
export class ERR_MISSING_ARGS extends NodeTypeError {
    constructor(...args) {
        let msg = 'The ';
        const len = args.length;
        const wrap = (a) => `"${a}"`;
        args = args.map((a) => Array.isArray(a) ? a.map(wrap).join(' or ') : wrap(a));
        switch (len) {
            case 1:
                msg += `${args[0]} argument`;
                break;
            case 2:
                msg += `${args[0]} and ${args[1]} arguments`;
                break;
            default:
                msg += args.slice(0, len - 1).join(', ');
                msg += `, and ${args[len - 1]} arguments`;
                break;
        }
        super('ERR_MISSING_ARGS', `${msg} must be specified`);
    }
}
export class ERR_FALSY_VALUE_REJECTION extends NodeError {
    reason;
    constructor(reason) {
        super('ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
        this.reason = reason;
    }
}
// Raised when a node:stream API needs the Node.js web-stream interop hooks
// (completion observation through Symbol.for('nodejs.webstream.isClosedPromise'),
// external erroring through Symbol.for('nodejs.webstream.controllerErrorFunction'))
// and the web stream in hand does not carry them, which is the case for
// streams from the C++ streams implementation.
export class ERR_WEB_STREAM_INTEROP_UNSUPPORTED extends NodeTypeError {
    constructor(api) {
        super('ERR_WEB_STREAM_INTEROP_UNSUPPORTED', `${api} is not supported for web streams by the streams implementation in use`);
    }
}
export class ERR_METHOD_NOT_IMPLEMENTED extends NodeError {
    constructor(name) {
        if (typeof name === 'symbol') {
            name = name.description;
        }
        super('ERR_METHOD_NOT_IMPLEMENTED', `The ${name} method is not implemented`);
    }
}
export class ERR_INSPECTOR_ALREADY_CONNECTED extends NodeError {
    constructor(message) {
        super('ERR_INSPECTOR_ALREADY_CONNECTED', `${message} is already connected`);
    }
}
export class ERR_INSPECTOR_NOT_CONNECTED extends NodeError {
    constructor() {
        super('ERR_INSPECTOR_NOT_CONNECTED', 'Session is not connected');
    }
}
export class ERR_INSPECTOR_CLOSED extends NodeError {
    constructor() {
        super('ERR_INSPECTOR_CLOSED', 'Session was closed');
    }
}
export class ERR_INSPECTOR_COMMAND extends NodeError {
    constructor(code, message) {
        super('ERR_INSPECTOR_COMMAND', `Inspector error ${code}: ${message}`);
    }
}
export class ERR_INSPECTOR_NOT_WORKER extends NodeError {
    constructor() {
        super('ERR_INSPECTOR_NOT_WORKER', 'Current thread is not a worker');
    }
}
export class ERR_STREAM_CANNOT_PIPE extends NodeError {
    constructor() {
        super('ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable');
    }
}
export class ERR_STREAM_DESTROYED extends NodeError {
    constructor(name) {
        if (typeof name === 'symbol') {
            name = name.description;
        }
        super('ERR_STREAM_DESTROYED', `Cannot call ${name} after a stream was destroyed`);
    }
}
export class ERR_STREAM_ALREADY_FINISHED extends NodeError {
    constructor(name) {
        if (typeof name === 'symbol') {
            name = name.description;
        }
        super('ERR_STREAM_ALREADY_FINISHED', `Cannot call ${name} after a stream was finished`);
    }
}
export class ERR_STREAM_NULL_VALUES extends NodeTypeError {
    constructor() {
        super('ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
    }
}
export class ERR_STREAM_WRITE_AFTER_END extends NodeError {
    constructor() {
        super('ERR_STREAM_WRITE_AFTER_END', 'write after end');
    }
}
export class ERR_STREAM_PUSH_AFTER_EOF extends NodeError {
    constructor() {
        super('ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF');
    }
}
export class ERR_STREAM_UNSHIFT_AFTER_END_EVENT extends NodeError {
    constructor() {
        super('ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event');
    }
}
export class ERR_BUFFER_TOO_LARGE extends NodeRangeError {
    constructor(value) {
        super('ERR_BUFFER_TOO_LARGE', `Cannot create a Buffer larger than ${value} bytes`);
    }
}
export class ERR_BROTLI_INVALID_PARAM extends NodeRangeError {
    constructor(value) {
        super('ERR_BROTLI_INVALID_PARAM', `${value} is not a valid Brotli parameter`);
    }
}
export class ERR_ZSTD_INVALID_PARAM extends NodeRangeError {
    constructor(value) {
        super('ERR_ZSTD_INVALID_PARAM', `${value} is not a valid Zstd parameter`);
    }
}
export class ERR_ZLIB_INITIALIZATION_FAILED extends NodeError {
    constructor() {
        super('ERR_ZLIB_INITIALIZATION_FAILED', 'Initialization failed');
    }
}
export class ERR_INVALID_URL extends NodeError {
    input;
    constructor(url) {
        super('ERR_INVALID_URL', 'Invalid URL');
        this.input = url;
    }
}
export class ERR_INVALID_URL_SCHEME extends NodeError {
    constructor(scheme) {
        super('ERR_INVALID_URL_SCHEME', `The URL must be of scheme ${scheme}`);
    }
}
export class ERR_INVALID_FILE_URL_HOST extends NodeError {
    constructor(input) {
        super('ERR_INVALID_FILE_URL_HOST', `File URL host must be "localhost" or empty on ${input}`);
    }
}
export class ERR_INVALID_FILE_URL_PATH extends NodeError {
    constructor(input) {
        super('ERR_INVALID_FILE_URL_PATH', `File URL path ${input}`);
    }
}
export class ERR_INVALID_URI extends NodeError {
    constructor() {
        super('ERR_INVALID_URI', 'URI malformed');
        this.name = 'URIError';
    }
}
// Example:
//
// Error: queryTxt ENOTFOUND google.com2
//     at QueryReqWrap.onresolve [as oncomplete] (node:internal/dns/callback_resolver:45:19)
//     at QueryReqWrap.callbackTrampoline (node:internal/async_hooks:130:17) {
//   errno: undefined,
//   code: 'ENOTFOUND',
//   syscall: 'queryTxt',
//   hostname: 'google.com2'
// }
export class DnsError extends NodeError {
    errno = undefined;
    hostname;
    syscall;
    constructor(hostname, code, syscall) {
        super(code, `${syscall} ${code} ${hostname}`);
        this.hostname = hostname;
        this.syscall = syscall;
    }
}
export class ERR_OPTION_NOT_IMPLEMENTED extends NodeError {
    constructor(name) {
        if (typeof name === 'symbol') {
            name = name.description;
        }
        super('ERR_OPTION_NOT_IMPLEMENTED', `The ${name} option is not implemented`);
    }
}
export class ERR_SOCKET_BAD_PORT extends NodeError {
    constructor(name, port, allowZero) {
        const operator = allowZero ? '>=' : '>';
        super('ERR_SOCKET_BAD_PORT', `${name} should be ${operator} 0 and < 65536. Received ${typeof port}.`);
    }
}
export class EADDRINUSE extends NodeError {
    syscall = 'bind';
    address;
    port;
    constructor(address, port) {
        super('EADDRINUSE', `bind EADDRINUSE ${address}:${port}`);
        this.address = address;
        this.port = port;
    }
}
export class EADDRNOTAVAIL extends NodeError {
    syscall = 'bind';
    address;
    port;
    constructor(address, port) {
        super('EADDRNOTAVAIL', `bind EADDRNOTAVAIL ${address}:${port}`);
        this.address = address;
        this.port = port;
    }
}
export class EPIPE extends NodeError {
    constructor() {
        super('EPIPE', 'This socket has been ended by the other party');
    }
}
// libuv's errno values on Linux, which Node.js reports there.
const UV_ERRNO = {
    ECONNREFUSED: -111,
    ECONNRESET: -104,
    EPIPE: -32,
    ETIMEDOUT: -110,
    EHOSTUNREACH: -113,
    ENETUNREACH: -101,
};
// A failed connect(2), as Node reports it (its exceptionWithHostPort). Node's
// errno errors are plain Errors, so unlike NodeError these keep Error's
// formatting: `Error: connect ECONNREFUSED 127.0.0.1:1`.
export class ConnectException extends Error {
    code;
    errno;
    syscall = 'connect';
    address;
    port;
    constructor(code, address, port) {
        super(`connect ${code} ${address}:${port}`);
        this.code = code;
        this.errno = UV_ERRNO[code];
        this.address = address;
        this.port = port;
    }
}
// A failed read or write on a connected socket, as Node reports it (its
// errnoException): `Error: read ECONNRESET`.
export class SocketErrnoException extends Error {
    code;
    errno;
    syscall;
    constructor(code, syscall) {
        super(`${syscall} ${code}`);
        this.code = code;
        this.errno = UV_ERRNO[code];
        this.syscall = syscall;
    }
}
const GETADDRINFO_ERRNO = {
    ENOTFOUND: -3008,
    EAI_AGAIN: -3001,
};
// A failed name lookup, as Node reports it from connect()'s getaddrinfo.
export class GetAddrInfoException extends Error {
    code;
    errno;
    syscall = 'getaddrinfo';
    hostname;
    constructor(code, hostname) {
        super(`getaddrinfo ${code} ${hostname}`);
        this.code = code;
        this.errno = GETADDRINFO_ERRNO[code];
        this.hostname = hostname;
    }
}
// A read into an empty buffer, as Node reports it (the errno exception of
// a read that libuv refuses with UV_ENOBUFS).
export class ENOBUFS extends NodeError {
    syscall = 'read';
    constructor() {
        super('ENOBUFS', 'read ENOBUFS');
    }
}
export class ERR_SOCKET_CLOSED_BEFORE_CONNECTION extends NodeError {
    constructor() {
        super('ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before connection established');
    }
}
export class ERR_SOCKET_CLOSED extends NodeError {
    constructor() {
        super('ERR_SOCKET_CLOSED', 'Socket is closed');
    }
}
export class ERR_SOCKET_CONNECTING extends NodeError {
    constructor() {
        super('ERR_SOCKET_CONNECTING', 'Socket is already connecting');
    }
}
export class ERR_SOCKET_HANDLE_ADOPTED extends NodeError {
    constructor() {
        super('ERR_SOCKET_HANDLE_ADOPTED', 'The bound socket has already been adopted by a server or socket');
    }
}
export class ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS extends NodeError {
    constructor(arg0, arg1) {
        super('ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS', `The selected key encoding ${arg0} ${arg1}.`);
    }
}
export class ERR_CRYPTO_INVALID_JWK extends NodeTypeError {
    constructor() {
        super('ERR_CRYPTO_INVALID_JWK', 'Invalid JWK data');
    }
}
export class ERR_INCOMPATIBLE_OPTION_PAIR extends NodeError {
    constructor(a, b) {
        super('ERR_INCOMPATIBLE_OPTION_PAIR', `The options "${a}" and "${b}" are mutually exclusive.`);
    }
}
export class ERR_MISSING_OPTION extends NodeError {
    constructor(name) {
        super('ERR_MISSING_OPTION', name);
    }
}
export class ERR_UNSUPPORTED_OPERATION extends NodeError {
    constructor() {
        super('ERR_UNSUPPORTED_OPERATION', 'The requested operation is unsupported');
    }
}
export class ERR_CRYPTO_SIGN_KEY_REQUIRED extends NodeError {
    constructor() {
        super('ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign');
    }
}
export class ERR_TLS_HANDSHAKE_TIMEOUT extends NodeError {
    constructor() {
        super('ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS handshake timeout');
    }
}
export class ERR_TLS_INVALID_CONTEXT extends NodeTypeError {
    constructor(field) {
        super('ERR_TLS_INVALID_CONTEXT', `${field} must be a SecureContext`);
    }
}
export class ERR_TLS_CERT_ALTNAME_INVALID extends NodeError {
    reason;
    host;
    cert;
    constructor(reason, host, cert) {
        super('ERR_TLS_CERT_ALTNAME_INVALID', reason);
        this.reason = reason;
        this.host = host;
        this.cert = cert;
    }
}
export class ERR_TLS_CERT_ALTNAME_FORMAT extends NodeSyntaxError {
    constructor() {
        super('ERR_TLS_CERT_ALTNAME_FORMAT', 'Invalid subject alternative name string');
    }
}
export class ConnResetException extends NodeError {
    path;
    host;
    port;
    localAddress;
    constructor(message) {
        super('ECONNRESET', message);
    }
}
export function aggregateTwoErrors(innerError, outerError) {
    if (innerError && outerError && innerError !== outerError) {
        if ('errors' in outerError && Array.isArray(outerError.errors)) {
            // If `outerError` is already an `AggregateError`.
            outerError.errors.push(innerError);
            return outerError;
        }
        const err = new AggregateError([outerError, innerError], outerError.message);
        err.code = outerError.code;
        return err;
    }
    return (innerError || outerError);
}
export class ERR_INVALID_IP_ADDRESS extends NodeTypeError {
    constructor(ipAddress) {
        super('ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${ipAddress}`);
    }
}
export class ERR_INVALID_ADDRESS extends NodeTypeError {
    constructor() {
        super('ERR_INVALID_ADDRESS', 'Invalid socket address');
    }
}
export class ERR_STREAM_WRAP extends NodeError {
    constructor() {
        super('ERR_STREAM_WRAP', 'Stream has StringDecoder set or is in objectMode');
    }
}
export class ERR_INVALID_HTTP_TOKEN extends NodeTypeError {
    constructor(label, name) {
        super('ERR_INVALID_HTTP_TOKEN', `${label} must be a valid HTTP token ["${name}"]`);
    }
}
export class ERR_HTTP_INVALID_HEADER_VALUE extends NodeTypeError {
    constructor(value, header) {
        super('ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "${value}" for header "${header}"`);
    }
}
export class ERR_INVALID_CHAR extends NodeTypeError {
    constructor(name, field) {
        let msg = `Invalid character in ${name}`;
        if (field !== undefined) {
            msg += ` ["${field}"]`;
        }
        super('ERR_INVALID_CHAR', msg);
    }
}
export class NodeSyscallError extends NodeError {
    syscall;
    errno;
    constructor(code, message, syscall) {
        super(code, message);
        this.syscall = syscall;
    }
}
export class ERR_ENOENT extends NodeSyscallError {
    path;
    constructor(path, options) {
        super('ENOENT', `no such file or directory, ${options.syscall} '${path}'`, options.syscall);
        this.path = path;
        this.errno = -2; // ENOENT
    }
}
export class ERR_EBADF extends NodeSyscallError {
    constructor(options) {
        super('EBADF', 'Bad file descriptor', options.syscall);
        this.errno = -9; // EBADF
    }
}
export class ERR_EINVAL extends NodeSyscallError {
    path;
    constructor(options) {
        const message = options.path
            ? `invalid argument, ${options.syscall} '${options.path}'`
            : 'invalid argument';
        super('EINVAL', message, options.syscall);
        if (options.path !== undefined) {
            this.path = options.path;
        }
        this.errno = -22; // EINVAL
    }
}
export class ERR_EEXIST extends NodeSyscallError {
    path;
    constructor(options) {
        const message = options.path
            ? `file already exists, ${options.syscall} '${options.path}'`
            : 'file already exists';
        super('EEXIST', message, options.syscall);
        if (options.path !== undefined) {
            this.path = options.path;
        }
        this.errno = -17; // EEXIST
    }
}
export class ERR_EPERM extends NodeSyscallError {
    path;
    constructor(options) {
        const message = options.path
            ? `operation not permitted, ${options.syscall} '${options.path}'`
            : 'operation not permitted';
        super('EPERM', message, options.syscall);
        if (options.path !== undefined) {
            this.path = options.path;
        }
        this.errno = options.errno ?? 1; // EPERM
    }
}
export class ERR_DIR_CLOSED extends NodeError {
    constructor() {
        super('ERR_DIR_CLOSED', 'Directory is closed');
    }
}
export class ERR_HTTP_HEADERS_SENT extends NodeError {
    constructor(action) {
        super('ERR_HTTP_HEADERS_SENT', `Cannot ${action} headers after they are sent to the client`);
    }
}
export class ERR_HTTP_CONTENT_LENGTH_MISMATCH extends NodeError {
    constructor(actual, expected) {
        super('ERR_HTTP_CONTENT_LENGTH_MISMATCH', `Request body length does not match content-length header. Expected: ${expected}, Actual: ${actual}`);
    }
}
export class ERR_HTTP_BODY_NOT_ALLOWED extends NodeError {
    constructor() {
        super('ERR_HTTP_BODY_NOT_ALLOWED', 'Request with GET/HEAD method cannot have body');
    }
}
export class ERR_INVALID_PROTOCOL extends NodeTypeError {
    constructor(actual, expected) {
        super('ERR_INVALID_PROTOCOL', `Protocol "${actual}" not supported. Expected "${expected}"`);
    }
}
export class ERR_UNESCAPED_CHARACTERS extends NodeTypeError {
    constructor(field) {
        super('ERR_UNESCAPED_CHARACTERS', `${field} contains unescaped characters`);
    }
}
export class ERR_SYSTEM_ERROR extends NodeError {
    constructor(message) {
        super('ERR_SYSTEM_ERROR', message);
    }
}
export class ERR_HTTP_INVALID_STATUS_CODE extends NodeRangeError {
    constructor(statusCode) {
        super('ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${statusCode}`);
    }
}
export class ERR_SERVER_ALREADY_LISTEN extends NodeError {
    constructor() {
        super('ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');
    }
}
export class ERR_SERVER_NOT_RUNNING extends NodeError {
    constructor() {
        super('ERR_SERVER_NOT_RUNNING', 'Server is not running.');
    }
}
export class ERR_ILLEGAL_CONSTRUCTOR extends NodeTypeError {
    constructor() {
        super('ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    }
}
export class ERR_PERFORMANCE_INVALID_TIMESTAMP extends NodeTypeError {
    constructor(value) {
        super('ERR_PERFORMANCE_INVALID_TIMESTAMP', `${value} is not a valid timestamp`);
    }
}
export class ERR_TRACE_EVENTS_CATEGORY_REQUIRED extends NodeTypeError {
    constructor() {
        super('ERR_TRACE_EVENTS_CATEGORY_REQUIRED', 'At least one category is required');
    }
}
