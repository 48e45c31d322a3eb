//! An isolate with an app: loads it, and calls its handler.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use deno_core::error::{CoreError, CoreErrorKind};
use deno_core::{ModuleSpecifier, PollEventLoopOptions, scope, v8};
use nano_protocol::limits::{MAX_ENTRYPOINT, MAX_ENTRYPOINTS};
use nano_protocol::message::{Load, LogLevel, RequestId, Stats};
use nano_protocol::witness::LastUsage;
use nano_protocol::{Handlers, Witness};
use nano_runtime::{
    AppFolder, Bindings, Closed, InFlight, Network, Policy, RequireHost, SessionLimit, SocketEvent,
    SocketShare, Sockets, Turns, running_request,
};

use crate::calls::Calls;
use crate::collections::Collections;
use crate::cpu_time::Meter;
use crate::events::{Addressee, Arrived};
use crate::guard::{Guard, Termination};
use crate::isolate::{AppFunctions, Isolate, Js};
use crate::load_error::LoadError;
use crate::loader::{EmitCache, Modules, ReadError};
use crate::{heap, load_error, service_worker, usage, watchdog};

/// Events of WebSockets that are passed to JavaScript in one turn of the event loop.
const EVENTS_PER_TURN: usize = 256;

/// Change of what messages of WebSockets hold of which V8 is told, in bytes.
const TELL: usize = 256 * 1024;

/// One V8 isolate with one app.
#[derive(Debug)]
pub(crate) struct Engine {
    // Fields are dropped in order: handles into the isolate before the isolate.
    functions: AppFunctions,
    js: Js,
    modules: Rc<Modules>,
    folder: Rc<AppFolder>,
    in_flight: Rc<InFlight>,
    guard: Arc<Guard>,
    meter: Rc<Meter>,
    turns: Rc<Turns>,
    /// What the app can fetch from besides the network.
    pub(crate) bindings: Rc<Bindings>,
    sockets: Rc<Sockets>,
    opened_sockets: Rc<SocketShare>,
    /// How much V8 knows of what messages of WebSockets hold.
    told_held: usize,
    collections: Collections,
    heap_limit: u64,
    /// What the app exports.
    pub(crate) handlers: Handlers,
    /// What other apps can call besides its default export.
    pub(crate) entrypoints: Vec<String>,
}

impl Engine {
    /// Loads an app into a fresh isolate. After an error the isolate cannot be used again.
    pub(crate) async fn load(
        isolate: Isolate,
        load: &Load,
        witness: Witness,
        calls: &Rc<Calls>,
    ) -> Result<Self, LoadError> {
        let Isolate { functions, mut js, modules, in_flight, heap_limit } = isolate;
        let calls = calls.clone();
        let keep = move |name, contents: Vec<u8>| calls.keep(name, contents.into());
        let cache = load.emit_cache.as_deref().map(|folder| EmitCache::new(folder, keep));
        let app = Modules::new(Path::new(&load.root), &load.modules, cache);
        let app = Rc::new(app.with_site(load.site_manifest.as_deref()));
        let folder = Rc::new(AppFolder::new(&app.folder()?));
        js.0.op_state().borrow_mut().put(folder.clone());
        js.0.op_state().borrow_mut().put::<Rc<dyn RequireHost>>(app.clone());
        let modules = modules.get_or_init(|| app).clone();
        in_flight.set_wait_until_timeout(Duration::from_millis(load.limits.wait_until_ms));
        let guard = Arc::new(Guard::new(witness));
        in_flight.watch({
            let guard = guard.clone();
            move || guard.termination().is_some()
        });
        heap::watch(&mut js.0, guard.clone(), heap_limit);
        let interrupt = js.0.v8_isolate().thread_safe_handle();
        let limits = watchdog::Limits {
            entry: Duration::from_millis(load.limits.watchdog_ms),
            cpu_time: Duration::from_millis(load.limits.cpu_ms),
        };
        let (meter, sampler) = Meter::start(&mut js.0, guard.clone(), in_flight.clone(), limits.cpu_time);
        watchdog::start(guard.clone(), interrupt, sampler, limits).map_err(LoadError::Watchdog)?;
        let turns = js.0.op_state().borrow().borrow::<Rc<Turns>>().clone();
        turns.set_max(load.limits.max_blocking as usize);
        let bindings = Bindings::install(&mut js.0.op_state().borrow_mut(), &load.bindings);
        in_flight.set_max_tmp(load.limits.max_tmp);
        let sockets = js.0.op_state().borrow().borrow::<Rc<Sockets>>().clone();
        let [max_message, most] = [load.limits.max_socket_message, load.limits.max_socket_bytes]
            .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        sockets.set_most(most);
        let mut engine = Self {
            functions,
            js,
            modules,
            folder,
            in_flight,
            guard,
            meter,
            turns,
            bindings,
            sockets,
            opened_sockets: SocketShare::new(max_message, most),
            told_held: 0,
            collections: Collections::new(heap_limit, 0, Instant::now()),
            heap_limit,
            handlers: Handlers::default(),
            entrypoints: Vec::new(),
        };
        engine.load_app(load).await?;
        Ok(engine)
    }

