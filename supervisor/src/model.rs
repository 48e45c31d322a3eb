//! Values and pure rules that every room uses, without HTTP and without I/O. It imports nothing else of this crate.
//!
//! - `ids`: ids of apps, workers and listening addresses; `state`: the states of an app and the transitions between them.
//! - `kind`, `host_name`: requests and hosts in canonical form.
//! - `refusal`, `overdue`, `exit_reason`, `run_outcome`: why a request is refused, a connection is closed, a worker ended, and how a
//!   scheduled run ended; `lost_request`: a
//!   request that was in flight when its worker ended; `culprit`: the one that ended it; `change_error`: why a requested change failed.
//! - `shares`: how much of a shared resource one client may hold. `rate_limits`: how often an app lets something happen.

pub(crate) mod change_error;
pub(crate) mod culprit;
pub(crate) mod exit_reason;
pub(crate) mod host_name;
pub(crate) mod ids;
pub(crate) mod kind;
pub(crate) mod lost_request;
pub(crate) mod overdue;
pub(crate) mod rate_limits;
pub(crate) mod refusal;
pub(crate) mod run_outcome;
pub(crate) mod shares;
pub(crate) mod state;
