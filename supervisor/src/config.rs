//! The configuration: the command line and the configuration file, parsed and then validated. No other module sees a raw flag.
//!
//! - `schema`: the settings, each declared once; `setting`: how a setting is declared, and what is derived from the declaration;
//!   `types`: types of settings that are more than a number, a text or a switch; `machine`: the memory and control group that
//!   defaults depend on.
//! - `env`: an app's `env`, from values and files.
//! - `sources`: the command line, the configuration file, wrangler files and deploys, and how they are merged into a [`Config`].
//! - `app`: the resulting configuration of one app.
//! - `document`: the parts of the file and their lines; `read`: reads files as text; `bounds`: size limits; `errors`: every
//!   problem with its place and its fix.

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
pub(crate) use types::binding::{Binding, BindingTarget, RateLimit, Service};
pub(crate) use types::control::{ControlPath, found_control_path, usual_control_path};
pub(crate) use types::cron::Cron;
pub(crate) use types::forwarded::ForwardedPolicy;
pub(crate) use types::host_pattern::HostPattern;
pub(crate) use types::listen::{Host, Listen};
pub(crate) use types::log::{AccessLog, LogFormat, LogLevel};
pub(crate) use types::own_folder::make_private_folder;
pub(crate) use types::traces::Traces;

/// A valid configuration, except for apps that have a fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The supervisor's own settings.
    pub server: ServerSettings,
    /// Whether `check` fails if an app lacks a binding: `strict` as it was set, even if there is one app only.
    pub lacks_nothing: bool,
    /// The apps. No two have the same name, port or host. Empty only if a folder for deploys is configured.
    pub apps: Vec<AppSpec>,
    /// Apps that are left out because they have no usable name: the place and the problem, for people.
    pub left_out: Vec<(String, String)>,
    /// Every problem of [`Self::left_out`] and of apps with a fault, if there are any.
    pub broken: Option<ConfigErrors>,
    /// The names of apps that were deployed and are not in the configuration.
    pub only_deployed: Vec<AppName>,
    /// Notes for the operator.
    pub notes: Vec<String>,
}
