//! What every room speaks of: values and pure rules, without HTTP and without I/O. It imports nothing of this crate.
//!
//! - `ids`: what names an app, a worker, a listening address; `state`: where an app is in its life.
//! - `kind`, `host_name`: requests and hosts, each in one spelling.
//! - `refusal`, `overdue`, `exit_reason`, `lost_request`: why a request is refused, a connection is ended, a worker has ended,
//!   and what went down with it.
//! - `change_error`: why a change that was asked for has not come about.
//! - `shares`: how much one client may hold of what all use.

pub(crate) mod change_error;
pub(crate) mod exit_reason;
pub(crate) mod host_name;
pub(crate) mod ids;
pub(crate) mod kind;
pub(crate) mod lost_request;
pub(crate) mod overdue;
pub(crate) mod refusal;
pub(crate) mod shares;
pub(crate) mod state;
