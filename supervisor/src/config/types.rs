//! The types of settings that are more than a number, a text or a switch.

pub(crate) mod admin;
pub(crate) mod app_name;
pub(crate) mod binding;
pub(crate) mod control;
pub(crate) mod cron;
pub(crate) mod forwarded;
pub(crate) mod host_pattern;
pub(crate) mod listen;
pub(crate) mod log;
pub(crate) mod net;
pub(crate) mod own_folder;
pub(crate) mod traces;