    /// Loads the app's modules and finds its handlers.
    async fn load_app(&mut self, load: &Load) -> Result<(), LoadError> {
        let root = PathBuf::from(&load.root);
        let policy = Policy::new(load.net.clone()).without(Closed::new(load.closed.clone()));
        let (max_outbound, sockets) = (load.limits.max_outbound, self.opened_sockets.clone());
        Network::install(&mut self.js.0.op_state().borrow_mut(), policy, max_outbound, sockets);
        self.prepare(load)?;
        let entry = root.join(&load.entry);
        let entry = ModuleSpecifier::from_file_path(&entry).map_err(|()| ReadError::NotAbsolute(entry))?;
        let guard = self.guard.clone();
        let loaded = guarded(&guard, self.js.0.load_main_es_module(&entry)).await;
        let id = loaded.map_err(|error| self.not_loaded(error))?;
        self.expose(id, load)?;
        let evaluated = guarded(&guard, async {
            let evaluated = self.js.0.mod_evaluate(id);
            self.js.0.with_event_loop_future(evaluated, PollEventLoopOptions::default()).await
        })
        .await;
        evaluated.map_err(|error| self.not_loaded(error))?;
        self.modules.release();
        self.in_flight.end_loading();
        let is_callable = self.install(id)?;
        if !self.handlers.has("fetch") && !self.handlers.has("scheduled") && !is_callable {
            return Err(LoadError::NoHandler { entry: load.entry.clone() });
        }
        heap::give_back();
        let heap = self.js.0.v8_isolate().get_heap_statistics();
        let loaded = heap.used_heap_size() as u64;
        // The witness keeps the sizes after two entries. Both begin with this one.
        self.guard.witness.collected(loaded);
        self.guard.enter();
        self.guard.witness.collected(loaded);
        self.guard.leave();
        Ok(())
    }

    fn prepare(&mut self, load: &Load) -> Result<(), LoadError> {
        scope!(scope, &mut self.js.0);
        let missing = pairs(scope, &load.missing)?;
        let define = pairs(scope, &load.modules.define)?;
        let handlers = Handlers::NAMES.iter().map(|name| text(scope, name)).collect::<Result<Vec<_>, _>>()?;
        let mut settings = vec![
            v8::Boolean::new(scope, load.has_colours).into(),
            v8::Boolean::new(scope, load.development).into(),
            text(scope, &load.props)?,
            v8::Array::new_with_elements(scope, &missing).into(),
            v8::Array::new_with_elements(scope, &define).into(),
            v8::Array::new_with_elements(scope, &handlers).into(),
            text(scope, &Bindings::described(&load.bindings))?,
        ];
        settings.extend(pairs(scope, &load.env)?);
        let settings = v8::Array::new_with_elements(scope, &settings).into();
        call(scope, &self.functions.prepare, settings).map(|_| ()).ok_or(LoadError::UnreadableEnv)
    }

