// Copyright (c) 2026 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
import { UV_DIRENT_DIR, UV_DIRENT_FILE, UV_DIRENT_BLOCK, UV_DIRENT_CHAR, UV_DIRENT_LINK, UV_DIRENT_FIFO, UV_DIRENT_SOCKET, } from 'node-internal:internal_fs_constants';
import {} from 'node-internal:internal_fs_utils';
import { default as cffs, } from 'cloudflare-internal:filesystem';
import { validateFunction, validateObject, validateString, } from 'node-internal:validators';
import { ERR_DIR_CLOSED, ERR_MISSING_ARGS, } from 'node-internal:internal_errors';
import { Buffer } from 'node-internal:internal_buffer';
const kType = Symbol('type');
export class Dirent {
    name;
    parentPath;
    [kType];
    constructor(name, type, path) {
        this.name = name;
        this.parentPath = path;
        this[kType] = type;
    }
    isDirectory() {
        return this[kType] === UV_DIRENT_DIR;
    }
    isFile() {
        return this[kType] === UV_DIRENT_FILE;
    }
    isBlockDevice() {
        return this[kType] === UV_DIRENT_BLOCK;
    }
    isCharacterDevice() {
        return this[kType] === UV_DIRENT_CHAR;
    }
    isSymbolicLink() {
        return this[kType] === UV_DIRENT_LINK;
    }
    isFIFO() {
        return this[kType] === UV_DIRENT_FIFO;
    }
    isSocket() {
        return this[kType] === UV_DIRENT_SOCKET;
    }
}
export class Dir {
    // Unlike our Node.js counterpart, we do not not use an underlying
    // native handle for the directory. Instead we use a simple array
    // of DirEntryHandle objects just like the one used in the readdir
    // API.
    #handle;
    #encoding;
    #path;
    constructor(handle, path, options) {
        if (handle == null) {
            throw new ERR_MISSING_ARGS('handle');
        }
        this.#handle = handle;
        this.#path = path;
        validateObject(options, 'options');
        const { encoding = 'utf8' } = options;
        validateString(encoding, 'options.encoding');
        this.#encoding = encoding;
    }
    get path() {
        return this.#path;
    }
    read(callback) {
        if (typeof callback === 'function') {
            validateFunction(callback, 'callback');
            try {
                const ent = this.readSync();
                queueMicrotask(() => {
                    callback(null, ent);
                });
            }
            catch (err) {
                queueMicrotask(() => {
                    callback(err, null);
                });
            }
            return;
        }
        try {
            const ent = this.readSync();
            return Promise.resolve(ent);
        }
        catch (err) {
            return Promise.reject(err);
        }
    }
    readSync() {
        if (this.#handle === undefined)
            throw new ERR_DIR_CLOSED();
        const ent = this.#handle.shift();
        if (ent == null)
            return null;
        const buf = Buffer.from(ent.name);
        if (this.#encoding === 'buffer') {
            return new Dirent(buf, ent.type, ent.parentPath);
        }
        return new Dirent(buf.toString(this.#encoding != null ? this.#encoding : undefined), ent.type, ent.parentPath);
    }
    close(callback) {
        this.closeSync();
        if (typeof callback === 'function') {
            validateFunction(callback, 'callback');
            queueMicrotask(() => {
                callback(null);
            });
            return undefined;
        }
        return Promise.resolve();
    }
    closeSync() {
        if (this.#handle === undefined) {
            throw new ERR_DIR_CLOSED();
        }
        this.#handle = undefined;
    }
    async *entries() {
        for (;;) {
            const ent = await this.read();
            if (ent == null)
                return;
            yield ent;
        }
    }
    [Symbol.asyncIterator]() {
        return this.entries();
    }
    async [Symbol.asyncDispose]() {
        await this.close();
    }
    [Symbol.dispose]() {
        this.closeSync();
    }
}
