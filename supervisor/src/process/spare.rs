//! Spares: worker processes that are booted ahead of time and have no app yet, so that the next start only has to load the app.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use nano_protocol::limits::PROTOCOL_VERSION;
use nano_protocol::message::{Control, Hello, Role};
use nano_protocol::witness::CONTROL;
use nano_protocol::{Begun, Connection, Handle, Incoming, ProtocolError, Side, Witness};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::ChildStderr;

use super::calls::Calls;
use super::cgroup::Cgroups;
use super::demand::Demand;
use super::output::Output;
use super::spawn::{self, Process};
use crate::model::exit_reason::ExitReason;
use crate::telemetry::log;

/// Longest line that is read from a worker's stderr, in bytes.
const MAX_STDERR_LINE: u64 = 8 * 1024;

/// A worker process that has no app yet.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(super) process: Process,
    pub(super) control: Connection,
    pub(super) handle: Handle,
    /// The request connections: one per I/O thread, in order.
    pub(super) requests: Vec<(Connection, Handle)>,
    pub(super) witness: Arc<Witness>,
    heap: u64,
    has_shaken_hands: bool,
    output: Rc<OnceCell<Rc<Output>>>,
}

impl Spare {
    /// Starts a process that will create an isolate with this heap limit, in bytes.
    fn boot(heap: u64, io_threads: usize, cgroups: &Cgroups) -> std::io::Result<Self> {
        let spawned = spawn::spawn(io_threads, cgroups)?;
        let mut process = spawned.process;
        let output = Rc::new(OnceCell::new());
        if let Some(stderr) = process.stderr() {
            tokio::task::spawn_local(log_stderr(output.clone(), stderr));
        }
        let open = |socket| Ok(Connection::new(UnixStream::from_std(socket)?, Side::Supervisor));
        let (control, handle) = open(spawned.control)?;
        let requests = spawned.requests.into_iter().map(open).collect::<std::io::Result<Vec<_>>>()?;
        let witness = spawned.witness;
        let control = control.witnessed(Begun::from_now(witness.clone(), CONTROL));
        let spare =
            Self { process, control, handle, requests, witness, heap, has_shaken_hands: false, output };
        spare.say_hello().map_err(std::io::Error::other)?;
        Ok(spare)
    }

    /// Sends `Hello` on every connection. [`Spare::shake_hands`] reads the answers.
    fn say_hello(&self) -> Result<(), ProtocolError> {
        let hello = |role| Control::Hello(Hello { version: PROTOCOL_VERSION, role, heap: self.heap });
        self.handle.control(&hello(Role::Control))?;
        self.requests.iter().try_for_each(|(_, handle)| handle.control(&hello(Role::Requests)))
    }

    /// Waits until the process has answered on every connection.
    pub(super) async fn shake_hands(&mut self) -> Result<(), ProtocolError> {
        if self.has_shaken_hands {
            return Ok(());
        }
        welcome(&mut self.control).await?;
        for (connection, _) in &mut self.requests {
            welcome(connection).await?;
        }
        self.has_shaken_hands = true;
        Ok(())
    }

    /// Directs what the process prints to the output of an app.
    pub(super) fn assign(&self, output: &Rc<Output>) {
        let _ = self.output.set(output.clone());
    }
}

async fn welcome(connection: &mut Connection) -> Result<(), ProtocolError> {
    match connection.next().await? {
        Some(Incoming::Control(Control::Welcome(welcome))) if welcome.version == PROTOCOL_VERSION => Ok(()),
        Some(_) => Err(ProtocolError::Unexpected("answer to hello")),
        None => Err(ProtocolError::Disconnected),
    }
}

/// Returns the next control message of a worker that is not serving yet. Meanwhile, log records go to `output` and the worker's
/// calls are answered.
pub(super) async fn next_control(
    control: &mut Connection,
    output: &Output,
    calls: &mut Calls,
) -> Result<Control, ProtocolError> {
    loop {
        let incoming = tokio::select! {
            biased;
            incoming = control.next() => incoming?,
            never = calls.run() => match never {},
        };
        match incoming {
            Some(Incoming::Control(Control::Log(record))) => output.record(&record),
            Some(Incoming::Control(message)) => return Ok(message),
            Some(Incoming::Stream { head, sender, receiver }) => calls.opened(head, sender, receiver),
            None => return Err(ProtocolError::Disconnected),
        }
    }
}

