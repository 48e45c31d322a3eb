//! How long a response body may be (`max_response`).

use std::sync::Arc;

use hyper::Response;
use hyper::body::Body as _;
use nano_protocol::message::RequestId;
use tracing::warn;

use super::body::ResponseBody;
use super::headers;
use super::refused::Refused;
use crate::config::{AppName, AppSpec};
use crate::edge::upstream::Upstream;
use crate::model::refusal::Refusal;
use crate::telemetry::traffic::{Limit, Traffic};

/// What is left of a response's length.
#[derive(Debug)]
pub(crate) struct ResponseLimit {
    max: u64,
    left: u64,
    app: AppName,
    id: RequestId,
    traffic: Arc<Traffic>,
}

/// Holds a response against its app's limit: what is known to be too long is refused, a stream is cut off where it is.
///
/// # Errors
/// [`Refusal::ResponseTooLarge`].
pub(crate) fn hold(
    mut response: Response<ResponseBody>,
    upstream: &Upstream,
    spec: &AppSpec,
    id: RequestId,
) -> Result<Response<ResponseBody>, Refused> {
    let Some(max) = spec.limits.max_response else { return Ok(response) };
    let traffic = upstream.traffic().clone();
    let limit = ResponseLimit { max, left: max, app: spec.name.clone(), id, traffic };
    let length = response.body().size_hint().exact().or_else(|| headers::length(response.headers()));
    if let Some(length) = length.filter(|length| *length > max) {
        limit.broken("refused");
        let why = format!("the response has {length} bytes; `max_response` is {max}");
        return Err(Refused::because(Refusal::ResponseTooLarge, why));
    }
    response.body_mut().limit(limit);
    Ok(response)
}

impl ResponseLimit {
    /// Whether so many further bytes may be passed on.
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
