//! What one worker prints: it goes to the log of its app, and the last of it is kept for the report of its end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use nano_protocol::message::LogRecord;

use crate::telemetry::log;
use crate::telemetry::log::app::AppLog;

/// Lines that are kept.
const LINES: usize = 20;

/// Longest part of a line that is kept, in bytes.
const LONGEST: usize = 1024;

/// What one worker prints.
#[derive(Debug)]
pub(crate) struct Output {
    app: Rc<AppLog>,
    /// Oldest first.
    last: RefCell<VecDeque<String>>,
}

impl Output {
    /// Nothing yet, of a worker of this app.
    pub(crate) fn new(app: &Rc<AppLog>) -> Self {
        Self { app: app.clone(), last: RefCell::default() }
    }

    /// The log of the app.
    pub(crate) fn app(&self) -> &AppLog {
        &self.app
    }

    /// A line that the app printed, or the worker on its behalf.
    pub(crate) fn record(&self, record: &LogRecord) {
        self.keep(&log::plain(&record.message));
        self.app.record(record);
    }

    /// A line that the process wrote to standard error, which only dying ones do.
    pub(crate) fn stderr(&self, line: &str) {
        self.keep(line);
        self.app.stderr(line);
    }

    /// The last lines, oldest first.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.last.borrow().iter().cloned().collect()
    }

    fn keep(&self, line: &str) {
        let mut last = self.last.borrow_mut();
        if last.len() == LINES {
            last.pop_front();
        }
        last.push_back(line[..line.floor_char_boundary(LONGEST)].to_owned());
    }
}