/// Logs what the process writes to stderr, as lines of its app once it has one. V8 and the Rust runtime write there when they
/// abort.
async fn log_stderr(output: Rc<OnceCell<Rc<Output>>>, stderr: ChildStderr) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(MAX_STDERR_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let line = String::from_utf8_lossy(&line);
                match output.get() {
                    Some(output) => output.stderr(line.trim_end()),
                    None => log::worker_stderr(None, line.trim_end()),
                }
            }
        }
    }
}

/// The spares of this supervisor. The heap limit of an isolate is set when it is created, so each limit that an app has needs its
/// own spares.
#[derive(Debug)]
pub(crate) struct Spares {
    io_threads: usize,
    cgroups: Cgroups,
    /// How many spares are configured for each heap limit.
    each: Cell<usize>,
    heaps: RefCell<BTreeSet<u64>>,
    demand: RefCell<Demand>,
    ready: RefCell<Vec<Spare>>,
    /// The supervisor's own addresses, which workers may not connect to.
    closed: RefCell<Vec<SocketAddr>>,
}

impl Spares {
    /// Creates an empty set. Each worker gets one request connection per I/O thread.
    pub(crate) fn new(io_threads: usize, cgroups: Cgroups) -> Self {
        let (heaps, ready, closed) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { io_threads, cgroups, each: Cell::new(0), heaps, demand: RefCell::default(), ready, closed }
    }

    /// Denies this address of the supervisor to every worker that loads an app after this call.
    pub(crate) fn close(&self, own: SocketAddr) {
        self.closed.borrow_mut().push(own);
    }

    pub(super) fn closed(&self) -> Vec<SocketAddr> {
        self.closed.borrow().clone()
    }

    /// Returns the control groups that enforce the limits of workers.
    pub(crate) fn cgroups(&self) -> &Cgroups {
        &self.cgroups
    }

    /// Sets how many spares to keep: `each` for each of these heap limits, in bytes. [`Spares::refill`] starts them.
    pub(crate) fn want(&self, each: usize, heaps: impl IntoIterator<Item = u64>) {
        self.each.set(each);
        *self.heaps.borrow_mut() = heaps.into_iter().collect();
    }

    /// Takes a spare with this heap limit, or starts a process if there is none.
    ///
    /// # Errors
    /// Fails if there is no such spare and no process can be started.
    pub(super) fn take(&self, heap: u64) -> Result<Spare, ExitReason> {
        let mut ready = self.ready.borrow_mut();
        while let Some(at) = ready.iter().position(|spare| spare.heap == heap) {
            let mut spare = ready.remove(at);
            if spare.process.is_running() {
                return Ok(spare);
            }
        }
        drop(ready);
        Spare::boot(heap, self.io_threads, &self.cgroups)
            .map_err(|error| ExitReason::SpawnFailed(error.to_string()))
    }

    /// Records the unexpected exit of a worker with this heap limit. After several at once, more spares are kept for a while.
    pub(crate) fn needed(&self, heap: u64) {
        self.demand.borrow_mut().needed(heap, Instant::now());
    }

    /// Starts the spares that are missing, and ends those that are not wanted.
    pub(crate) fn refill(&self) {
        let (mut ready, heaps) = (self.ready.borrow_mut(), self.heaps.borrow());
        let (mut demand, now) = (self.demand.borrow_mut(), Instant::now());
        let wanted: BTreeMap<_, _> =
            heaps.iter().map(|heap| (*heap, demand.wanted(*heap, self.each.get(), now))).collect();
        let mut found = BTreeMap::<u64, usize>::new();
        ready.retain_mut(|spare| {
            let found = found.entry(spare.heap).or_default();
            let wanted = wanted.get(&spare.heap).copied().unwrap_or_default();
            let is_kept = *found < wanted && spare.process.is_running();
            *found += usize::from(is_kept);
            is_kept
        });
        for (heap, wanted) in wanted {
            for _ in found.get(&heap).copied().unwrap_or_default()..wanted {
                // If this fails, the next start is slower, and reports the error if it fails as well.
                ready.extend(Spare::boot(heap, self.io_threads, &self.cgroups));
            }
        }
    }

    /// Ends all spares.
    pub(crate) fn clear(&self) {
        self.ready.borrow_mut().clear();
    }

    /// Returns the process IDs of the spares.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.ready.borrow().iter().map(|spare| spare.process.pid).collect()
    }
}
