//! The entry point of every log line of this process: routes it to the queues and to memory.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{Registry, reload};

use super::dev;
use super::line::Line;
use super::memory::Memory;
use super::queue::Queue;
use super::text;
use crate::config::{AppName, LogFormat};

/// The logs of this process, once started.
pub(super) static HUB: OnceLock<LogHub> = OnceLock::new();

/// Filters and routes log lines.
#[derive(Debug)]
pub(super) struct LogHub {
    pub(super) format: LogFormat,
    /// Whether lines go to a terminal with colours.
    pub(super) has_colours: bool,
    pub(super) out: Queue,
    /// None if the access log goes to the main log.
    pub(super) access: Option<Queue>,
    pub(super) levels: RwLock<Levels>,
    pub(super) filter: reload::Handle<LevelFilter, Registry>,
    /// The reopen flag of each open file.
    pub(super) reopen: Vec<Arc<AtomicBool>>,
    pub(super) memory: Arc<Memory>,
}

/// The log levels.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) server: Level,
    /// Levels of apps with a setting of their own.
    pub(super) apps: HashMap<AppName, Level>,
}

impl LogHub {
    pub(super) fn write(&self, mut line: Line) {
        let text = match self.format {
            LogFormat::Text => Some(text::render(&line, self.has_colours)),
            LogFormat::Json => Some(line.json()),
            LogFormat::Dev => dev::render(&line, self.has_colours),
        };
        if self.has_colours {
            line.message = text::without_colours(&line.message).into_owned();
        }
        let json = match (self.format, &text) {
            (LogFormat::Json, Some(json)) => json.clone(),
            _ => line.json(),
        };
        self.memory.push(&line, json);
        let Some(mut text) = text else { return };
        text.push('\n');
        self.push(&self.out, line.app(), text);
    }

    /// Queues a line of an app, or of the supervisor if `app` is none. Logs how many lines were dropped before it.
    pub(super) fn push(&self, queue: &Queue, app: Option<&str>, text: String) {
        if let Some(dropped @ 1..) = queue.push(app, text) {
            let message = format!("dropped {dropped} log lines: they came faster than they could be written");
            let mut notice = Line::new(Level::WARN, "supervisor").saying(message);
            if let Some(app) = app {
                notice = notice.with("app", app);
            }
            self.write(notice);
        }
    }

    pub(super) fn levels(&self) -> std::sync::RwLockReadGuard<'_, Levels> {
        self.levels.read().unwrap_or_else(PoisonError::into_inner)
    }
}
