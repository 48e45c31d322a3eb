//! What operators see and change: `operator` carries it out; `control` (a socket) and `admin` (over TCP, with the dashboard) are
//! the ways to it.
//!
//! - `deploy`: copies that apps are served from; `upgrade`: the next supervisor; `systemd`: word to the one that has started us.
//! - `news`: what has changed, for who looks on; `dev`: watches files.

pub(crate) mod admin;
pub(crate) mod control;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod news;
pub(crate) mod operator;
pub(crate) mod systemd;
pub(crate) mod upgrade;
