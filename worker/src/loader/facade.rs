//! Helpers for facades: the ES modules that wrap files of another kind.

/// The end of a facade's source. It marks the stack frames of the facade as internal, as its URL is that of an app's module.
pub(super) const END_OF_FACADE: &str = "\n//# sourceURL=ext:nano_workers/facade.js";

/// Returns a JavaScript string literal.
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
