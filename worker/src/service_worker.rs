//! Apps of the service worker format: they export nothing by default, and have `env`, files and the manifest of a Workers Site as global
//! variables.

use deno_core::v8;
use nano_protocol::message::{Blob, Load, ModuleKind};

use crate::load_error::LoadError;
use crate::loader::Modules;

/// Returns whether a module, which need not have run yet, has a default export.
pub(crate) fn exports_default(scope: &mut v8::PinScope<'_, '_>, namespace: &v8::Global<v8::Object>) -> bool {
    let name = v8::String::new(scope, "default");
    let namespace = v8::Local::new(scope, namespace);
    name.is_some_and(|name| namespace.has(scope, name.into()) == Some(true))
}

/// Refuses files that only the service worker format can have, as wrangler does.
pub(crate) fn refuse_blobs(load: &Load) -> Result<(), LoadError> {
    let Some(Blob { name, path, .. }) = load.blobs.first() else { return Ok(()) };
    let (name, path, entry) = (name.clone(), path.clone(), load.entry.clone());
    Err(LoadError::BlobOfModule { name, path, entry })
}

/// Returns what JavaScript makes global variables besides `env`: a list of files, each a name and a value, and the manifest.
pub(crate) fn exposed<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    modules: &Modules,
    load: &Load,
) -> Result<v8::Local<'s, v8::Value>, LoadError> {
    let mut files = Vec::new();
    for Blob { name, path, kind } in &load.blobs {
        let bytes = modules.blob(path)?;
        let contents: v8::Local<'_, v8::Value> = match kind {
            ModuleKind::Text | ModuleKind::Code => {
                let text = v8::String::new_from_utf8(scope, &bytes, v8::NewStringType::Normal);
                text.ok_or(LoadError::EnvTooLarge)?.into()
            }
            ModuleKind::Data => {
                let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes).make_shared();
                v8::ArrayBuffer::with_backing_store(scope, &store).into()
            }
            ModuleKind::Wasm => compiled(scope, &bytes)
                .ok_or_else(|| LoadError::NotWasm { name: name.clone(), path: path.clone() })?
                .into(),
        };
        let name = v8::String::new(scope, name).ok_or(LoadError::EnvTooLarge)?.into();
        files.push(v8::Array::new_with_elements(scope, &[name, contents]).into());
    }
    let files = v8::Array::new_with_elements(scope, &files).into();
    let manifest = match &load.site_manifest {
        Some(manifest) => v8::String::new(scope, manifest).ok_or(LoadError::EnvTooLarge)?.into(),
        None => v8::undefined(scope).into(),
    };
    Ok(v8::Array::new_with_elements(scope, &[files, manifest]).into())
}

fn compiled<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
) -> Option<v8::Local<'s, v8::WasmModuleObject>> {
    v8::tc_scope!(let scope, scope);
    v8::WasmModuleObject::compile(scope, bytes)
}
