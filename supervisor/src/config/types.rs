//! What settings are made of where a number, a text or a switch is not enough.

pub(crate) mod admin;
pub(crate) mod app_name;
pub(crate) mod control;
pub(crate) mod forwarded;
pub(crate) mod host_pattern;
pub(crate) mod listen;
pub(crate) mod log;
pub(crate) mod net;
pub(crate) mod own_folder;
pub(crate) mod traces;
