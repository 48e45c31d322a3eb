//! How an algorithm fails.

use deno_error::JsErrorBox;

/// An `OperationError` of Web Cryptography.
pub(super) fn operation_error(why: &'static str) -> JsErrorBox {
    JsErrorBox::new("DOMExceptionOperationError", why)
}
