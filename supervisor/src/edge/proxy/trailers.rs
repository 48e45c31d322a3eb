//! The trailer fields of a worker's response, which is not trusted.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use nano_protocol::codec::HeaderBlock;

/// Returns the trailer fields that are valid HTTP.
pub(super) fn trailers(block: &HeaderBlock) -> Option<HeaderMap> {
    let mut trailers = HeaderMap::new();
    for field in block.iter().ok()? {
        let (name, value) = field.ok()?;
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            trailers.append(name, value);
        }
    }
    (!trailers.is_empty()).then_some(trailers)
}
