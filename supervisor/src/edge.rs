//! The data plane: everything that happens to a request between the client's socket and the worker, on the one I/O
//! thread that has accepted its connection.
//!
//! - `io_thread`: the state of one thread. `commands`: what the main thread tells it, and what it reports back.
//! - `listener`: accepts connections until its address is closed (`closing`).
//! - `bindings`: answers what workers fetch from their bindings.
//! - `admission`: all connections of a thread, and whether a new one is admitted. `descriptors`: how many there may be.
//! - `connection`: serves one connection. `client`: its state and time limits. `pace`: how far its client is behind.
//! - `proxy`: checks and forwards requests. `forwarded_for`: which client a request comes from.
//! - `upstream`: the connections to the workers of an app. `probation`: the policy for kinds of requests that have
//!   recently ended a worker. `refused`: why a request was not forwarded.
//!
//! Imports between these modules point one way: `proxy` imports nothing of what carries a connection, and `upstream`
//! and `client` do not import each other.

pub(crate) mod admission;
pub(crate) mod bindings;
pub(crate) mod client;
pub(crate) mod closing;
pub(crate) mod commands;
pub(crate) mod connection;
pub(crate) mod descriptors;
pub(crate) mod forwarded_for;
pub(crate) mod io_thread;
pub(crate) mod listener;
pub(crate) mod pace;
pub(crate) mod probation;
pub(crate) mod proxy;
pub(crate) mod refused;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod upstream;
