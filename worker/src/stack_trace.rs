//! The stack of an error as the app sees it: mapped to its sources, and without frames of the worker's own JavaScript.

use deno_core::error::prepare_stack_trace_callback;
use deno_core::v8;
use nano_runtime::is_internal;

/// Formats the stack of an error. V8 calls it when the stack is first read.
pub(crate) fn prepare<'s, 'i>(
    scope: &mut v8::PinScope<'s, 'i>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> v8::Local<'s, v8::Value> {
    let mut shown = Vec::with_capacity(sites.length() as usize);
    for index in 0..sites.length() {
        let Some(site) = sites.get_index(scope, index) else { continue };
        if !script_of(scope, site).is_some_and(|script| is_internal(&script)) {
            shown.push(site);
        }
    }
    let shown = v8::Array::new_with_elements(scope, &shown);
    prepare_stack_trace_callback(scope, error, shown)
}

/// Returns the script of a call site. A facade has the URL of an app's module, so its `sourceURL` is what tells it apart.
fn script_of(scope: &mut v8::PinScope<'_, '_>, site: v8::Local<'_, v8::Value>) -> Option<String> {
    v8::tc_scope!(let scope, scope);
    let site = v8::Local::<v8::Object>::try_from(site).ok()?;
    let name = v8::String::new(scope, "getScriptNameOrSourceURL")?;
    let method = v8::Local::<v8::Function>::try_from(site.get(scope, name.into())?).ok()?;
    let script = method.call(scope, site.into(), &[])?;
    script.is_string().then(|| script.to_rust_string_lossy(scope))
}
