//! Operations: everything that an operator can see and change. `operator` carries the commands out; `control` (Unix socket)
//! and `admin` (TCP, with the dashboard) are the interfaces to it.
//!
//! - `deploy`: immutable copies that apps are served from; `upgrade`: the hand-over to a new supervisor process; `systemd`:
//!   sd_notify.
//! - `news`: status changes since a client's last request; `dev`: the file watcher of `nano-supervisor dev`.

pub(crate) mod admin;
pub(crate) mod control;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod news;
pub(crate) mod operator;
pub(crate) mod systemd;
pub(crate) mod upgrade;
