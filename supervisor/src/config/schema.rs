//! The settings, each declared once: `server`, and of apps `limits`, `app` and `restart`; `defaults` are those that apps share,
//! and `json` describes all of them to editors.
//!
//! To add one, declare it there, use it, and run the tests: they say which document to bring up to date, and ask for a test that
//! sets it.

pub(crate) mod app;
pub(crate) mod defaults;
pub(crate) mod json;
pub(crate) mod limits;
#[cfg(test)]
mod reference;
pub(crate) mod restart;
pub(crate) mod server;
#[cfg(test)]
mod tests;
