//! The control plane: which apps there are, and the life of each.
//!
//! - `fleet`: all apps, changed as a whole; `registry`: what is known of each; `sockets`, `inherited`: what is bound for them.
//! - `lifecycle`: one app, whose workers it starts and replaces, with `restart` and `budget` as policies.
//! - `crashes`: what is left of workers; `quarantine`: which requests are refused for it.

pub(crate) mod budget;
pub(crate) mod crashes;
pub(crate) mod fleet;
pub(crate) mod inherited;
pub(crate) mod lifecycle;
pub(crate) mod quarantine;
pub(crate) mod registry;
pub(crate) mod restart;
pub(crate) mod sockets;
