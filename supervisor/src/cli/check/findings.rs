//! `check`: validates the configuration, loads every app once and tries the addresses, without serving.

use std::collections::HashMap;
use std::io;
use std::mem::take;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use nano_protocol::limits::MAX_ENTRYPOINTS;
use serde::Serialize;
use tokio::time::timeout;

use crate::api::client;
use crate::api::status::AppStatus;
use crate::apps::lifecycle::uncalled::uncalled;
use crate::apps::sockets;
use crate::config::{
    Admin, AppName, AppSpec, Binding, BindingTarget, Config, ControlPath, Listen, Service, found_control_path,
};
use crate::process::{Cgroups, Spares, Started, Worker};
use crate::telemetry::log::app::AppLog;
use crate::telemetry::traffic::Traffic;

/// Timeout for asking a running supervisor.
const PATIENCE: Duration = Duration::from_secs(2);

/// The result for one app.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub app: String,
    /// Entry module, as configured or found.
    pub entry: String,
    /// Warnings, which do not fail the check.
    pub warnings: Vec<String>,
    /// The names of the bindings of its wrangler file that it does not get.
    pub missing: Vec<String>,
    /// Why it does not load, if it does not.
    pub error: Option<String>,
}

/// The result for addresses.
#[derive(Debug)]
pub(super) struct Addresses {
    /// One text for each address that cannot be bound.
    pub warnings: Vec<String>,
    /// Whether some are in use and no running supervisor was found that may be using them.
    pub may_be_ours: bool,
}

/// Tries to bind the addresses of the apps and of the admin listener. Those that the running supervisor with the same control
/// socket uses are fine.
pub(super) async fn addresses(config: &Config) -> Addresses {
    let mut wanted: Vec<(Listen, Vec<&str>)> = Vec::new();
    for app in config.apps.iter().filter(|app| app.fault.is_none()) {
        let Some(listen) = app.listen.as_ref() else { continue };
        match wanted.iter_mut().find(|(known, _)| known == listen) {
            Some((_, apps)) => apps.push(app.name.as_str()),
            None => wanted.push((listen.clone(), vec![app.name.as_str()])),
        }
    }
    let running = running(config).await;
    let has = |listen: &Listen| {
        let is_one = |app: &AppStatus| {
            app.listen.parse().is_ok_and(|address: SocketAddr| {
                let (ip, host) = (address.ip(), listen.host);
                address.port() == listen.port && host.map_or(ip.is_unspecified(), |host| host == ip)
            })
        };
        running.as_ref().is_some_and(|apps| apps.iter().any(is_one))
    };
    let (mut found, mut is_in_use) = (Vec::new(), false);
    for (listen, apps) in wanted.iter().filter(|(listen, _)| !has(listen)) {
        if let Err(error) = sockets::bind(listen, &some_of(apps), 1) {
            is_in_use |= error.kind() == io::ErrorKind::AddrInUse;
            found.push(error.to_string());
        }
    }
    if let Some(Admin { address, .. }) = &config.server.admin {
        let is_its = |error: &io::Error| running.is_some() && error.kind() == io::ErrorKind::AddrInUse;
        let error = TcpListener::bind(address).err().filter(|error| !is_its(error));
        let fix = "fix: stop what uses it, or choose another port";
        is_in_use |= error.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse);
        found.extend(error.map(|error| format!("cannot listen on {address} for `admin`: {error}; {fix}")));
    }
    let may_be_ours = running.is_none() && is_in_use;
    Addresses { warnings: found, may_be_ours }
}

/// The apps of a running supervisor with the same control socket.
async fn running(config: &Config) -> Option<Vec<AppStatus>> {
    let socket = match &config.server.control {
        ControlPath::Usual => found_control_path(|name| std::env::var_os(name)),
        ControlPath::At(path) => path.clone(),
        ControlPath::Off => return None,
    };
    let asked = timeout(PATIENCE, client::status(&socket)).await;
    asked.ok()?.ok().map(|status| status.apps)
}

fn some_of(apps: &[&str]) -> String {
    match apps {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        _ => apps.join(", "),
    }
}

/// Loads each app in a worker, which is ended afterwards.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(config.apps.len());
    let mut exported = HashMap::new();
    let apps: Vec<_> = config.apps.iter().map(|spec| spec.name.clone()).collect();
    let specs = || config.apps.iter().filter(|spec| spec.fault.is_none());
    for spec in specs() {
        let (finding, entrypoints) = check_app(spec, &apps, config.server.admin.as_ref()).await;
        findings.push(finding);
        exported.extend(entrypoints.map(|entrypoints| (&spec.name, entrypoints)));
    }
    for (finding, spec) in findings.iter_mut().zip(specs()) {
        for binding in &spec.bindings {
            if let Some(why) = lacks_entrypoint(binding, &exported) {
                finding.warnings.push(why);
                finding.missing.push(binding.name.clone());
            }
        }
    }
    findings
}

/// Says that a binding names an entrypoint that the app, which has been loaded, does not export.
fn lacks_entrypoint(binding: &Binding, exported: &HashMap<&AppName, Vec<String>>) -> Option<String> {
    let BindingTarget::App(Service { app, entrypoint: Some(name), .. }) = &binding.target else {
        return None;
    };
    let known = exported.get(app).filter(|known| known.len() < MAX_ENTRYPOINTS && !known.contains(name))?;
    // The worker says what they are called.
    let is_plain =
        |name: &&String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte));
    let known: Vec<_> = known.iter().filter(is_plain).map(String::as_str).collect();
    let known = if known.is_empty() { "none but the default one".to_owned() } else { known.join(", ") };
    Some(format!(
        "env.{} is {}, which exports no entrypoint of this name; it exports {known}; fix: export class {name} extends \
         WorkerEntrypoint there, or name another one",
        binding.name, binding.target
    ))
}

/// Checks one app. Also returns its entrypoints besides the default one, if it loads.
async fn check_app(
    spec: &AppSpec,
    apps: &[AppName],
    admin: Option<&Admin>,
) -> (Finding, Option<Vec<String>>) {
    let spares = Spares::new(0, Cgroups::none());
    admin.iter().for_each(|admin| spares.close(admin.address));
    let log = Rc::new(AppLog::new(spec, Arc::new(Traffic::new(0))));
    let (entry, found) = match &spec.assets {
        Some(assets) if !spec.has_worker() => (assets.index().folder().to_owned(), None),
        _ => {
            // Dropping the worker kills it.
            let started = Worker::start(spec, None, &spares, &log).await;
            let found =
                started.map(|Started { mut worker, .. }| (worker.handlers, take(&mut worker.entrypoints)));
            (spec.root.join(&spec.entry), Some(found))
        }
    };
    let (found, failure) = found.map_or((None, None), |found| match found {
        Ok(found) => (Some(found), None),
        Err(failure) => (None, Some(failure)),
    });
    let (handlers, entrypoints) = found.unzip();
    let uncalled = handlers.and_then(|handlers| uncalled(handlers, &spec.crons));
    let finding = Finding {
        app: spec.name.to_string(),
        entry: entry.display().to_string(),
        warnings: spec.warnings.iter().cloned().chain(uncalled).collect(),
        missing: (spec.missing.iter().map(|binding| &*binding.name))
            .chain(spec.lost_services(apps).map(|(binding, _)| binding))
            .map(str::to_owned)
            .collect(),
        error: failure.map(|failure| failure.reason.to_string()),
    };
    (finding, entrypoints)
}
