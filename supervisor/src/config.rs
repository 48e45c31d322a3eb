//! What to run: command line and configuration file, parsed, then validated. Nothing behind this module sees a raw flag.
//!
//! - [`sources`]: everything the command line says, and the way from there to a [`Config`].
//! - `file`: the configuration file; `section`, `value`, `quantity`: its parts as the types they stand for.
//! - `server`, `settings`, `app`, `env`: the settings themselves; `bounds`: their least and greatest values.
//! - `draft`, `entry`, `overlap`: an app before it is known to be runnable, and what decides that.
//! - `apps_dir`: a folder of apps.
//! - `errors`: every problem with its place and its remedy.

mod app;
mod app_name;
mod apps_dir;
mod bounds;
mod draft;
mod entry;
mod env;
mod errors;
mod file;
mod host_pattern;
mod overlap;
mod quantity;
mod section;
mod server;
mod settings;
pub mod sources;
mod value;

pub use app::{AppLimits, AppSpec, Listen, RestartPolicy};
pub use app_name::AppName;
pub use errors::{ConfigErrors, Flaw, Problem};
pub use file::Host;
pub use host_pattern::HostPattern;
pub use server::{ForwardedPolicy, LogFormat, LogLevel, LogSettings, ServerSettings};
pub use sources::{ServerFlags, Sources};

/// A configuration that can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The supervisor's own settings.
    pub server: ServerSettings,
    /// At least one app. No two of them claim the same name, port or host.
    pub apps: Vec<AppSpec>,
}
