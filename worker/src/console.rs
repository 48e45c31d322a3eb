//! Sends log records to the supervisor. Never blocks; drops records if too many bytes are unsent.

use std::cell::Cell;

use nano_protocol::Handle;
use nano_protocol::limits::{MAX_LOG_MESSAGE, MAX_UNSENT};
use nano_protocol::message::{Control, LogLevel, LogRecord};
use nano_runtime::LogSink;

/// Sends log records over the control connection.
#[derive(Debug)]
pub(crate) struct Console {
    control: Handle,
    dropped: Cell<u64>,
}

impl Console {
    pub(crate) fn new(control: Handle) -> Self {
        Self { control, dropped: Cell::new(0) }
    }

    fn send(&self, record: LogRecord) {
        // Cannot fail: the message has been cut to its limit.
        let _ = self.control.control(&Control::Log(record));
    }
}

impl LogSink for Console {
    fn log(&self, mut record: LogRecord) {
        if self.control.unsent() > MAX_UNSENT {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        self.report_dropped();
        // `console` ends every text with a line feed; a record has none.
        record.message.truncate(record.message.trim_end_matches('\n').len());
        if record.message.len() > MAX_LOG_MESSAGE - 16 {
            record.message.truncate(record.message.floor_char_boundary(MAX_LOG_MESSAGE - 16));
            record.message.push('…');
        }
        self.send(record);
    }

    fn report_dropped(&self) {
        if self.dropped.get() == 0 || self.control.unsent() > MAX_UNSENT {
            return;
        }
        let dropped = self.dropped.take();
        let message = format!("dropped {dropped} log lines: they came faster than they could be written");
        self.send(LogRecord { level: LogLevel::Warn, request_id: None, request: None, message });
    }
}
