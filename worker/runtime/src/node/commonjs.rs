//! What `require()` needs from the loader.

use std::rc::Rc;

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;

/// Finds and reads what `require()` asks for.
pub trait RequireHost {
    /// The absolute path of the file that `specifier` names in the file `from`, or the name of a built-in module, or an
    /// empty text for a module that its package leaves out of workers.
    fn resolve(&self, specifier: &str, from: &str) -> Result<String, JsErrorBox>;
    /// What kind of module a resolved file is.
    fn kind(&self, file: &str) -> Result<RequiredKind, JsErrorBox>;
    /// The text of a file, translated if it is of a language that has to be.
    fn text(&self, file: &str) -> Result<String, JsErrorBox>;
    /// The bytes of a file.
    fn bytes(&self, file: &str) -> Result<Vec<u8>, JsErrorBox>;
    /// The URL by which a file is known as a module.
    fn url(&self, file: &str) -> Result<String, JsErrorBox>;
}

/// What `require()` makes of a file; the same numbers stand in commonjs.js.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredKind {
    /// Runs with `module` and `exports`.
    CommonJs = 0,
    /// An ES module, evaluated at once.
    Module = 1,
    /// Parsed.
    Json = 2,
    /// A string.
    Text = 3,
    /// A `WebAssembly.Module`.
    Wasm = 4,
    /// An `ArrayBuffer`.
    Bytes = 5,
}

fn host(state: &OpState) -> Rc<dyn RequireHost> {
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
