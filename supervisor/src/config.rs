//! What to run: command line and configuration file, parsed, then validated. Nothing behind this module sees a raw flag.
//!
//! - [`sources`]: everything the command line says, and the way from there to a [`Config`].
//! - `file`: the configuration file; `section`, `value`, `quantity`: its parts as the types they stand for.
//! - `server`, `log`, `admin`, `cache`, `control`, `settings`, `supervision`, `net`, `app`: the settings themselves; `bounds`: their
//!   least and greatest values; `machine`: what their defaults depend on.
//! - `env`, `environment`, `dotenv`: what an app's handler gets as `env`, from values and files.
//! - `draft`, `entry`, `wrangler`, `overlap`: an app before it is known to be runnable, and what decides that.
//! - `apps_dir`: a folder of apps; `read`: files as text.
//! - `errors`: every problem with its place and its remedy.

mod admin;
mod app;
mod app_name;
mod apps_dir;
mod bounds;
mod cache;
mod control;
mod dotenv;
mod draft;
mod entry;
mod env;
mod environment;
mod errors;
mod file;
mod host_pattern;
mod log;
mod machine;
mod net;
mod overlap;
mod quantity;
mod read;
mod section;
mod server;
mod settings;
pub mod sources;
mod supervision;
mod value;
mod wrangler;

pub use admin::Admin;
pub use app::{AppLimits, AppSpec, Listen};
pub use app_name::AppName;
pub(crate) use cache::make_private_folder;
pub use control::{ControlPath, usual_control_path};
pub use environment::{EnvSources, Environment};
pub use errors::{ConfigErrors, Flaw, Problem};
pub use file::Host;
pub use host_pattern::HostPattern;
pub use log::{AccessLog, LogFormat, LogLevel, LogSettings};
pub use server::{ForwardedPolicy, ServerSettings};
pub use sources::{ServerFlags, Sources};
pub use supervision::{RecyclePolicy, RestartMode, RestartPolicy};

/// A configuration that can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The supervisor's own settings.
    pub server: ServerSettings,
    /// At least one app. No two of them claim the same name, port or host.
    pub apps: Vec<AppSpec>,
}
