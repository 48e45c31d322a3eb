//! The one place by which every line of this process comes, on its way to where it is written and remembered.

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

/// All of this process's logs, once they have been started.
pub(super) static HUB: OnceLock<LogHub> = OnceLock::new();

/// Where every line comes by.
#[derive(Debug)]
pub(super) struct LogHub {
    pub(super) format: LogFormat,
    /// Whether lines go to a terminal that shows colours.
    pub(super) has_colours: bool,
    pub(super) out: Queue,
    /// None if the access log goes to the other lines.
    pub(super) access: Option<Queue>,
    pub(super) levels: RwLock<Levels>,
    pub(super) filter: reload::Handle<LevelFilter, Registry>,
    /// One for each file that is open.
    pub(super) reopen: Vec<Arc<AtomicBool>>,
    pub(super) memory: Arc<Memory>,
}

/// The least important level that is logged.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) server: Level,
    /// Of the apps that have one of their own.
    pub(super) apps: HashMap<AppName, Level>,
}

impl LogHub {
    /// Writes a line, and remembers it.
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

    /// Queues what is to be written, of an app or of nobody, and says how much was dropped before.
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
