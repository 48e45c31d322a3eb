//! Writes the record of a request when the request is over.

use crate::telemetry::log::access;
use crate::telemetry::record::RequestRecord;
use crate::telemetry::traces;

/// The record of a request, if one is kept. Dropping it writes the line in the access log and sends the span.
#[derive(Debug)]
pub(crate) struct Recorded(Option<Box<RequestRecord>>);

impl Recorded {
    pub(crate) fn new(record: Option<RequestRecord>) -> Self {
        Self(record.map(Box::new))
    }

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
