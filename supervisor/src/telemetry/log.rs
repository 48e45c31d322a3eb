//! Logs: events of the supervisor, output of apps, and one line per request; as text for people or as JSON.
//!
//! Lines are queued and written by a separate thread, so that a slow terminal, pipe or disk never blocks a request. When the
//! queue is full, lines are dropped and counted.
//!
//! - `hub`: the entry point of every line; [`mod@line`]: a structured line before formatting; `layer`: turns tracing events
//!   into lines.
//! - [`text`]: text format; `dev`: the format of the `dev` command; [`access`]: the access log and its formats.
//! - `queue`: bounded queue to the writing thread, with a share for each app.
//! - `file`: log files, with rotation.
//! - [`mod@memory`]: the latest lines in memory, for `logs`.

pub(crate) mod access;
pub(crate) mod app;
mod dev;
mod file;
mod hub;
mod layer;
pub(crate) mod line;
pub(crate) mod memory;
mod queue;
pub(crate) mod rate;
pub(crate) mod text;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use nano_protocol::message::{LogLevel, LogRecord};
use tracing::{Level, info};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Registry, reload};

use crate::config::{AppName, AppSpec, LogFormat, ServerSettings};
use file::LogFile;
use hub::{HUB, Levels, LogHub};
use line::Line;
use memory::Memory;
use queue::{Queue, Writing};

/// Keeps the writing threads alive. Dropping it flushes the queues.
#[derive(Debug)]
pub(crate) struct Logs {
    _writing: Vec<Writing>,
    dropped: Dropped,
}

/// Counts the lines that were dropped because they came faster than they could be written.
#[derive(Debug, Clone)]
pub(crate) struct Dropped(Vec<Arc<AtomicUsize>>);

impl Dropped {
    /// The number so far.
    pub(crate) fn lines(&self) -> usize {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl Logs {
    /// Starts logging.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub(crate) fn start(settings: &ServerSettings) -> io::Result<Self> {
        let mut reopen = Vec::new();
        let mut open = |path: &Path| {
            let flag = Arc::new(AtomicBool::new(false));
            reopen.push(flag.clone());
            LogFile::open(path, settings.log_max_size, settings.log_keep, flag)
        };
        let (out, writing) = match &settings.log_file {
            Some(path) => Queue::start("log", open(path)?)?,
            None => Queue::start("log", io::stdout())?,
        };
        let (mut threads, mut counters) = (vec![writing], vec![out.dropped()]);
        let access = match &settings.access_log_file {
            Some(path) if settings.access_log_file != settings.log_file => {
                let (access, writing) = Queue::start("access-log", open(path)?)?;
                threads.push(writing);
                counters.push(access.dropped());
                Some(access)
            }
            _ => None,
        };
        let wants_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let is_terminal = settings.log_file.is_none() && io::stdout().is_terminal();
        let (filter, handle) = reload::Layer::new(LevelFilter::from(settings.log_level));
        let hub = LogHub {
            format: settings.log_format,
            has_colours: settings.log_format != LogFormat::Json && is_terminal && wants_colours,
            out,
            access,
            levels: RwLock::new(Levels { server: settings.log_level.into(), apps: HashMap::new() }),
            filter: handle,
            reopen,
            memory: Arc::new(Memory::new(settings.log_memory)),
        };
        if HUB.set(hub).is_ok()
            && let Some(hub) = HUB.get()
        {
            // Fails only if a global subscriber was set already.
            let _ = tracing::subscriber::set_global_default(
                Registry::default().with(filter).with(layer::LineLayer(hub)),
            );
        }
        Ok(Self { _writing: threads, dropped: Dropped(counters) })
    }

    /// Counts the lines that were dropped because they came faster than they could be written.
    pub(crate) fn dropped(&self) -> &Dropped {
        &self.dropped
    }
}

/// Applies the settings that a reload can change.
pub(crate) fn configure(settings: &ServerSettings) {
    let Some(hub) = HUB.get() else { return };
    hub.memory.keep(settings.log_memory);
    hub.levels.write().unwrap_or_else(PoisonError::into_inner).server = settings.log_level.into();
    // Fails only if the subscriber is gone.
    let _ = hub.filter.reload(LevelFilter::from(settings.log_level));
}

/// Applies the log levels of apps.
pub(crate) fn configure_apps<'a>(specs: impl Iterator<Item = &'a AppSpec>) {
    let Some(hub) = HUB.get() else { return };
    let apps = specs.filter_map(|spec| Some((spec.name.clone(), spec.settings.log_level?.into()))).collect();
    hub.levels.write().unwrap_or_else(PoisonError::into_inner).apps = apps;
}

/// Reopens every log file, after logrotate or an operator has moved it away.
pub(crate) fn reopen() {
    let Some(hub) = HUB.get() else { return };
    hub.reopen.iter().for_each(|flag| flag.store(true, Ordering::Relaxed));
    // This line wakes the thread of the main log; the empty line below wakes that of the access log.
    info!("log files are opened anew");
    [Some(&hub.out), hub.access.as_ref()].into_iter().flatten().for_each(|queue| {
        queue.push(None, String::new());
    });
}

/// Whether lines go to a terminal with colours.
pub(crate) fn has_colours() -> bool {
    HUB.get().is_some_and(|hub| hub.has_colours)
}

/// Output of an app, without colour codes.
pub(crate) fn plain(message: &str) -> Cow<'_, str> {
    if has_colours() { text::without_colours(message) } else { message.into() }
}

/// The latest lines; none before [`Logs::start`].
pub(crate) fn memory() -> Option<Arc<Memory>> {
    HUB.get().map(|hub| hub.memory.clone())
}

/// Forgets the lines of a removed app.
pub(crate) fn forget(app: &AppName) {
    if let Some(hub) = HUB.get() {
        hub.memory.forget(app.as_str());
    }
}

/// Logs a line that an app printed.
pub(crate) fn app_record(app: &AppName, record: &LogRecord) {
    let Some(hub) = HUB.get() else { return };
    let level = match record.level {
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Info => Level::INFO,
        LogLevel::Warn => Level::WARN,
        LogLevel::Error => Level::ERROR,
    };
    let levels = hub.levels();
    let least = *levels.apps.get(app).unwrap_or(&levels.server);
    drop(levels);
    if level <= least {
        let line = Line::new(level, "app").about(Some(app)).during(record.request_id);
        hub.write(line.of(record.request.as_ref()).saying(record.message.as_str()));
    }
}

/// Logs a line that a worker wrote to standard error. Only crashing workers do.
pub(crate) fn worker_stderr(app: Option<&AppName>, line: &str) {
    if let Some(hub) = HUB.get() {
        hub.write(Line::new(Level::ERROR, "worker").saying(line).about(app));
    }
}
