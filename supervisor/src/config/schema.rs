//! The settings.

pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod supervision;
