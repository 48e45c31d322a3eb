// Copyright (c) 2017-2023 Cloudflare, Inc.
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
import { default as cryptoImpl, } from 'node-internal:crypto';
import { Transform, } from 'node-internal:streams_transform';
import { createSecretKey, createPublicKey, createPrivateKey, isKeyObject, getKeyObjectHandle, } from 'node-internal:crypto_keys';
import { validateNumber, validateObject, validateString, validateUint32, } from 'node-internal:validators';
import { ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_MISSING_ARGS, } from 'node-internal:internal_errors';
import { isAnyArrayBuffer, isArrayBufferView, } from 'node-internal:internal_types';
import {} from 'node-internal:crypto';
import { Buffer } from 'node-internal:internal_buffer';
const kHandle = Symbol('kHandle');
const CipherMode = {
    CIPHER: 0,
    DECIPHER: 1,
};
function getSecretKey(key) {
    if (key instanceof CryptoKey) {
        if (key.type !== 'secret') {
            throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, 'secret');
        }
        return key;
    }
    else if (isKeyObject(key)) {
        if (key.type !== 'secret') {
            throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, 'secret');
        }
        return getKeyObjectHandle(key);
    }
    else if (isAnyArrayBuffer(key) || isArrayBufferView(key)) {
        return getKeyObjectHandle(createSecretKey(key));
    }
    else if (typeof key === 'string') {
        return getKeyObjectHandle(createSecretKey(key, 'utf8'));
    }
    throw new ERR_INVALID_ARG_TYPE('key', ['string', 'Buffer', 'TypedArray', 'DataView', 'KeyObject', 'CryptoKey'], key);
}
function getIv(iv) {
    if (iv === null) {
        // Node.js documents null as the IV for ciphers that don't use one,
        // such as ECB modes.
        return new Uint8Array(0);
    }
    else if (isAnyArrayBuffer(iv) || isArrayBufferView(iv)) {
        return iv;
    }
    else if (typeof iv === 'string') {
        return Buffer.from(iv, 'utf8');
    }
    throw new ERR_INVALID_ARG_TYPE('iv', ['string', 'Buffer', 'TypedArray', 'DataView', 'null'], iv);
}
export const Cipheriv = function (algorithm, key, iv, options = {}) {
    validateString(algorithm, 'algorithm');
    const secretKey = getSecretKey(key);
    const ivBuf = getIv(iv);
    if (options.authLengthTag !== undefined) {
        validateUint32(options.authLengthTag, 'options.authLengthTag');
    }
    this[kHandle] = cryptoImpl.newHandle(CipherMode.CIPHER, algorithm, secretKey, ivBuf, options.authLengthTag);
    Transform.call(this, options);
};
Object.setPrototypeOf(Cipheriv.prototype, Transform.prototype);
Object.setPrototypeOf(Cipheriv, Transform);
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype.update = function (data, inputEncoding, outputEncoding) {
    let ret;
    if (typeof data === 'string') {
        if (inputEncoding === undefined) {
            throw new ERR_INVALID_ARG_VALUE('inputEncoding', inputEncoding, 'If inputEncoding is not provided then the data must be a Buffer');
        }
        ret = this[kHandle].update(Buffer.from(data, inputEncoding));
    }
    else if (isAnyArrayBuffer(data)) {
        ret = this[kHandle].update(data);
    }
    else if (isArrayBufferView(data)) {
        ret = this[kHandle].update(data);
    }
    else {
        throw new ERR_INVALID_ARG_TYPE('data', ['string', 'Buffer', 'TypedArray', 'DataView'], data);
    }
    if (outputEncoding === undefined) {
        return Buffer.from(ret);
    }
    return Buffer.from(ret).toString(outputEncoding);
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype.final = function (outputEncoding) {
    const ret = this[kHandle].final();
    if (outputEncoding === undefined) {
        return Buffer.from(ret);
    }
    return Buffer.from(ret).toString(outputEncoding);
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype.setAAD = function (buffer, options = {}) {
    validateObject(options, 'options');
    const { plaintextLength, encoding } = options;
    if (plaintextLength !== undefined) {
        validateUint32(plaintextLength, 'options.plaintextLength');
    }
    if (encoding !== undefined) {
        validateString(encoding, 'options.encoding');
    }
    if (typeof buffer === 'string') {
        this[kHandle].setAAD(Buffer.from(buffer, encoding), plaintextLength);
    }
    else if (isAnyArrayBuffer(buffer) || isArrayBufferView(buffer)) {
        this[kHandle].setAAD(buffer, plaintextLength);
    }
    return this;
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype.setAutoPadding = function (autoPadding) {
    this[kHandle].setAutoPadding(autoPadding ? true : false);
    return this;
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype.getAuthTag = function () {
    const ret = this[kHandle].getAuthTag();
    if (ret === undefined)
        return undefined;
    return Buffer.from(ret);
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype._transform = function (chunk, encoding, callback) {
    if (typeof chunk === 'string') {
        chunk = Buffer.from(chunk, encoding);
    }
    this.push(Buffer.from(this[kHandle].update(chunk)));
    callback();
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Cipheriv.prototype._flush = function (callback) {
    this.push(Buffer.from(this[kHandle].final()));
    callback();
};
export const Decipheriv = function (algorithm, key, iv, options = {}) {
    validateString(algorithm, 'algorithm');
    const secretKey = getSecretKey(key);
    const ivBuf = getIv(iv);
    if (options.authLengthTag !== undefined) {
        validateUint32(options.authLengthTag, 'options.authLengthTag');
    }
    this[kHandle] = cryptoImpl.newHandle(CipherMode.DECIPHER, algorithm, secretKey, ivBuf, options.authLengthTag);
    Transform.call(this, options);
    return this;
};
Object.setPrototypeOf(Decipheriv.prototype, Transform.prototype);
Object.setPrototypeOf(Decipheriv, Transform);
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype.update = function (data, inputEncoding, outputEncoding) {
    let ret;
    if (typeof data === 'string') {
        if (inputEncoding === undefined) {
            throw new ERR_INVALID_ARG_VALUE('inputEncoding', inputEncoding, 'If inputEncoding is not provided then the data must be a Buffer');
        }
        ret = this[kHandle].update(Buffer.from(data, inputEncoding));
    }
    else if (isAnyArrayBuffer(data)) {
        ret = this[kHandle].update(data);
    }
    else if (isArrayBufferView(data)) {
        ret = this[kHandle].update(data);
    }
    else {
        throw new ERR_INVALID_ARG_TYPE('data', ['string', 'Buffer', 'TypedArray', 'DataView'], data);
    }
    if (outputEncoding === undefined) {
        return Buffer.from(ret);
    }
    return Buffer.from(ret).toString(outputEncoding);
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype.final = function (outputEncoding) {
    const ret = this[kHandle].final();
    if (outputEncoding === undefined) {
        return Buffer.from(ret);
    }
    return Buffer.from(ret).toString(outputEncoding);
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype.setAAD = function (buffer, options = {}) {
    validateObject(options, 'options');
    const { plaintextLength, encoding } = options;
    if (plaintextLength !== undefined) {
        validateUint32(plaintextLength, 'options.plaintextLength');
    }
    if (encoding !== undefined) {
        validateString(encoding, 'options.encoding');
    }
    if (typeof buffer === 'string') {
        this[kHandle].setAAD(Buffer.from(buffer, encoding), plaintextLength);
    }
    else if (isAnyArrayBuffer(buffer) || isArrayBufferView(buffer)) {
        this[kHandle].setAAD(buffer, plaintextLength);
    }
    return this;
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype.setAutoPadding = function (autoPadding) {
    this[kHandle].setAutoPadding(autoPadding ? true : false);
    return this;
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype.setAuthTag = function (buffer) {
    this[kHandle].setAuthTag(buffer);
    return this;
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype._transform = function (chunk, encoding, callback) {
    if (typeof chunk === 'string') {
        chunk = Buffer.from(chunk, encoding);
    }
    this.push(Buffer.from(this[kHandle].update(chunk)));
    callback();
};
// eslint-disable-next-line @typescript-eslint/no-unsafe-member-access
Decipheriv.prototype._flush = function (callback) {
    this.push(Buffer.from(this[kHandle].final()));
    callback();
};
export function createCipheriv(algorithm, key, iv, options = {}) {
    return new Cipheriv(algorithm, key, iv, options);
}
export function createDecipheriv(algorithm, key, iv, options = {}) {
    return new Decipheriv(algorithm, key, iv, options);
}
export const kRsaPkcs1Padding = 1;
export const kRsaNoPadding = 3;
export const kRsaPkcs1OaepPadding = 4;
function getPaddingAndHash(options) {
    const { padding = kRsaPkcs1Padding, oaepHash = 'sha256', oaepLabel, encoding = 'utf8', } = options;
    validateNumber(padding, 'options.padding');
    validateString(oaepHash, 'options.oaepHash');
    let label;
    if (oaepLabel !== undefined) {
        if (typeof oaepLabel === 'string') {
            label = Buffer.from(oaepLabel, encoding);
        }
        else if (isAnyArrayBuffer(oaepLabel) || isArrayBufferView(oaepLabel)) {
            label = oaepLabel;
        }
        else {
            throw new ERR_INVALID_ARG_TYPE('options.oaepLabel', ['string', 'Buffer', 'TypedArray', 'DataView', 'ArrayBuffer'], oaepLabel);
        }
    }
    return { padding, oaepHash, oaepLabel: label };
}
// Resolves the key argument of publicEncrypt() and its siblings. As in
// Node.js, a KeyObject or CryptoKey may be passed either directly or as the
// `key` property of an options object, which lets callers specify options
// such as `padding` alongside it.
function prepareAsymmetricKey(key, type) {
    const inner = key?.key;
    let keyObject;
    if (key instanceof CryptoKey || isKeyObject(key)) {
        keyObject = key;
    }
    else if (inner instanceof CryptoKey || isKeyObject(inner)) {
        keyObject = inner;
    }
    else {
        const options = key;
        return getKeyObjectHandle(type === 'public' ? createPublicKey(options) : createPrivateKey(options));
    }
    if (keyObject.type !== type) {
        throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(keyObject.type, type);
    }
    return keyObject instanceof CryptoKey
        ? keyObject
        : getKeyObjectHandle(keyObject);
}
export function privateEncrypt(privateKey, buffer) {
    if (privateKey === undefined) {
        throw new ERR_MISSING_ARGS('privateKey');
    }
    if (buffer === undefined) {
        throw new ERR_MISSING_ARGS('buffer');
    }
    const key = prepareAsymmetricKey(privateKey, 'private');
    if (typeof buffer === 'string') {
        const { encoding = 'utf8' } = privateKey;
        buffer = Buffer.from(buffer, encoding);
    }
    return Buffer.from(cryptoImpl.privateEncrypt(key, buffer, getPaddingAndHash(privateKey)));
}
export function privateDecrypt(privateKey, buffer) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (privateKey === undefined) {
        throw new ERR_MISSING_ARGS('privateKey');
    }
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (buffer === undefined) {
        throw new ERR_MISSING_ARGS('buffer');
    }
    const key = prepareAsymmetricKey(privateKey, 'private');
    if (typeof buffer === 'string') {
        const { encoding = 'utf8' } = privateKey;
        buffer = Buffer.from(buffer, encoding);
    }
    return Buffer.from(cryptoImpl.privateDecrypt(key, buffer, getPaddingAndHash(privateKey)));
}
export function publicEncrypt(key, buffer) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (key === undefined) {
        throw new ERR_MISSING_ARGS('key');
    }
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (buffer === undefined) {
        throw new ERR_MISSING_ARGS('buffer');
    }
    const pkey = prepareAsymmetricKey(key, 'public');
    if (typeof buffer === 'string') {
        const { encoding = 'utf8' } = key;
        buffer = Buffer.from(buffer, encoding);
    }
    return Buffer.from(cryptoImpl.publicEncrypt(pkey, buffer, getPaddingAndHash(key)));
}
export function publicDecrypt(key, buffer) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (key === undefined) {
        throw new ERR_MISSING_ARGS('key');
    }
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (buffer === undefined) {
        throw new ERR_MISSING_ARGS('buffer');
    }
    const pkey = prepareAsymmetricKey(key, 'public');
    if (typeof buffer === 'string') {
        const { encoding = 'utf8' } = key;
        buffer = Buffer.from(buffer, encoding);
    }
    return Buffer.from(cryptoImpl.publicDecrypt(pkey, buffer, getPaddingAndHash(key)));
}
export function getCipherInfo(nameOrId, options = {}) {
    if (typeof nameOrId !== 'string' && typeof nameOrId !== 'number') {
        throw new ERR_INVALID_ARG_TYPE('nameOrId', ['string', 'number'], nameOrId);
    }
    validateObject(options, 'options');
    return cryptoImpl.getCipherInfo(nameOrId, options);
}
export const getCiphers = cryptoImpl.getCiphers.bind(cryptoImpl);
