//! How a scheduled run ends.

use bytes::Bytes;
use deno_core::{OpState, op2};
use nano_protocol::head::NO_RETRY;

use super::response::respond;
use crate::requests::in_flight::in_flight;

/// Answers the event of a run whose handler and background work have settled. The status and the body are those with which
/// `wrangler dev` answers `/cdn-cgi/handler/scheduled`.
#[op2(fast)]
pub(crate) fn op_scheduled_ended(state: &OpState, #[smi] id: u32, is_ok: bool, has_no_retry: bool) {
    let in_flight = in_flight(state);
    // A run that has ended the worker is answered with the reason for that.
    if in_flight.is_torn() {
        return;
    }
    let Some(request) = in_flight.answer(id) else { return };
    let (status, body) = if is_ok { (200, "ok") } else { (500, "exception") };
    let fields: [(&[u8], &[u8]); 2] = [(b"content-type", b"text/plain;charset=UTF-8"), (NO_RETRY, b"true")];
    let count = if has_no_retry { 2 } else { 1 };
    respond(
        &in_flight,
        request,
        status,
        count,
        fields.into_iter().take(count),
        Bytes::from_static(body.as_bytes()),
    );
}
