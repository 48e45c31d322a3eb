//! What to run: command line and configuration file, parsed, then validated. Nothing behind this module sees a raw flag.
//!
//! - `flags`: what the command line says of the supervisor itself; [`sources`]: everything it says, and the way from there to a [`Config`].
//! - `file`: the configuration file; `section`, `value`, `quantity`: its parts as the types they stand for.
//! - `server`, `log`, `admin`, `traces`, `own_folder`, `control`, `settings`, `supervision`, `net`, `app`: the settings themselves;
//!   `bounds`: their least and greatest values; `machine`: what their defaults depend on.
//! - `env`, `environment`, `dotenv`: what an app's handler gets as `env`, from values and files.
//! - `draft`, `entry`, `wrangler`, `overlap`: an app before it is known to be runnable, and what decides that.
//! - `deployed`: apps that were deployed, laid over those of the configuration.
//! - `apps_dir`: a folder of apps; `read`: files as text.
//! - `errors`: every problem with its place and its remedy.

mod admin;
mod app;
mod app_name;
mod apps_dir;
mod bounds;
mod control;
mod deployed;
mod dotenv;
mod draft;
mod entry;
mod env;
mod environment;
mod errors;
mod file;
mod flags;
mod forwarded;
mod host_pattern;
mod log;
mod machine;
mod net;
mod overlap;
mod own_folder;
mod quantity;
mod read;
mod section;
mod server;
mod settings;
pub(crate) mod sources;
mod supervision;
mod traces;
mod value;
mod wrangler;

pub(crate) use admin::Admin;
pub(crate) use admin::is_token;
pub(crate) use app::{AppLimits, AppSpec, Listen};
pub(crate) use app_name::AppName;
pub(crate) use bounds::MAX_HEADERS;
pub(crate) use control::{ControlPath, found_control_path, usual_control_path};
pub(crate) use deployed::{BrokenState, Deployed};
pub(crate) use draft::folder as app_folder;
pub(crate) use environment::Environment;
pub(crate) use errors::{ConfigErrors, Flaw};
pub(crate) use file::Host;
pub(crate) use flags::ServerFlags;
pub(crate) use forwarded::ForwardedPolicy;
pub(crate) use host_pattern::HostPattern;
pub(crate) use log::{AccessLog, LogFormat, LogLevel, LogSettings};
pub(crate) use machine::{memory as machine_memory, own_cgroup};
pub(crate) use overlap::collision;
pub(crate) use own_folder::make_private_folder;
pub(crate) use server::{ServerSettings, StateDir};
pub(crate) use sources::Sources;
pub(crate) use supervision::{RecyclePolicy, RestartMode, RestartPolicy};
pub(crate) use traces::Traces;

/// A configuration that can be run, but for apps that have a fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The supervisor's own settings.
    pub server: ServerSettings,
    /// The apps. No two of them have the same name, port or host. Empty only if there is a place for deploys to wait for.
    pub apps: Vec<AppSpec>,
    /// What is to be an app and has no name of its own, and why; for people.
    pub left_out: Vec<(String, String)>,
    /// Every problem of [`Self::left_out`] and of apps with a fault, if there is one.
    pub broken: Option<ConfigErrors>,
    /// Those of the apps that were deployed and are not in the configuration.
    pub only_deployed: Vec<AppName>,
    /// What the operator should know of it.
    pub notes: Vec<String>,
}
