//! What the scripts of `node:fs` ask for. The files themselves are objects of JavaScript.

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

use super::commonjs::host;
use crate::requests::files::KeptFiles;
use crate::requests::in_flight::in_flight;

/// Returns what is kept for a request (zero: for the loading of the app), undefined if nothing is yet, and null once it is over.
#[op2]
pub(crate) fn op_files_of<'s>(
    state: &OpState,
    scope: &mut v8::PinScope<'s, '_>,
    id: u32,
) -> v8::Local<'s, v8::Value> {
    match in_flight(state).files_of(id) {
        KeptFiles::Some(store) => v8::Local::new(scope, store),
        KeptFiles::None => v8::undefined(scope).into(),
        KeptFiles::Over => v8::null(scope).into(),
    }
}

/// Keeps an object until a request is over.
#[op2(fast)]
pub(crate) fn op_files_keep<'s>(
    state: &OpState,
    scope: &mut v8::PinScope<'s, '_>,
    id: u32,
    store: v8::Local<'s, v8::Value>,
) {
    in_flight(state).keep_files(id, v8::Global::new(scope, store));
}

/// Lets the files of a request have more bytes: `most`, or else `least`. Returns how many more; zero if they may not have even
/// those.
#[op2(fast)]
pub(crate) fn op_files_grow(state: &OpState, id: u32, least: u32, most: u32) -> u32 {
    in_flight(state).grow_files(id, least, most)
}

/// Says that the files of a request have so many bytes less.
#[op2(fast)]
pub(crate) fn op_files_shrink(state: &OpState, id: u32, by: u32) {
    in_flight(state).shrink_files(id, by);
}

/// Returns the path of the app's folder, and those of the modules in it that have been loaded; null if they are as many as
/// `known`. They are paths of URLs.
#[op2]
#[serde]
pub(crate) fn op_files_bundled(state: &OpState, known: i32) -> Result<Option<Vec<String>>, JsErrorBox> {
    let host = host(state);
    if usize::try_from(known).is_ok_and(|known| known == host.loaded_count()) {
        return Ok(None);
    }
    let (folder, mut modules) = host.loaded()?;
    modules.insert(0, folder);
    Ok(Some(modules))
}

/// Returns the bytes of a module that has been loaded.
#[op2]
#[buffer]
pub(crate) fn op_files_read(state: &OpState, #[string] module: &str) -> Result<Vec<u8>, JsErrorBox> {
    host(state).loaded_bytes(module)
}