    fn not_loaded(&self, error: CoreError) -> LoadError {
        match self.guard.termination() {
            Some(cause) => terminated_while_loading(cause),
            None if matches!(error.as_kind(), CoreErrorKind::PendingPromiseResolution) => {
                LoadError::NeverSettles
            }
            None => LoadError::exception(error, &self.folder),
        }
    }

    /// Makes the names of `env` global variables, if the app whose entry module this is has the service worker format.
    fn expose(&mut self, module: usize, load: &Load) -> Result<(), LoadError> {
        let namespace = self.js.0.get_module_namespace(module);
        let namespace = namespace.map_err(|error| LoadError::exception(error, &self.folder))?;
        let is_listening = self.modules.is_listening_script(Path::new(&load.entry));
        scope!(scope, &mut self.js.0);
        if !is_listening && service_worker::exports_default(scope, &namespace) {
            return service_worker::refuse_blobs(load);
        }
        let exposed = service_worker::exposed(scope, &self.modules, load)?;
        call(scope, &self.functions.expose, exposed).map(|_| ()).ok_or(LoadError::UnreadableEnv)
    }

    /// Finds what the app exports. Returns whether other apps can call methods of it.
    fn install(&mut self, module: usize) -> Result<bool, LoadError> {
        // deno_core counts a module that threw as evaluated. Its error is only seen here.
        let namespace = self.js.0.get_module_namespace(module);
        let namespace = namespace.map_err(|error| LoadError::exception(error, &self.folder))?;
        scope!(scope, &mut self.js.0);
        let namespace = v8::Local::new(scope, namespace).into();
        let found = call(scope, &self.functions.install, namespace).ok_or(LoadError::UnreadableExport)?;
        let found = v8::Local::<v8::Array>::try_from(found).map_err(|_| LoadError::UnreadableExport)?;
        let bits = found.get_index(scope, 0).and_then(|bits| bits.uint32_value(scope));
        self.handlers = Handlers::of_bits(bits.and_then(|bits| u8::try_from(bits).ok()).unwrap_or_default());
        let is_callable = found.get_index(scope, 1).is_some_and(|is_callable| is_callable.is_true());
        let names = (2..found.length())
            .filter_map(|index| found.get_index(scope, index).map(|name| name.to_rust_string_lossy(scope)));
        self.entrypoints = names.filter(|name| name.len() <= MAX_ENTRYPOINT).take(MAX_ENTRYPOINTS).collect();
        Ok(is_callable)
    }

