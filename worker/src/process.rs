//! The life of a worker process: it confines itself, creates an isolate, waits for its app, loads it and serves it.

use std::ffi::CString;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;

use nano_protocol::connection::poll_control;
use nano_protocol::limits::{MAX_ERROR, PROTOCOL_VERSION};
use nano_protocol::message::{Control, Hello, Load, Loaded, LogLevel, LogRecord, Role, Welcome};
use nano_protocol::{Connection, Handle, ProtocolError, Side, Witness, descriptors, exit};
use nano_runtime::{InFlight, LogSink as _};
use tokio::net::UnixStream;

use crate::calls::Calls;
use crate::console::Console;
use crate::engine::Engine;
use crate::event_loop::EventLoop;
use crate::isolate::Isolate;
use crate::load_error::LoadError;
use crate::sandbox::{self, cgroup, end, stack};
use crate::stays::Stays;

/// Host names that are looked up at once. Nothing else uses the blocking threads of this tokio runtime, see `turns.rs`.
const NAME_LOOKUPS: usize = 4;

/// Flags of V8. While V8 looks for loops to unroll, it removes the interrupt check of short loops, and by mistake sometimes that
/// of the loop around one. Then `for (;;) [3, 2, 1].sort(f)`, in which the literal is such a short loop, could never be ended.
/// So unrolling is off. The cost: arithmetic loops with few iterations, whose number is known, are up to a third slower.
const V8_FLAGS: [&str; 1] = ["--no-turboshaft-loop-unrolling"];

/// The arguments with which a worker is started. It learns later which app to run.
#[derive(Debug, Clone)]
pub struct WorkerArgs {
    /// Number of request connections, one per I/O thread of the supervisor.
    pub connections: u16,
    /// The prefix of its control group's name, which the process id completes. The worker creates the group in the folder that
    /// is its last descriptor. None for no control group.
    pub cgroup: Option<String>,
}

/// Runs a worker, and exits with its exit code. Never returns, and does not tear down V8's threads and static state.
pub fn run(args: WorkerArgs) -> ! {
    let code = match serve(args) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            exit::PROTOCOL
        }
    };
    end::exit_now(code)
}

/// Sets the name that `ps -e` and `top` show. The process starts as "exe", before it knows its app.
fn set_name(app: &str) {
    if let Ok(name) = CString::new(format!("nano:{app}")) {
        let _ = nix::sys::prctl::set_name(&name);
    }
}

#[allow(clippy::print_stderr, reason = "without a connection, stderr is the only way to the supervisor")]
fn report(error: &io::Error) {
    eprintln!("worker: {error}");
}

