// Copyright (c) 2026 Cloudflare, Inc.
// Licensed under the Apache 2.0 license found in the LICENSE file or at:
//     https://opensource.org/licenses/Apache-2.0
import sockets from 'cloudflare-internal:sockets';
const EPHEMERAL_PORT_MIN = 49152;
const EPHEMERAL_PORT_MAX = 65535;
// Synthetic addresses from 240.1.0.0/16, a reserved block that is never routed
// (Hyperdrive's synthetic hosts use 240.0.0.0/16). The isolate has a host
// address so that a connected or accepted socket never reports the unspecified
// address as its own, and peers the platform does not identify appear behind a
// single gateway address with distinct ports, as they would behind a NAT.
export const HOST_ADDRESS = '240.1.0.1';
export const GATEWAY_ADDRESS = '240.1.255.254';
// Virtual local port table for one protocol. The underlying transport does not
// honor local binding, but explicitly bound ports are recorded and
// conflict-checked so that they are unique within the isolate, and an entry may
// carry the handlers that inbound sockets on that port are routed to.
export class PortTable {
    #entries = new Map();
    #nextEphemeral = EPHEMERAL_PORT_MIN;
    // Backstop for socket owners that are never closed: a request's IoContext
    // teardown runs no JS, so a socket it strands would otherwise hold its entry
    // for the isolate's lifetime. Deterministic release by the owner remains
    // primary. Listening servers are not registered; their entry is meant to
    // outlive any reference to them.
    // FinalizationRegistry is absent on compat dates before enable_weak_ref.
    #registry;
    // Next ephemeral port that is not recorded. This is a label, not a
    // reservation: autobound sockets whose request ends before they are destroyed
    // never run cleanup, so recording them would leak entries. Returns 0 when the
    // range is exhausted.
    ephemeral() {
        for (let i = EPHEMERAL_PORT_MIN; i <= EPHEMERAL_PORT_MAX; i++) {
            const candidate = this.#nextEphemeral;
            this.#nextEphemeral =
                candidate === EPHEMERAL_PORT_MAX ? EPHEMERAL_PORT_MIN : candidate + 1;
            if (!this.#entries.has(candidate))
                return candidate;
        }
        return 0;
    }
    // Marks port as one the platform delivers inbound connections on.
    declare(port) {
        if (!this.#entries.has(port)) {
            this.#entries.set(port, {
                refs: 0,
                reusePort: false,
                declared: true,
                handlers: [],
            });
        }
    }
    hasDeclared() {
        for (const entry of this.#entries.values()) {
            if (entry.declared)
                return true;
        }
        return false;
    }
    isDeclared(port) {
        return this.#entries.get(port)?.declared ?? false;
    }
    // The first declared port with no binder, or 0.
    unclaimedDeclared() {
        for (const [port, entry] of this.#entries) {
            if (entry.declared && entry.refs === 0)
                return port;
        }
        return 0;
    }
    // Records port, or shares it when both the holder and this binder set
    // reusePort. An unclaimed declared port is claimable. Returns false on
    // conflict.
    tryBind(port, reusePort = false) {
        const entry = this.#entries.get(port);
        if (entry === undefined) {
            this.#entries.set(port, {
                refs: 1,
                reusePort,
                declared: false,
                handlers: [],
            });
        }
        else if (entry.refs === 0) {
            entry.refs = 1;
            entry.reusePort = reusePort;
        }
        else if (entry.reusePort && reusePort) {
            entry.refs++;
        }
        else {
            return false;
        }
        return true;
    }
    release(port) {
        const entry = this.#entries.get(port);
        if (entry !== undefined && --entry.refs === 0) {
            if (entry.declared) {
                entry.handlers = [];
            }
            else {
                this.#entries.delete(port);
            }
        }
    }
    // Releases port when owner is collected without having released it. An owner
    // must unregister before releasing so the entry is never decremented twice.
    register(owner, port) {
        if (this.#registry === undefined) {
            if (typeof FinalizationRegistry !== 'function')
                return;
            this.#registry = new FinalizationRegistry((p) => {
                this.release(p);
            });
        }
        this.#registry.register(owner, port, owner);
    }
    unregister(owner) {
        this.#registry?.unregister(owner);
    }
    setHandler(port, handler) {
        this.#entries.get(port)?.handlers.push(handler);
    }
    clearHandler(port, handler) {
        const entry = this.#entries.get(port);
        if (entry === undefined)
            return;
        const i = entry.handlers.indexOf(handler);
        if (i !== -1)
            entry.handlers.splice(i, 1);
    }
    getHandler(port) {
        const entry = this.#entries.get(port);
        if (entry === undefined || entry.handlers.length === 0)
            return undefined;
        const handler = entry.handlers.shift();
        entry.handlers.push(handler);
        return handler;
    }
}
// The isolate is the port namespace: it is the one unit that shares module
// state, and the platform routes between isolates before a port is consulted,
// so every request and every Durable Object instance in it sees one table, as
// processes on one host do. It is seeded with the ports the platform delivers
// inbound connections on.
export const tcpPorts = new PortTable();
for (const listener of sockets.getInboundListeners()) {
    if (listener.protocol === 'tcp')
        tcpPorts.declare(listener.port);
}
