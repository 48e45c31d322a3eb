// Copyright (c) 2017-2022 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
// Copyright Joyent and Node contributors. All rights reserved. MIT license.
/* eslint-disable @typescript-eslint/no-deprecated */
import { sendDnsRequest, validateAnswer, normalizeMx, normalizeCname, normalizeCaa, normalizePtr, normalizeNaptr, normalizeNs, normalizeSoa, normalizeTxt, normalizeSrv, } from 'node-internal:internal_dns_client';
import { DnsError, ERR_INVALID_ARG_TYPE, ERR_OPTION_NOT_IMPLEMENTED, ERR_INVALID_ARG_VALUE, } from 'node-internal:internal_errors';
import { validateString, validateFunction, validateOneOf, validateNumber, validateBoolean, } from 'node-internal:validators';
import * as errorCodes from 'node-internal:internal_dns_constants';
import { isIP } from 'node-internal:internal_net';
import inner from 'cloudflare-internal:sockets';
export const validFamilies = [0, 4, 6];
export const validDnsOrders = [
    'verbatim',
    'ipv4first',
    'ipv6first',
];
let defaultDnsOrder = 'verbatim';
// Magic hostnames (e.g. Hyperdrive's) resolve to a synthetic IPv4 that routes via a connect
// override. Gate on the suffix so ordinary lookups stay entirely in JS rather than crossing into
// C++ on every resolution.
function getMagicHostOverride(hostname) {
    if (!hostname.endsWith('.hyperdrive.local') &&
        !hostname.endsWith('.workers.alt')) {
        return undefined;
    }
    return inner.getCallerDnsOverride(hostname);
}
// The synthetic address is IPv4; its IPv4-mapped IPv6 form is a known, derived value that connect()
// normalizes back to the IPv4 override key, so no separate registration is needed.
function toMappedIpv6(ipv4) {
    return `::ffff:${ipv4}`;
}
export function getServers() {
    return ['1.1.1.1', '2606:4700:4700::1111', '1.0.0.1', '2606:4700:4700::1001'];
}
export function lookup(hostname, options, callback) {
    let family = 0;
    let all = false;
    let dnsOrder = getDefaultResultOrder();
    // Parse arguments
    if (hostname) {
        validateString(hostname, 'hostname');
    }
    if (typeof options === 'function') {
        callback = options;
        family = 0;
    }
    else if (typeof options === 'number') {
        validateFunction(callback, 'callback');
        validateOneOf(options, 'family', validFamilies);
        family = options;
    }
    else if (options !== undefined && typeof options !== 'object') {
        validateFunction(arguments.length === 2 ? options : callback, 'callback');
        throw new ERR_INVALID_ARG_TYPE('options', ['integer', 'object'], options);
    }
    else {
        validateFunction(callback, 'callback');
        if (options?.hints != null) {
            validateNumber(options.hints, 'options.hints');
            throw new ERR_OPTION_NOT_IMPLEMENTED('options.hints');
        }
        if (options?.family != null) {
            switch (options.family) {
                case 'IPv4':
                    family = 4;
                    break;
                case 'IPv6':
                    family = 6;
                    break;
                default:
                    validateOneOf(options.family, 'options.family', validFamilies);
                    family = options.family;
                    break;
            }
        }
        if (options?.all != null) {
            validateBoolean(options.all, 'options.all');
            all = options.all;
        }
        if (options?.verbatim != null) {
            validateBoolean(options.verbatim, 'options.verbatim');
            dnsOrder = options.verbatim ? 'verbatim' : 'ipv4first';
        }
        if (options?.order != null) {
            validateOneOf(options.order, 'options.order', validDnsOrders);
            dnsOrder = options.order;
        }
    }
    if (!hostname) {
        if (all) {
            process.nextTick(callback, null, []);
        }
        else {
            process.nextTick(callback, null, null, family === 6 ? 6 : 4);
        }
        return;
    }
    const matchedFamily = isIP(hostname);
    if (matchedFamily) {
        if (all) {
            process.nextTick(callback, null, [
                { address: hostname, family: matchedFamily },
            ]);
        }
        else {
            process.nextTick(callback, null, hostname, matchedFamily);
        }
        return;
    }
    const overrideIp = getMagicHostOverride(hostname);
    if (overrideIp != null) {
        // family 6 gets the IPv4-mapped form; family 0/4 gets the raw IPv4.
        const address = family === 6 ? toMappedIpv6(overrideIp) : overrideIp;
        const resultFamily = family === 6 ? 6 : 4;
        // Deliver via queueMicrotask rather than process.nextTick: this path is reachable in
        // node:dns configs where the `process` global is not defined.
        queueMicrotask(() => {
            if (all) {
                callback(null, [{ address, family: resultFamily }]);
            }
            else {
                callback(null, address, resultFamily);
            }
        });
        return;
    }
    // If all is true and family is 0, we need to query both A and AAAA records
    if (all && family === 0) {
        Promise.all([
            sendDnsRequest(hostname, 'A').catch(() => ({ Answer: [] })),
            sendDnsRequest(hostname, 'AAAA').catch(() => ({ Answer: [] })),
        ])
            .then(([ipv4Response, ipv6Response]) => {
            const ipv4Addresses = ipv4Response.Answer?.map((answer) => ({
                address: answer.data,
                family: 4,
            })) ?? [];
            const ipv6Addresses = ipv6Response.Answer?.map((answer) => ({
                address: answer.data,
                family: 6,
            })) ?? [];
            // No addresses found
            if (ipv4Addresses.length === 0 && ipv6Addresses.length === 0) {
                callback(new DnsError(hostname, errorCodes.NOTFOUND, 'queryA'));
                return;
            }
            // Order addresses based on dnsOrder
            if (dnsOrder === 'ipv6first') {
                callback(null, [...ipv6Addresses, ...ipv4Addresses]);
            }
            else {
                // verbatim - preserve order as received (still separating by type)
                // ipv4first = same as verbatim
                callback(null, [...ipv4Addresses, ...ipv6Addresses]);
            }
        })
            .catch((error) => {
            process.nextTick(callback, error);
        });
    }
    else if (family === 0) {
        // family=0, all=false: query both A and AAAA, return first result based on dnsOrder
        Promise.all([
            sendDnsRequest(hostname, 'A').catch(() => ({ Answer: [] })),
            sendDnsRequest(hostname, 'AAAA').catch(() => ({ Answer: [] })),
        ])
            .then(([ipv4Response, ipv6Response]) => {
            const ipv4 = ipv4Response.Answer?.at(0)?.data;
            const ipv6 = ipv6Response.Answer?.at(0)?.data;
            if (ipv4 == null && ipv6 == null) {
                callback(new DnsError(hostname, errorCodes.NOTFOUND, 'queryA'));
                return;
            }
            // Return the preferred address based on dnsOrder
            if (dnsOrder === 'ipv6first') {
                if (ipv6 != null) {
                    callback(null, ipv6, 6);
                }
                else {
                    callback(null, ipv4, 4);
                }
            }
            else {
                if (ipv4 != null) {
                    callback(null, ipv4, 4);
                }
                else {
                    callback(null, ipv6, 6);
                }
            }
        })
            .catch((error) => {
            process.nextTick(callback, error);
        });
    }
    else {
        const requestType = family === 4 ? 'A' : 'AAAA';
        // Single request when family is specified (with or without all=true)
        sendDnsRequest(hostname, requestType)
            .then((json) => {
            validateAnswer(json.Answer, hostname, `query${requestType}`);
            if (all) {
                // Return all addresses with the specified family
                callback(null, json.Answer.map((answer) => ({
                    address: answer.data,
                    family,
                })));
            }
            else {
                // Return just the first address
                callback(null, json.Answer.at(0)?.data, family);
            }
        })
            .catch((error) => {
            process.nextTick(callback, error);
        });
    }
}
// eslint-disable-next-line @typescript-eslint/require-await
export async function lookupService() {
    // TODO(soon): Implement this.
    throw new Error('Not implemented');
}
export function resolve(name, rrtype) {
    validateString(name, 'name');
    switch (rrtype) {
        case 'A':
            return resolve4(name);
        case 'AAAA':
            return resolve6(name);
        case 'ANY':
            return resolveAny();
        case 'CAA':
            return resolveCaa(name);
        case 'CNAME':
            return resolveCname(name);
        case 'MX':
            return resolveMx(name);
        case 'NAPTR':
            return resolveNaptr(name);
        case 'NS':
            return resolveNs(name);
        case 'PTR':
            return resolvePtr(name);
        case 'SOA':
            return resolveSoa(name);
        case 'SRV':
            return resolveSrv(name);
        case 'TXT':
            return resolveTxt(name);
        default: {
            throw new ERR_INVALID_ARG_VALUE('rrtype', rrtype);
        }
    }
}
export function resolve4(name, options) {
    validateString(name, 'name');
    // The following change is done to comply with Node.js behavior
    const ttl = !!options?.ttl;
    const overrideIp = getMagicHostOverride(name);
    if (overrideIp != null) {
        return Promise.resolve([
            ttl ? { ttl: 0, address: overrideIp } : overrideIp,
        ]);
    }
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'A').then((json) => {
        validateAnswer(json.Answer, name, 'queryA');
        return json.Answer.map((a) => ttl ? { ttl: a.TTL, address: a.data } : a.data);
    });
}
export function resolve6(name, options) {
    validateString(name, 'name');
    // The following change is done to comply with Node.js behavior
    const ttl = !!options?.ttl;
    const overrideIp = getMagicHostOverride(name);
    if (overrideIp != null) {
        const address = toMappedIpv6(overrideIp);
        return Promise.resolve([ttl ? { ttl: 0, address } : address]);
    }
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'AAAA').then((json) => {
        validateAnswer(json.Answer, name, 'queryAaaa');
        return json.Answer.map((a) => ttl ? { ttl: a.TTL, address: a.data } : a.data);
    });
}
// eslint-disable-next-line @typescript-eslint/require-await
export async function resolveAny() {
    // TODO(soon): Implement this
    throw new Error('Not implemented');
}
export function resolveCname(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'CNAME').then((json) => {
        validateAnswer(json.Answer, name, 'queryCname');
        return json.Answer.map(normalizeCname);
    });
}
export function resolveCaa(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'CAA').then((json) => {
        validateAnswer(json.Answer, name, 'queryCaa');
        return json.Answer.map(normalizeCaa);
    });
}
export function resolveMx(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'MX').then((json) => {
        validateAnswer(json.Answer, name, 'queryMx');
        return json.Answer.map((answer) => normalizeMx(name, answer));
    });
}
export function resolveNaptr(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'NAPTR').then((json) => {
        validateAnswer(json.Answer, name, 'queryNaptr');
        return json.Answer.map(normalizeNaptr);
    });
}
export function resolveNs(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'NS').then((json) => {
        validateAnswer(json.Answer, name, 'queryNs');
        return json.Answer.map(normalizeNs);
    });
}
export function resolvePtr(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'PTR').then((json) => {
        validateAnswer(json.Answer, name, 'queryPtr');
        return json.Answer.map(normalizePtr);
    });
}
export function resolveSoa(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'SOA').then((json) => {
        validateAnswer(json.Answer, name, 'querySoa');
        // This is highly unlikely, but let's assert length just to be safe.
        const firstElement = json.Answer.at(0);
        if (!firstElement) {
            throw new DnsError(name, errorCodes.NOTFOUND, 'querySoa');
        }
        return normalizeSoa(firstElement);
    });
}
export function resolveSrv(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'SRV').then((json) => {
        validateAnswer(json.Answer, name, 'querySrv');
        return json.Answer.map(normalizeSrv);
    });
}
export function resolveTxt(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'TXT').then((json) => {
        validateAnswer(json.Answer, name, 'queryTxt');
        return json.Answer.map(normalizeTxt);
    });
}
export function reverse(name) {
    validateString(name, 'name');
    // Validation errors needs to be sync.
    // Return a promise rather than using async qualifier.
    return sendDnsRequest(name, 'PTR').then((json) => {
        validateAnswer(json.Answer, name, 'queryPtr');
        return json.Answer.map(({ data }) => {
            if (data.endsWith('.')) {
                return data.slice(0, -1);
            }
            return data;
        });
    });
}
export function setDefaultResultOrder(value) {
    validateOneOf(value, 'dnsOrder', validDnsOrders);
    defaultDnsOrder = value;
}
export function getDefaultResultOrder() {
    return defaultDnsOrder;
}
export function setServers() {
    // This function does not apply to workerd model.
    // Our implementation always use Cloudflare DNS and does not
    // allow users to change the underlying DNS server.
    throw new Error('Not implemented');
}