fn serve(args: WorkerArgs) -> io::Result<u8> {
    end::with_supervisor()?;
    set_name("spare");
    end::of_faults()?;
    stack::raise()?;
    if let Some(prefix) = args.cgroup {
        // Reported only: the supervisor checks by itself whether the group exists.
        if let Err(error) = cgroup::enter(descriptors::cgroups(args.connections.into()), &prefix) {
            report(&error);
        }
    }
    let (sockets, witness) = sandbox::descriptors::take(args.connections)?;
    // Before any thread starts. V8's default platform has threads that also compile on this thread's core while it is idle.
    deno_core::v8_set_flags(std::iter::once("nano-supervisor").chain(V8_FLAGS).map(Into::into).collect());
    deno_core::JsRuntime::init_platform(None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(NAME_LOOKUPS)
        .build()?;
    runtime.block_on(async {
        let mut connections = Vec::with_capacity(sockets.len());
        for socket in sockets {
            connections.push(Connection::new(UnixStream::from_std(socket)?, Side::Worker));
        }
        Ok(start(connections, witness).await.unwrap_or_else(|error| match error {
            ProtocolError::Io(_) | ProtocolError::Disconnected => exit::ORPHANED,
            error => {
                report(&io::Error::other(error));
                exit::PROTOCOL
            }
        }))
    })
}

async fn start(connections: Vec<(Connection, Handle)>, witness: Witness) -> Result<u8, ProtocolError> {
    let mut connections = connections.into_iter();
    let Some((mut control, control_handle)) = connections.next() else {
        return Err(ProtocolError::Disconnected);
    };
    let hello = handshake(&mut control, &control_handle, Role::Control).await?;
    let (mut requests, mut handles) = (Vec::with_capacity(connections.len()), Vec::new());
    for (number, (mut connection, handle)) in connections.enumerate() {
        handshake(&mut connection, &handle, Role::Requests).await?;
        requests.push((number, connection));
        handles.push(handle);
    }
    let console = Rc::new(Console::new(control_handle.clone()));
    let in_flight = Rc::new(InFlight::new(console.clone()));
    // Before the app is known, so that a spare has done this already.
    let isolate = Isolate::new(hello.heap, in_flight.clone());
    let Control::Load(load) = poll_fn(|cx| poll_control(&mut control, cx)).await? else {
        return Err(ProtocolError::Unexpected("frame before load"));
    };
    set_name(&load.app);
    let calls = Rc::new(Calls::new(control_handle.clone()));
    let engine = match isolate {
        Ok(isolate) => load_app(isolate, &load, witness, &calls, &mut control).await?,
        Err(error) => Err(error.into()),
    };
    let mut engine = match engine {
        Ok(engine) => engine,
        Err(error) => {
            let mut reason = error.to_string();
            // The app decides how long its error is.
            reason.truncate(reason.floor_char_boundary(MAX_ERROR));
            send_loaded(&control_handle, Loaded::Failed(reason))?;
            poll_fn(|cx| control.poll_flush(cx)).await?;
            return Ok(exit::LOAD_FAILED);
        }
    };
    if in_flight.uncaught() > 0 && load.limits.fatal_uncaught {
        let message = "an uncaught error while loading is fatal (`exit_on_unhandled_rejection`)".to_owned();
        console.log(LogRecord { level: LogLevel::Error, request_id: None, request: None, message });
    }
    send_loaded(&control_handle, Loaded::Ready(engine.handlers, std::mem::take(&mut engine.entrypoints)))?;
    let mut stays = Stays::default();
    if load.bindings.iter().any(|(_, kind)| kind.is_fetched()) {
        stays = Stays::open(&handles);
        engine.bindings.connect(handles);
    }
    let fatal_uncaught = load.limits.fatal_uncaught;
    // The manifest of a Workers Site alone may have a megabyte.
    drop(load);
    let event_loop = EventLoop {
        engine,
        in_flight,
        control,
        control_handle,
        calls,
        requests,
        stays,
        fatal_uncaught,
        draining: false,
        arrived: Vec::new(),
    };
    Ok(event_loop.run().await)
}

async fn handshake(connection: &mut Connection, handle: &Handle, role: Role) -> Result<Hello, ProtocolError> {
    let Control::Hello(hello) = poll_fn(|cx| poll_control(connection, cx)).await? else {
        return Err(ProtocolError::Unexpected("frame before hello"));
    };
    if hello.version != PROTOCOL_VERSION || hello.role != role {
        return Err(ProtocolError::Unexpected("hello: wrong version or role"));
    }
    handle.control(&Control::Welcome(Welcome { version: PROTOCOL_VERSION, pid: std::process::id() }))?;
    poll_fn(|cx| connection.poll_flush(cx)).await?;
    Ok(hello)
}

/// Loads the app, and sends log records meanwhile.
async fn load_app(
    isolate: Isolate,
    load: &Load,
    witness: Witness,
    calls: &Rc<Calls>,
    control: &mut Connection,
) -> Result<Result<Engine, LoadError>, ProtocolError> {
    let mut loading = pin!(Engine::load(isolate, load, witness, calls));
    poll_fn(|cx| {
        let polled = loading.as_mut().poll(cx);
        control.poll_write(cx)?;
        polled.map(Ok)
    })
    .await
}

fn send_loaded(control: &Handle, loaded: Loaded) -> Result<(), ProtocolError> {
    control.control(&Control::Loaded(loaded))
}
