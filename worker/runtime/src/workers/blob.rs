//! The bytes of a `Blob`, for those who cannot wait for them: a call takes its arguments along.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use deno_core::convert::Uint8Array;
use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use deno_web::BlobStoreTrait;

/// Returns the bytes of the parts with these ids, one after the other.
#[op2]
pub(crate) fn op_blob_bytes(state: &OpState, #[scoped] ids: Vec<String>) -> Result<Uint8Array, JsErrorBox> {
    let store = state.borrow::<Arc<dyn BlobStoreTrait>>();
    let mut bytes = Vec::new();
    for id in ids {
        let part = id.parse().ok().and_then(|id| store.get_part(&id));
        let part = part.ok_or_else(|| JsErrorBox::type_error("a part of the Blob is gone"))?;
        // It is in memory.
        match pin!(part.read()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(part) => bytes.extend_from_slice(part),
            Poll::Pending => return Err(JsErrorBox::type_error("a part of the Blob is not in memory")),
        }
    }
    Ok(bytes.into())
}
