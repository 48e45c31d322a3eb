//! Logs: what the supervisor does, what apps print, one line per request. Text for people or JSON for machines.
//!
//! Lines are queued and written by a thread of their own, so that a slow terminal or pipe never holds up a request; when
//! the queue is full, lines are dropped and counted rather than waited for.

pub mod access;
pub mod app;
pub mod rate;

use nano_protocol::message::{LogLevel, LogRecord};
use tracing::{debug, error, info, warn};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::config::{AppName, LogFormat, LogSettings};

/// Lines that may wait to be written.
const QUEUE: usize = 16 * 1024;

/// Keeps the writing thread alive; dropping it writes what is queued.
#[derive(Debug)]
pub struct Logs {
    _guard: WorkerGuard,
    dropped: ErrorCounter,
}

impl Logs {
    /// Starts logging to standard output.
    pub fn start(settings: &LogSettings) -> Self {
        let (writer, guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(QUEUE)
            .lossy(true)
            .thread_name("log")
            .finish(std::io::stdout());
        let dropped = writer.error_counter();
        let level: LevelFilter = settings.level.into();
        let ansi = settings.format == LogFormat::Text && std::io::IsTerminal::is_terminal(&std::io::stdout());
        let builder = fmt().with_max_level(level).with_writer(writer).with_ansi(ansi);
        // Fails only if logging has been started before, and then it works already.
        let _ = match settings.format {
            LogFormat::Text => builder.try_init(),
            LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        };
        Self { _guard: guard, dropped }
    }

    /// Counts the lines dropped because they came faster than they could be written.
    pub fn dropped(&self) -> &ErrorCounter {
        &self.dropped
    }
}

/// A line that an app printed.
pub fn app_record(app: &AppName, record: &LogRecord) {
    let message = record.message.as_str();
    let request_id = record.request_id.map(tracing::field::display);
    match record.level {
        LogLevel::Debug => debug!(target: "app", %app, request_id, "{message}"),
        LogLevel::Info => info!(target: "app", %app, request_id, "{message}"),
        LogLevel::Warn => warn!(target: "app", %app, request_id, "{message}"),
        LogLevel::Error => error!(target: "app", %app, request_id, "{message}"),
    }
}

/// A line that a worker wrote to standard error, which only dying ones do.
pub fn worker_stderr(app: Option<&AppName>, line: &str) {
    error!(target: "worker", app = app.map(tracing::field::display), "{line}");
}
