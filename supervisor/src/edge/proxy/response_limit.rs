//! Limits the length of a response body (`max_response`).

use std::sync::Arc;

use nano_protocol::message::RequestId;
use tracing::warn;

use crate::config::{AppName, AppSpec};
use crate::edge::refused::Refused;
use crate::model::refusal::Refusal;
use crate::telemetry::traffic::{Limit, Traffic};

/// The limit, and what is left of it.
#[derive(Debug)]
pub(crate) struct ResponseLimit {
    max: u64,
    left: u64,
    app: AppName,
    id: RequestId,
    traffic: Arc<Traffic>,
}

impl ResponseLimit {
    /// Returns the limit of an app, if it has one, for the answer to one request.
    pub(crate) fn of(spec: &AppSpec, id: RequestId, traffic: &Arc<Traffic>) -> Option<Self> {
        let max = spec.limits.max_response?;
        Some(Self { max, left: max, app: spec.name.clone(), id, traffic: traffic.clone() })
    }

    /// Refuses a response that is known to be too long.
    ///
    /// # Errors
    /// [`Refusal::ResponseTooLarge`].
    pub(crate) fn check(&self, length: Option<u64>) -> Result<(), Refused> {
        let Some(length) = length.filter(|length| *length > self.max) else { return Ok(()) };
        self.broken("refused");
        let why = format!("the response has {length} bytes; `max_response` is {}", self.max);
        Err(Refused::because(Refusal::ResponseTooLarge, why))
    }

    /// Returns whether this many further bytes may be passed on. If so, counts them.
    pub(crate) fn takes(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.broken("cut off");
                false
            }
        }
    }

    fn broken(&self, what: &str) {
        self.traffic.count_broken(Limit::Response, 1);
        let Self { app, id, max, .. } = self;
        warn!(%app, request_id = %id, "response {what}: it is longer than {max} bytes (`max_response`)");
    }
}
