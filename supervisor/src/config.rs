//! What to run: command line and configuration file, parsed, then validated. Nothing behind this module sees a raw flag.
//!
//! - `schema`: the settings, each declared once; `setting`: what a declaration is, and what is made of it; `types`: what settings
//!   are made of where a number, a text or a switch is not enough; `machine`: what their defaults depend on.
//! - `env`: what an app's handler gets as `env`, from values and files.
//! - `sources`: what says so: the command line, the configuration file, wrangler files, deploys, and the way from there to a [`Config`].
//! - `app`: what comes of it all for one app.
//! - `document`: the file's parts and where they are; `read`: files as text; `bounds`: the greatest of them; `errors`: every problem
//!   with its place and its remedy.

mod app;
mod bounds;
mod document;
mod env;
mod errors;
mod machine;
mod read;
mod schema;
mod setting;
pub(crate) mod sources;
mod types;

pub(crate) use app::AppSpec;
pub(crate) use env::environment::Environment;
pub(crate) use errors::{ConfigErrors, Flaw};
pub(crate) use machine::{memory as machine_memory, own_cgroup};
pub(crate) use schema::json::schema;
pub(crate) use schema::limits::AppLimits;
pub(crate) use schema::restart::{RecyclePolicy, RestartMode, RestartPolicy};
pub(crate) use schema::server::{MAX_HEADERS, ServerSettings, StateDir};
pub(crate) use sources::Sources;
pub(crate) use sources::deployed::{BrokenState, Deployed};
pub(crate) use sources::draft::folder as app_folder;
pub(crate) use sources::flags::ServerFlags;
pub(crate) use sources::overlap::collision;
pub(crate) use types::admin::{Admin, is_token};
pub(crate) use types::app_name::AppName;
pub(crate) use types::control::{ControlPath, found_control_path, usual_control_path};
pub(crate) use types::forwarded::ForwardedPolicy;
pub(crate) use types::host_pattern::HostPattern;
pub(crate) use types::listen::{Host, Listen};
pub(crate) use types::log::{AccessLog, LogFormat, LogLevel};
pub(crate) use types::own_folder::make_private_folder;
pub(crate) use types::traces::Traces;

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
