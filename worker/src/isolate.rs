//! Makes a V8 isolate from the startup snapshot, before its app is known.

use std::rc::Rc;

use deno_core::error::CoreError;
use deno_core::{
    CompiledWasmModuleStore, Extension, JsRuntime, RuntimeOptions, SharedArrayBufferStore, scope, v8,
};
use nano_runtime::{InFlight, Sockets, Turns};

use crate::lazy_globals::LazyGlobalsError;
use crate::loader::{AppLoader, LaterModules};
use crate::{heap, lazy_globals, stack_trace};

static SNAPSHOT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/snapshot.bin"));
static RESIDUAL_SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/residual.rs"));

/// An isolate that waits for its app. Most of the work of a cold start is done by then.
#[derive(Debug)]
pub(crate) struct Isolate {
    // Fields are dropped in order: handles into the isolate before the isolate.
    pub(crate) functions: AppFunctions,
    pub(crate) js: Js,
    /// Where the module loader finds the app's modules once they are known.
    pub(crate) modules: LaterModules,
    pub(crate) in_flight: Rc<InFlight>,
    /// In bytes.
    pub(crate) heap_limit: u64,
}

/// The functions of `app.js` that Rust calls.
#[derive(Debug)]
pub(crate) struct AppFunctions {
    pub(crate) prepare: v8::Global<v8::Function>,
    pub(crate) expose: v8::Global<v8::Function>,
    pub(crate) install: v8::Global<v8::Function>,
    pub(crate) dispatch: v8::Global<v8::Function>,
    pub(crate) enter: v8::Global<v8::Function>,
    pub(crate) schedule: v8::Global<v8::Function>,
    pub(crate) receive: v8::Global<v8::Function>,
}

/// deno_core's runtime, which lacks `Debug`.
pub(crate) struct Js(pub(crate) JsRuntime);

impl std::fmt::Debug for Js {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JsRuntime")
    }
}

/// Why an isolate cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IsolateError {
    /// The system's fault, or ours: V8 does not start.
    #[error("{0}")]
    Runtime(#[source] CoreError),
    /// Our fault: the scripts in the snapshot do not leave what Rust needs.
    #[error("the startup snapshot has no {0}")]
    Missing(&'static str),
    #[error(transparent)]
    LazyGlobals(#[from] LazyGlobalsError),
}

impl Isolate {
    /// Makes an isolate whose heap may grow to `heap_limit` bytes. Must be called inside a tokio runtime: V8 posts delayed
    /// tasks to it.
    pub(crate) fn new(heap_limit: u64, in_flight: Rc<InFlight>) -> Result<Self, IsolateError> {
        let modules = LaterModules::default();
        let mut js = JsRuntime::try_new(RuntimeOptions {
            module_loader: Some(Rc::new(AppLoader(modules.clone()))),
            extensions: extensions(),
            startup_snapshot: Some(SNAPSHOT),
            residual_lazy_js_sources: RESIDUAL_SOURCES,
            // The snapshot has the function of each. A second one would cost every worker time and memory.
            skip_op_registration: true,
            create_params: Some(heap::create_params(heap_limit)),
            // What structured clones share or transfer passes through these.
            shared_array_buffer_store: Some(SharedArrayBufferStore::default()),
            compiled_wasm_module_store: Some(CompiledWasmModuleStore::default()),
            ..Default::default()
        })
        .map_err(IsolateError::Runtime)?;
        js.v8_isolate().set_prepare_stack_trace_callback(stack_trace::prepare);
        js.op_state().borrow_mut().put(in_flight.clone());
        js.op_state().borrow_mut().put(Rc::<Turns>::default());
        js.op_state().borrow_mut().put(Rc::<Sockets>::default());
        let functions = app_functions(&mut js)?;
        Ok(Self { functions, js: Js(js), modules, in_flight, heap_limit })
    }
}

/// Returns the extensions as the snapshot has them, without fast calls. deno_core makes all of those when the first script loads
/// late, which is while the app runs: it panics if the app has used up the stack. Those of methods are made then, but run no script.
fn extensions() -> Vec<Extension> {
    let mut extensions = nano_runtime::extensions();
    // One is called for the operations of all. An operation has no fast calls if it is a constructor; the functions that are
    // constructors are those of the snapshot.
    extensions[0].middleware_fn = Some(Box::new(|mut operation| {
        operation.constructable = true;
        operation
    }));
    extensions
}

/// Finds what `app.js` leaves for Rust: its functions, and the lazy interfaces, which are defined here.
fn app_functions(js: &mut JsRuntime) -> Result<AppFunctions, IsolateError> {
    let context = js.main_context();
    scope!(scope, js);
    let global = v8::Local::new(scope, context).global(scope);
    let nano = property(scope, global, "__nano")?;
    let load = property(scope, nano, "loadInterface")?;
    let interfaces = property(scope, nano, "lazyInterfaces")?;
    lazy_globals::install(scope, global, interfaces, load)?;
    let mut function = |name| property(scope, nano, name).map(|function| v8::Global::new(scope, function));
    Ok(AppFunctions {
        prepare: function("prepare")?,
        expose: function("expose")?,
        install: function("install")?,
        dispatch: function("dispatch")?,
        enter: function("enter")?,
        schedule: function("schedule")?,
        receive: function("receive")?,
    })
}

fn property<'s, T>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &'static str,
) -> Result<v8::Local<'s, T>, IsolateError>
where
    v8::Local<'s, T>: TryFrom<v8::Local<'s, v8::Value>>,
{
    let value = v8::String::new(scope, name).and_then(|key| object.get(scope, key.into()));
    let value = value.and_then(|value| v8::Local::<T>::try_from(value).ok());
    value.ok_or(IsolateError::Missing(name))
}
