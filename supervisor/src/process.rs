//! The supervisor's view of a worker process.
//!
//! - [`spawn`]: starts the process; the only place that does.
//! - [`spare`]: a process that has shaken hands and has no app yet; `demand`: how many of them are worth having.
//! - [`handle`]: from there to the moment at which it takes requests; `load`: what it is told to load; `fingerprint`: whether
//!   that would be the same again; `health`: whether it answers; `descriptors`: how many it
//!   may have open.
//! - [`cgroup`]: what the kernel holds it to; `output`: what it prints.
//! - `calls`: what it asks for; `cache`: what is kept for it between starts.
//! - [`watch`]: pings, logs, drain; `reap`: its end; [`usage`]: what it uses.
//! - `orphans`: what PID 1 inherits.

mod cache;
pub(crate) mod calls;
pub(crate) mod cgroup;
mod demand;
mod descriptors;
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
