//! What is remembered of a request, until it is known how it ended.

use crate::telemetry::log::access;
use crate::telemetry::record::RequestRecord;
use crate::telemetry::traces;

/// What is remembered of a request, if anything is. When dropped, the request is over: its line in the access log is
/// written, and its span is sent.
#[derive(Debug)]
pub(crate) struct Recorded(Option<Box<RequestRecord>>);

impl Recorded {
    /// From now on.
    pub(crate) fn new(record: Option<RequestRecord>) -> Self {
        Self(record.map(Box::new))
    }

    /// The record, if there is one.
    pub(crate) fn get(&mut self) -> Option<&mut RequestRecord> {
        self.0.as_deref_mut()
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if let Some(record) = self.0.take() {
            access::write_line(&record);
            traces::finish(record);
        }
    }
}