    /// Calls the app's handler for each of these until one terminates the isolate. Returns for how many it was called.
    pub(crate) fn dispatch(&mut self, arrived: &[Arrived]) -> usize {
        if arrived.is_empty() {
            return 0;
        }
        scope!(scope, &mut self.js.0);
        for (begun, Arrived { connection, id, addressee }) in arrived.iter().enumerate() {
            self.guard.begin(*connection, self.in_flight.name(*id).unwrap_or(RequestId(0)));
            let id = v8::Integer::new_from_unsigned(scope, *id).into();
            // Both functions catch whatever the app throws. Only termination escapes them.
            match addressee {
                Addressee::Fetch => call(scope, &self.functions.dispatch, id),
                Addressee::Entrypoint(addressed) => {
                    let [name, props] =
                        [&addressed.name, &addressed.props].map(|text| -> v8::Local<'_, v8::Value> {
                            // Heads are far shorter than V8's limit.
                            v8::String::new(scope, text).unwrap_or_else(|| v8::String::empty(scope)).into()
                        });
                    let is_call = v8::Boolean::new(scope, addressed.is_call).into();
                    let request = v8::Array::new_with_elements(scope, &[id, name, props, is_call]).into();
                    call(scope, &self.functions.enter, request)
                }
                Addressee::Scheduled(scheduled) => {
                    // Heads are far shorter than V8's limit.
                    let cron =
                        v8::String::new(scope, &scheduled.cron).unwrap_or_else(|| v8::String::empty(scope));
                    let time = v8::Number::new(scope, scheduled.time as f64);
                    let run = v8::Array::new_with_elements(scope, &[id, cron.into(), time.into()]).into();
                    call(scope, &self.functions.schedule, run)
                }
            };
            // So that a crash of the next request does not lose what this one has done.
            scope.perform_microtask_checkpoint();
            self.guard.leave();
            if self.guard.termination().is_some() {
                return begun + 1;
            }
        }
        arrived.len()
    }

    /// Passes what has arrived over WebSockets to JavaScript, until it terminates the isolate. What is too much for one turn comes
    /// with the next one.
    pub(crate) fn receive(&mut self, cx: &Context<'_>) {
        if !self.sockets.has_events(cx) {
            return;
        }
        scope!(scope, &mut self.js.0);
        for _ in 0..EVENTS_PER_TURN {
            let Some((id, event)) = self.sockets.next() else { break };
            self.guard.enter();
            let entry = self.guard.witness.entries();
            self.guard.witness.runs(entry, self.in_flight.name(id));
            // As on Workers, each message has all of the CPU time.
            self.meter.forgive(id);
            let event = event_of(scope, id, event);
            // It catches whatever the app throws. Only termination escapes it.
            call(scope, &self.functions.receive, event);
            scope.perform_microtask_checkpoint();
            self.guard.leave();
            if self.guard.termination().is_some() {
                return;
            }
        }
        if self.sockets.has_events(cx) {
            cx.waker().wake_by_ref();
        }
    }

    /// Runs what is ready: promises, timers, completed ops.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        self.guard.enter();
        if let Some(only) = self.in_flight.only() {
            // A first guess, until V8 tells which request it runs for: inside native code it cannot.
            self.guard.witness.runs(self.guard.witness.entries(), Some(only));
        }
        let polled = self.js.0.poll_event_loop(cx, PollEventLoopOptions::default());
        self.guard.leave();
        if let Poll::Ready(Err(error)) = polled
            && self.guard.termination().is_none()
        {
            self.in_flight.add_uncaught(0);
            let text = load_error::describe(&error, &self.folder);
            self.in_flight.log(LogLevel::Error, 0, format!("Uncaught {text}"));
            cx.waker().wake_by_ref();
        }
        self.turns.poll(cx, |request, used| self.meter.charge_elsewhere(request, used));
    }

    /// Tells V8 how much messages of WebSockets hold outside of its heap, so that it collects WebSockets that the app has forgotten.
    fn tell_held(&mut self) {
        let held = self.sockets.held() + self.opened_sockets.held();
        if held.abs_diff(self.told_held) >= TELL || (held == 0 && self.told_held > 0) {
            let change = held as i64 - std::mem::replace(&mut self.told_held, held) as i64;
            self.js.0.v8_isolate().adjust_amount_of_external_allocated_memory(change);
        }
    }

    /// Runs a full collection if one is due. Returns whether it did: the size of the live heap is known then.
    pub(crate) fn look_at_heap(&mut self) -> bool {
        self.tell_held();
        heap::look(&mut self.js.0, &mut self.collections)
    }

    /// Why the isolate must not serve any more; `None` while it may.
    pub(crate) fn termination(&self) -> Option<Termination> {
        self.guard.termination()
    }

    /// The request whose code was running when the isolate was terminated, if that is known: from the last sample, or from the async
    /// context that V8 still has.
    pub(crate) fn running_request(&mut self) -> Option<u32> {
        let sampled = self.guard.left().and_then(|entry| self.meter.latest(entry));
        if sampled.is_some() {
            return sampled;
        }
        self.js.0.v8_isolate().cancel_terminate_execution();
        scope!(scope, &mut self.js.0);
        running_request(scope)
    }

    /// Writes into the witness page which request ended this worker, and what the worker used.
    pub(crate) fn record_culprit(&mut self, culprit: Option<u32>) {
        culprit.iter().for_each(|id| self.in_flight.record_culprit(&self.guard.witness, *id));
        let culprit = culprit.and_then(|id| self.in_flight.name(id));
        let heap = self.js.0.v8_isolate().get_heap_statistics().used_heap_size() as u64;
        let (memory, cpu) = (usage::memory().unwrap_or_default(), usage::cpu_time());
        self.guard.witness.ends(culprit, LastUsage { heap, memory, cpu });
    }

    /// The worker's own numbers.
    pub(crate) fn stats(&mut self) -> Stats {
        let outbound = Network::counts(&self.js.0.op_state().borrow());
        let heap = self.js.0.v8_isolate().get_heap_statistics();
        Stats {
            heap_used: heap.used_heap_size() as u64,
            heap_limit: self.heap_limit,
            external: heap.external_memory() as u64,
            in_flight: u32::try_from(self.in_flight.count()).unwrap_or(u32::MAX),
            requests: self.in_flight.answered(),
            late_background: self.in_flight.late_background(),
            outbound: outbound.open,
            outbound_refused: outbound.refused,
            no_descriptor: outbound.no_descriptor,
            unread_over: self.in_flight.unread_over(),
            unread_room: outbound.unread,
            blocking: u32::try_from(self.turns.pending()).unwrap_or(u32::MAX),
            blocking_refused: self.turns.refused(),
            fetches_refused: self.bindings.refused(),
            tmp_refused: self.in_flight.tmp_refused(),
            session_calls: self.bindings.sessions.broken(SessionLimit::Calls),
            session_stubs: self.bindings.sessions.broken(SessionLimit::Stubs),
            session_bytes: self.bindings.sessions.broken(SessionLimit::Bytes),
        }
    }
}

