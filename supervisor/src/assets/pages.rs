//! What is said about the files of a build for Cloudflare Pages, beyond what is said about those of a worker.

use hyper::StatusCode;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

/// Adds the header fields that Pages adds. The rules of `_headers` may replace or remove them.
pub(super) fn add_defaults(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    if headers.contains_key(CONTENT_TYPE) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// Has nobody keep what stands in for a file that is not there, whatever the rules say.
pub(super) fn finish(status: StatusCode, headers: &mut HeaderMap) {
    if status == StatusCode::NOT_FOUND {
        headers.remove(ETAG);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
