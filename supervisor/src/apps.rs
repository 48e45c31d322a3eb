//! The control plane: manages the set of apps and the lifecycle of each one.
//!
//! - `fleet` changes all apps as a whole; `registry` holds the state of each app; `sockets` and `inherited` provide the
//!   listening sockets.
//! - `lifecycle` runs one app: it starts and replaces its workers, with `restart` and `budget` as policies.
//! - `schedule` runs `scheduled` handlers when they are due.
//! - `crashes` keeps reports of ended workers; `quarantine` decides which requests are refused because of them.

pub(crate) mod budget;
pub(crate) mod crashes;
pub(crate) mod fleet;
pub(crate) mod inherited;
pub(crate) mod lifecycle;
pub(crate) mod quarantine;
pub(crate) mod registry;
pub(crate) mod restart;
pub(crate) mod schedule;
pub(crate) mod sockets;
