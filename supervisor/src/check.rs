//! `check`: validates the configuration and loads every app once, without serving.

use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use crate::config::{Admin, AppSpec, Config};
use crate::log::app::AppLog;
use crate::traffic::Traffic;
use crate::worker::{Cgroups, Spares, Worker};

/// What was found about one app.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Name.
    pub app: String,
    /// Entry module, as configured or found.
    pub entry: String,
    /// What can be ignored.
    pub warnings: Vec<String>,
    /// Why it does not load, if so.
    pub error: Option<String>,
}

/// Starts a worker for each app, which loads it and is ended again.
pub async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(config.apps.len());
    for spec in config.apps.iter().filter(|spec| spec.fault.is_none()) {
        findings.push(check_app(spec, config.server.admin.as_ref()).await);
    }
    findings
}

async fn check_app(spec: &AppSpec, admin: Option<&Admin>) -> Finding {
    let spares = Spares::new(0, Cgroups::none());
    admin.iter().for_each(|admin| spares.close(admin.address));
    let log = Rc::new(AppLog::new(spec, Arc::new(Traffic::new(0))));
    // Dropping the worker kills it.
    let error = Worker::start(spec, &spares, &log).await.err().map(|failure| failure.reason.to_string());
    Finding {
        app: spec.name.to_string(),
        entry: spec.root.join(&spec.entry).display().to_string(),
        warnings: spec.warnings.clone(),
        error,
    }
}
