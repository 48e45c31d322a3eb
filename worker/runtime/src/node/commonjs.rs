//! The loader behind `require()`.

use std::rc::Rc;

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;

/// Finds and reads the files that `require()` asks for.
pub trait RequireHost {
    /// Resolves a `specifier` in the file `from`. Returns the absolute path of a file, the name of a built-in module, or an empty
    /// string for a module that its package excludes for workers.
    fn resolve(&self, specifier: &str, from: &str) -> Result<String, JsErrorBox>;
    /// Returns the kind of module of a resolved file.
    fn kind(&self, file: &str) -> Result<RequiredKind, JsErrorBox>;
    /// Returns the text of a file, transpiled if its language requires that.
    fn text(&self, file: &str) -> Result<String, JsErrorBox>;
    /// Returns the bytes of a file.
    fn bytes(&self, file: &str) -> Result<Vec<u8>, JsErrorBox>;
    /// Returns the URL of the module that a file is.
    fn url(&self, file: &str) -> Result<String, JsErrorBox>;
    /// Returns how many modules have been loaded.
    fn loaded_count(&self) -> usize;
    /// Returns the URL of the app's folder, and the URLs of the modules that have been loaded, relative to it.
    fn loaded(&self) -> Result<(String, Vec<String>), JsErrorBox>;
    /// Returns the bytes of a module that has been loaded, by its relative URL.
    fn loaded_bytes(&self, module: &str) -> Result<Vec<u8>, JsErrorBox>;
}

/// The kind of module of a file, which determines what `require()` returns; commonjs.js has the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredKind {
    /// A CommonJS module: runs with `module` and `exports`.
    CommonJs = 0,
    /// An ES module: evaluated synchronously.
    Module = 1,
    /// JSON: parsed.
    Json = 2,
    /// Text: a string.
    Text = 3,
    /// WebAssembly: a `WebAssembly.Module`.
    Wasm = 4,
    /// Other data: an `ArrayBuffer`.
    Bytes = 5,
}

pub(super) fn host(state: &OpState) -> Rc<dyn RequireHost> {
    state.borrow::<Rc<dyn RequireHost>>().clone()
}

/// See [`RequireHost::resolve`].
#[op2]
#[string]
pub(crate) fn op_require_resolve(
    state: &OpState,
    #[string] specifier: &str,
    #[string] from: &str,
) -> Result<String, JsErrorBox> {
    host(state).resolve(specifier, from)
}

/// See [`RequireHost::kind`].
#[op2(fast)]
#[smi]
pub(crate) fn op_require_kind(state: &OpState, #[string] file: &str) -> Result<u32, JsErrorBox> {
    Ok(host(state).kind(file)? as u32)
}

/// See [`RequireHost::text`].
#[op2]
#[string]
pub(crate) fn op_require_text(state: &OpState, #[string] file: &str) -> Result<String, JsErrorBox> {
    host(state).text(file)
}

/// See [`RequireHost::bytes`].
#[op2]
#[buffer]
pub(crate) fn op_require_bytes(state: &OpState, #[string] file: &str) -> Result<Vec<u8>, JsErrorBox> {
    host(state).bytes(file)
}

/// See [`RequireHost::url`].
#[op2]
#[string]
pub(crate) fn op_require_url(state: &OpState, #[string] file: &str) -> Result<String, JsErrorBox> {
    host(state).url(file)
}