fn pairs<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    pairs: &[(String, String)],
) -> Result<Vec<v8::Local<'s, v8::Value>>, LoadError> {
    pairs.iter().flat_map(|(name, value)| [name, value]).map(|part| text(scope, part)).collect()
}

/// Returns what JavaScript gets of an event: the id of its WebSocket, and either the message, or the code of a closing frame with
/// its reason, or a text that says what is wrong; `null` for a client that has gone.
fn event_of<'s>(scope: &mut v8::PinScope<'s, '_>, id: u32, event: SocketEvent) -> v8::Local<'s, v8::Value> {
    let text = |scope: &mut v8::PinScope<'s, '_>, text: &[u8]| -> v8::Local<'s, v8::Value> {
        // Messages may be longer than V8's limit for strings only where the operator allows that.
        let text = v8::String::new_from_utf8(scope, text, v8::NewStringType::Normal);
        text.unwrap_or_else(|| v8::String::empty(scope)).into()
    };
    let id = v8::Integer::new_from_unsigned(scope, id).into();
    let elements = match event {
        SocketEvent::Text(message) => vec![id, text(scope, &message)],
        SocketEvent::Binary(message) => {
            let store = v8::ArrayBuffer::new_backing_store_from_vec(message).make_shared();
            vec![id, v8::ArrayBuffer::with_backing_store(scope, &store).into()]
        }
        SocketEvent::Closed(code, reason) => {
            let code = v8::Integer::new(scope, code.into()).into();
            vec![id, code, text(scope, reason.as_bytes())]
        }
        SocketEvent::Failed(why) => {
            let nothing = v8::undefined(scope).into();
            vec![id, nothing, text(scope, why.as_bytes())]
        }
        SocketEvent::Lost => vec![id, v8::null(scope).into()],
    };
    v8::Array::new_with_elements(scope, &elements).into()
}

fn text<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> Result<v8::Local<'s, v8::Value>, LoadError> {
    v8::String::new(scope, text).map(Into::into).ok_or(LoadError::EnvTooLarge)
}

fn terminated_while_loading(cause: Termination) -> LoadError {
    match cause {
        Termination::Watchdog => LoadError::TooLong,
        // No request has been served yet.
        Termination::CpuTime | Termination::OutOfMemory => LoadError::OutOfMemory,
    }
}

/// Polls `future` as JavaScript that the watchdog watches.
async fn guarded<T>(guard: &Guard, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        guard.enter();
        let polled = future.as_mut().poll(cx);
        guard.leave();
        polled
    })
    .await
}

fn call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    function: &v8::Global<v8::Function>,
    argument: v8::Local<'s, v8::Value>,
) -> Option<v8::Local<'s, v8::Value>> {
    v8::tc_scope!(scope, scope);
    let receiver = v8::undefined(scope).into();
    v8::Local::new(scope, function).call(scope, receiver, &[argument])
}
