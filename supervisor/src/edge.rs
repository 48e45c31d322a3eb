//! The data plane, from socket to worker: all that happens to a request, on the one I/O thread that has accepted it.
//!
//! - `io_thread`: what a thread is made of; `commands`: what the main thread tells it, and hears from it.
//! - `listener` accepts (until its address is `closing`), `crowd` (all connections; `descriptors`: how many there may be) lets in,
//!   `connection` serves one, `client` knows what that does, `pace` how far it is behind.
//! - `proxy` checks and forwards (`forwarded_for`: who asks), `upstream` gives the connection to the app's worker, with
//!   `probation` as policy for kinds of requests that have just ended one; `refused` is why there is none.
//!
//! Imports point one way between these: `proxy` knows nothing of what carries a connection, nor `upstream` and `client` of each
//! other.

pub(crate) mod client;
pub(crate) mod closing;
pub(crate) mod commands;
pub(crate) mod connection;
pub(crate) mod crowd;
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
