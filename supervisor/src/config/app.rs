//! The configuration of one app.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use nano_protocol::message::{Blob, ModuleOptions};

use crate::assets::Assets;
use crate::assets::bucket::Bucket;
use crate::config::env::environment::EnvSources;
use crate::config::schema::app::AppSettings;
use crate::config::schema::limits::AppLimits;
use crate::config::sources::wrangler::bindings::MissingBinding;
use crate::config::types::app_name::AppName;
use crate::config::types::binding::{Binding, BindingTarget, Service};
use crate::config::types::cron::Cron;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Listen;

/// The configuration of an app. The app can be run unless it has a [`Self::fault`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AppSpec {
    /// Unique among the apps.
    pub name: AppName,
    /// Its folder: an absolute path without symlinks, in UTF-8.
    pub root: PathBuf,
    /// Its entry module, relative to [`Self::root`] and inside it. Empty for an app of static files alone.
    pub entry: PathBuf,
    /// Where it listens. `None` only for an app that cannot be run, if its address is part of the problem.
    pub listen: Option<Listen>,
    /// The hosts it serves. If empty: all hosts that no other app with the same [`Self::listen`] claims.
    pub hosts: Vec<HostPattern>,
    /// When its `scheduled` handler runs, each once.
    pub crons: Vec<Cron>,
    /// The sources of the `env` that its handler gets.
    pub env: EnvSources,
    /// The `ctx.props` that its handler gets.
    pub props: serde_json::Value,
    /// Its static files, if it has any.
    pub assets: Option<Arc<Assets>>,
    /// The files that its worker reads, if it is a Workers Site.
    pub bucket: Option<Arc<Bucket>>,
    /// What it can fetch from by a name in `env`.
    pub bindings: Vec<Binding>,
    /// The folder in which its translated modules are kept between starts, if there is one.
    pub emit_cache: Option<PathBuf>,
    pub limits: AppLimits,
    /// The settings that are no limits.
    pub settings: AppSettings,
    /// What its wrangler file says about its modules.
    pub modules: ModuleOptions,
    /// The files that are global variables of an app of the service worker format.
    pub blobs: Vec<Blob>,
    /// The bindings of its wrangler file that it does not get.
    pub missing: Vec<MissingBinding>,
    /// Warnings that the operator may ignore, one line each.
    pub warnings: Vec<String>,
    /// Why the app cannot be run with this configuration, one line per problem, for people. Such an app is listed, as failed.
    pub fault: Option<Arc<str>>,
}

impl AppSpec {
    /// Returns where it listens, for people. `address` is the address that was bound, if it was.
    pub(crate) fn shown_listen(&self, address: Option<SocketAddr>) -> String {
        match (&self.listen, address) {
            (Some(_), Some(address)) => address.to_string(),
            (Some(listen), None) => listen.to_string(),
            (None, _) => "-".into(),
        }
    }

    /// Returns whether workers run it. An app of static files alone has none.
    pub(crate) fn has_worker(&self) -> bool {
        !self.entry.as_os_str().is_empty()
    }

    /// Returns the bindings that name an app which is none of these: the binding, and the app.
    pub(crate) fn lost_services(&self, apps: &[AppName]) -> impl Iterator<Item = (&str, &AppName)> {
        self.bindings.iter().filter_map(|binding| match &binding.target {
            BindingTarget::App(Service { app, .. }) if !apps.contains(app) => Some((&*binding.name, app)),
            _ => None,
        })
    }

    /// Adds a warning for each binding that names an app which is none of these.
    pub(crate) fn warn_of_services(&mut self, apps: &[AppName]) {
        let warn = |(binding, app): (&str, &AppName)| {
            format!(
                "env.{binding} is the app {app}, and there is no app of this name; fix: add it, or name another one: \
                 services = {{ {binding} = \"name\" }}"
            )
        };
        let warnings: Vec<_> = self.lost_services(apps).map(warn).collect();
        self.warnings.extend(warnings);
    }

    /// Returns a copy without an address that cannot be run for this reason.
    #[must_use]
    pub(crate) fn broken(&self, why: impl Into<Arc<str>>) -> Self {
        Self { fault: Some(why.into()), listen: None, ..self.clone() }
    }
}
