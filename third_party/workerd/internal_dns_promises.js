// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
// Copyright Joyent and Node contributors. All rights reserved. MIT license.
import * as errorCodes from 'node-internal:internal_dns_constants';
import { reverse, resolveTxt, resolveCaa, resolveMx, resolveCname, resolveNs, resolvePtr, resolveSrv, resolveSoa, resolveNaptr, resolve4, resolve6, getServers, setServers, getDefaultResultOrder, setDefaultResultOrder, lookup as internalLookup, lookupService, resolve, resolveAny, } from 'node-internal:internal_dns';
export * from 'node-internal:internal_dns_constants';
export { reverse, resolveTxt, resolveCaa, resolveMx, resolveCname, resolveNs, resolvePtr, resolveSrv, resolveSoa, resolveNaptr, resolve4, resolve6, getServers, setServers, getDefaultResultOrder, setDefaultResultOrder, lookupService, resolve, resolveAny, } from 'node-internal:internal_dns';
export class Resolver {
    cancel() {
        // TODO(soon): Implement this.
        throw new Error('Not implemented');
    }
    setLocalAddress() {
        // Does not apply to workerd implementation
        throw new Error('Not implemented');
    }
    getServers() {
        return getServers();
    }
    // @ts-expect-error TS2769 No matching overload.
    resolve(name, rrtype) {
        return resolve(name, rrtype);
    }
    // @ts-expect-error TS2769 No matching overload.
    resolve4(input, options) {
        return resolve4(input, options);
    }
    // @ts-expect-error TS2769 No matching overload.
    resolve6(input, options) {
        return resolve6(input, options);
    }
    // @ts-expect-error TS2769 No matching overload.
    resolveAny() {
        return resolveAny();
    }
    resolveCaa(name) {
        return resolveCaa(name);
    }
    resolveCname(name) {
        return resolveCname(name);
    }
    resolveMx(name) {
        return resolveMx(name);
    }
    resolveNaptr(name) {
        return resolveNaptr(name);
    }
    resolveNs(name) {
        return resolveNs(name);
    }
    resolvePtr(name) {
        return resolvePtr(name);
    }
    resolveSoa(name) {
        return resolveSoa(name);
    }
    resolveSrv(name) {
        return resolveSrv(name);
    }
    resolveTxt(name) {
        return resolveTxt(name);
    }
    reverse(name) {
        return reverse(name);
    }
    setServers() {
        setServers();
    }
}
export function lookup(hostname, options) {
    const { promise, resolve, reject } = Promise.withResolvers();
    internalLookup(hostname, options, (error, address, family) => {
        if (error) {
            reject(error);
        }
        else if (Array.isArray(address)) {
            resolve(address);
        }
        else {
            resolve({
                address,
                family,
            });
        }
    });
    return promise;
}
export default {
    reverse,
    resolveTxt,
    resolveCaa,
    resolveMx,
    resolveCname,
    resolveNs,
    resolvePtr,
    resolveSrv,
    resolveSoa,
    resolveNaptr,
    resolve4,
    resolve6,
    getServers,
    setServers,
    getDefaultResultOrder,
    setDefaultResultOrder,
    lookup,
    lookupService,
    resolve,
    resolveAny,
    Resolver,
    ...errorCodes,
};
