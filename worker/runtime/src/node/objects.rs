//! Properties of objects and calls that JavaScript itself cannot see.

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;

/// The last id given to an asynchronous resource.
#[derive(Debug, Default)]
pub(crate) struct LastAsyncId(u32);

/// Returns a new id for an asynchronous resource (`async_hooks`).
#[op2(fast)]
#[smi]
pub(crate) fn op_node_new_async_id(state: &mut OpState) -> u32 {
    let last = state.borrow_mut::<LastAsyncId>();
    last.0 = last.0.wrapping_add(1);
    last.0
}

/// Returns the operating system, as the library names it.
#[op2]
#[string]
pub(crate) fn op_node_build_os() -> &'static str {
    "linux"
}

/// Returns the processor architecture, as Rust names it.
#[op2]
#[string]
pub(crate) fn op_node_arch() -> &'static str {
    std::env::consts::ARCH
}

/// Returns no constants, because there is no file system.
#[op2(fast)]
pub(crate) fn op_node_fs_constants() {}

/// Returns a variable of the worker's own environment, which is empty.
#[op2]
#[string]
pub(crate) fn op_get_env_no_permission_check(#[string] _name: &str) -> Option<String> {
    None
}

/// Maximum number of stack frames in which the app's code is searched.
const MAX_FRAMES: usize = 20;

/// Returns whether the nearest caller outside this library belongs to a package. Deprecations in packages are not reported.
#[op2(fast)]
pub(crate) fn op_node_call_is_from_dependency(scope: &mut v8::PinScope<'_, '_>) -> bool {
    let Some(stack) = v8::StackTrace::current_stack_trace(scope, MAX_FRAMES) else { return false };
    let mut names = (0..stack.get_frame_count())
        .filter_map(|index| stack.get_frame(scope, index)?.get_script_name(scope))
        .map(|name| name.to_rust_string_lossy(scope))
        .collect::<Vec<_>>()
        .into_iter();
    names.find(|name| !name.starts_with("ext:")).is_some_and(|name| name.contains("/node_modules/"))
}

/// The bits of a property filter, in the order of `internalBinding("util")`.
const FILTERS: [v8::PropertyFilter; 5] = [
    v8::PropertyFilter::ONLY_WRITABLE,
    v8::PropertyFilter::ONLY_ENUMERABLE,
    v8::PropertyFilter::ONLY_CONFIGURABLE,
    v8::PropertyFilter::SKIP_STRINGS,
    v8::PropertyFilter::SKIP_SYMBOLS,
];

/// Returns the object's own keys, except the indices of array elements.
#[op2(reentrant)]
pub(crate) fn op_node_get_own_non_index_properties<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    #[smi] filter: u32,
) -> Result<v8::Local<'s, v8::Array>, JsErrorBox> {
    let mut property_filter = v8::PropertyFilter::ALL_PROPERTIES;
    for (bit, set) in FILTERS.into_iter().enumerate() {
        if filter & (1 << bit) != 0 {
            property_filter = property_filter | set;
        }
    }
    let args = v8::GetPropertyNamesArgs {
        mode: v8::KeyCollectionMode::OwnOnly,
        property_filter,
        index_filter: v8::IndexFilter::SkipIndices,
        key_conversion: v8::KeyConversionMode::NoNumbers,
    };
    object
        .get_property_names(scope, args)
        .ok_or_else(|| JsErrorBox::type_error("the keys of the object cannot be read"))
}
