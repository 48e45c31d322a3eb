//! Errors of the algorithms.

use deno_error::JsErrorBox;

/// Creates an `OperationError` of Web Cryptography.
pub(super) fn operation_error(why: &'static str) -> JsErrorBox {
    JsErrorBox::new("DOMExceptionOperationError", why)
}
