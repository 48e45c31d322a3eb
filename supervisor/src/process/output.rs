//! The output of one worker. It goes to the log of the app, and the last lines are kept for the report when the worker ends.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use nano_protocol::message::LogRecord;

use crate::telemetry::log;
use crate::telemetry::log::app::AppLog;

/// How many lines are kept.
const LINES: usize = 20;

/// How many bytes of each line are kept.
const LONGEST: usize = 1024;

/// The output of one worker.
#[derive(Debug)]
pub(crate) struct Output {
    app: Rc<AppLog>,
    /// The last lines, oldest first.
    last: RefCell<VecDeque<String>>,
}

impl Output {
    /// Creates an empty output for a worker of this app.
    pub(crate) fn new(app: &Rc<AppLog>) -> Self {
        Self { app: app.clone(), last: RefCell::default() }
    }

    /// Returns the log of the app.
    pub(crate) fn app(&self) -> &AppLog {
        &self.app
    }

    /// Records a line that the app printed, or that the worker printed on its behalf.
    pub(crate) fn record(&self, record: &LogRecord) {
        self.keep(&log::plain(&record.message));
        self.app.record(record);
    }

    /// Records a line that the process wrote to standard error. Only a dying process does that.
    pub(crate) fn stderr(&self, line: &str) {
        self.keep(line);
        self.app.stderr(line);
    }

    /// Returns the last lines, oldest first.
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
