//! Sends a request to a worker of its app, and to the next one if that ends before it has begun with the request.

use hyper::Response;
use hyper::body::Body as _;
use nano_protocol::message::RequestLine;
use tokio::time::Instant;

use super::attempt::{AttemptError, Outgoing};
use super::body::ResponseBody;
use super::headers;
use super::response_limit::ResponseLimit;
use super::upload::{RequestBody, Upload};
use crate::edge::refused::Refused;
use crate::edge::upstream::{InFlight, Upstream};
use crate::model::lost_request::LostRequest;
use crate::model::refusal::Refusal;
use crate::telemetry::record::RequestRecord;

/// Sends the request to a worker, and to another one if the first ended before it had begun with the request.
pub(crate) async fn deliver<B: RequestBody>(
    upstream: &Upstream,
    place: &InFlight,
    arrived: Instant,
    outgoing: &Outgoing<'_>,
    mut upload: Option<Upload<B>>,
    mut record: Option<&mut RequestRecord>,
) -> Result<Response<ResponseBody>, Refused> {
    let Outgoing { spec, line, .. } = *outgoing;
    let mut patience = spec.limits.queue_timeout;
    loop {
        let suspended = upstream.suspended(line.method, line.target);
        if let Some(kind) = &suspended {
            let since = Instant::now();
            upstream.stand_back(kind, spec, place, patience).await?;
            patience = patience.saturating_sub(since.elapsed());
            // Meanwhile, other requests of its kind may have ended workers.
            if upstream.is_quarantined(line.method, line.target) {
                return Err(Refusal::Quarantined.into());
            }
        }
        // Usually a worker is ready, and the clock need not be read again.
        let (worker, taken) = match upstream.now() {
            Some(found) if suspended.is_some() => (found?, Instant::now()),
            Some(found) => (found?, arrived),
            None => {
                let since = Instant::now();
                let worker = upstream.worker(spec, place, patience).await?;
                let taken = Instant::now();
                patience = patience.saturating_sub(taken - since);
                // Meanwhile, other requests of its kind may have ended workers.
                if upstream.is_quarantined(line.method, line.target) {
                    return Err(Refusal::Quarantined.into());
                }
                if upstream.suspended(line.method, line.target).is_some() {
                    continue;
                }
                (worker, taken)
            }
        };
        if let Some(record) = &mut record {
            record.queue = Some(taken - arrived);
        }
        let generation = worker.generation;
        let mut watch = GivenUp { upstream, generation, line, is_waiting: true };
        let sent = outgoing.send(&worker.handle, &mut upload).await;
        watch.is_waiting = matches!(&sent, Err(AttemptError::GivenUp(_)));
        drop(watch);
        match sent {
            Ok(mut response) => {
                response.body_mut().comes_from(generation, line);
                worker.answered(response.status().as_u16());
                if let Some(opened) = &mut response.body_mut().socket {
                    opened.terms.worker = Some(worker.clone());
                }
                suspended.iter().for_each(|kind| upstream.clear(kind));
                let took = taken.elapsed();
                upstream.count(|counts| counts.answered(taken - arrived, took));
                if let Some(record) = record {
                    record.worker = Some(took);
                }
                if let Some(limit) = ResponseLimit::of(spec, line.id, upstream.traffic()) {
                    let length = response.body().size_hint().exact();
                    limit.check(length.or_else(|| headers::length(response.headers())))?;
                    response.body_mut().limit(limit);
                }
                return Ok(response);
            }
            // The worker has not begun with the request, so another one may get it until `request_timeout` is over.
            Err(AttemptError::Unreached) if arrived.elapsed() < spec.limits.request_timeout => {}
            Err(AttemptError::Unreached) => {
                let why = "worker after worker ended before it had begun with the request";
                return Err(Refused::because(Refusal::NoWorker, why));
            }
            Err(AttemptError::Died) => {
                let request = LostRequest::of(line);
                upstream.lost(generation, request.clone());
                let fate = upstream.fate(generation).await;
                let limit = fate.culprit.filter(|(culprit, _)| culprit.is(&request)).map(|(_, limit)| limit);
                return Err(Refused::because(
                    limit.map_or(Refusal::WorkerDied, Refusal::from_worker),
                    fate.why,
                ));
            }
            Err(AttemptError::Fatal(refused)) => {
                upstream.lost(generation, LostRequest::of(line));
                return Err(refused);
            }
            Err(AttemptError::GivenUp(refused) | AttemptError::Refused(refused)) => return Err(refused),
        }
    }
}

/// Records, when dropped, a request that a worker has and whose answer nobody waits for any more.
struct GivenUp<'a> {
    upstream: &'a Upstream,
    generation: u64,
    line: &'a RequestLine<'a>,
    is_waiting: bool,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.upstream.gave_up(self.generation, self.line);
        }
    }
}
