//! The settings, each declared once: those of the supervisor in `server`, those of apps in `limits`, `app`, `assets`,
//! `services` and `restart`.
//! `defaults` are the settings that apps share, and `json` describes all settings to editors.
//!
//! To add a setting, declare it in one of these modules, use it, and run the tests. They say which document to update, and ask
//! for a test that sets it.

pub(crate) mod app;
pub(crate) mod assets;
pub(crate) mod defaults;
pub(crate) mod json;
pub(crate) mod limits;
#[cfg(test)]
mod reference;
pub(crate) mod restart;
pub(crate) mod server;
mod services;
#[cfg(test)]
mod tests;
