//! What the ES modules have in common that stand for files of another kind.

/// Marks the frames of a facade as internal: it bears the URL of a module of the app.
pub(super) const END_OF_FACADE: &str = "\n//# sourceURL=ext:nano_workers/facade.js";

/// A JavaScript string literal.
pub(super) fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
