//! Spawns, watches and ends worker processes.
//!
//! - [`spawn`]: starts the process; the only place that does.
//! - [`spare`]: processes that are booted and have no app yet; `demand`: how many of them to keep.
//! - [`handle`]: has a process load its app until it is ready; `load`: the load message; `fingerprint`: its digest; `health`: the
//!   health check; `descriptors`: the limit of open descriptors.
//! - [`cgroup`]: control groups; `output`: the log lines of a worker.
//! - `events`: what it is notified of; `calls`: what it asks for; `cache`: what is kept for it between starts.
//! - [`watch`]: pings, logs, drain; `reap`: waits for the exit; [`usage`]: memory and CPU time.
//! - `orphans`: reaps orphans as PID 1.

mod cache;
pub(crate) mod calls;
pub(crate) mod cgroup;
mod demand;
mod descriptors;
pub(crate) mod events;
mod fingerprint;
pub(crate) mod handle;
mod health;
mod load;
pub(crate) mod orphans;
mod output;
mod reap;
pub(crate) mod spare;
pub(crate) mod spawn;
pub(crate) mod usage;
pub(crate) mod watch;

pub(crate) use cgroup::Cgroups;

pub(crate) use fingerprint::Fingerprint;
pub(crate) use handle::{StartFailure, Started, Worker};
pub(crate) use output::Output;
pub(crate) use spare::Spares;

pub(crate) use watch::{Order, Report};
