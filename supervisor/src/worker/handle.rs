//! Handshake, load, ping, logs, drain: a worker's life over its control connection.

use std::future::pending;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use nano_protocol::limits::PROTOCOL_VERSION;
use nano_protocol::message::{Control, Hello, Load, Loaded, Role, Stats, WorkerLimits};
use nano_protocol::{Connection, Event, Handle, ProtocolError, Side};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::ChildStderr;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::exit_reason::ExitReason;
use super::load;
use super::spawn::{self, Process};
use crate::config::AppSpec;
use crate::log;

/// Longest line taken from a worker's stderr, in bytes.
const MAX_STDERR_LINE: u64 = 8 * 1024;

/// How long a killed process may take to be reaped, and a draining one to say its last words.
const REAP: Duration = Duration::from_secs(5);

/// A running worker process.
#[derive(Debug)]
pub struct Worker {
    /// Process id.
    pub pid: u32,
    process: Process,
    control: Connection,
    handle: Handle,
    /// What the worker last said of itself.
    pub stats: Stats,
    hung_timeout: Duration,
}

/// A worker that is ready, and the connections for the I/O threads.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub worker: Worker,
    /// One per I/O thread, in order; the handshake is done.
    pub requests: Vec<StdUnixStream>,
}

/// A worker that did not become ready.
#[derive(Debug)]
pub struct StartFailure {
    /// Why.
    pub reason: ExitReason,
}

/// What the owner of a worker may ask while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Finish what is in flight, then exit; killed after this long.
    Drain(Duration),
    /// It broke the protocol: kill it.
    Kill(ExitReason),
    /// A request connection has ended, most likely because the worker has: its exit status will say why. If it lives on,
    /// it is of no use.
    Closed,
}

impl Worker {
    /// Starts a process, shakes hands and loads the app, all within the app's start timeout.
    ///
    /// # Errors
    /// [`StartFailure`]; the process is gone by then.
    pub async fn start(spec: &AppSpec, io_threads: usize) -> Result<Started, StartFailure> {
        let failed = |reason| StartFailure { reason };
        let message = load::message(spec).map_err(|text| failed(ExitReason::LoadFailed(text)))?;
        let spawned = spawn::spawn(&spec.name, io_threads)
            .map_err(|error| failed(ExitReason::SpawnFailed(error.to_string())))?;
        let mut process = spawned.process;
        let pid = process.pid;
        if let Some(stderr) = process.stderr() {
            tokio::task::spawn_local(log_stderr(spec.clone(), stderr));
        }
        let prepared = timeout(spec.limits.start_timeout, async {
            let mut requests = Vec::with_capacity(spawned.requests.len());
            let (mut control, handle) = open(spawned.control)?;
            hello(&mut control, &handle, spec, Role::Control).await?;
            for socket in spawned.requests {
                let (mut connection, handle) = open(socket)?;
                hello(&mut connection, &handle, spec, Role::Requests).await?;
                requests.push(connection.into_socket()?);
            }
            let loaded = load_app(&mut control, &handle, spec, message).await?;
            Ok::<_, ProtocolError>((control, handle, requests, loaded))
        })
        .await;
        let reason = match prepared {
            Ok(Ok((control, handle, requests, Loaded::Ready))) => {
                let hung_timeout = spec.limits.hung_timeout;
                let worker = Self { pid, process, control, handle, stats: Stats::default(), hung_timeout };
                return Ok(Started { worker, requests });
            }
            Ok(Ok((.., Loaded::Failed(reason)))) => Some(ExitReason::LoadFailed(reason)),
            // Its own exit code says more than the connection that broke.
            Ok(Err(ProtocolError::Torn | ProtocolError::Io(_))) => None,
            Ok(Err(error)) => Some(ExitReason::Protocol(error.to_string())),
            Err(_) => Some(ExitReason::StartTimeout),
        };
        Err(failed(reap(process, reason).await))
    }

    /// Watches over the worker until it has ended; says why. `orders` are carried out as they come.
    pub async fn watch(
        mut self,
        spec: &AppSpec,
        orders: &mut tokio::sync::mpsc::Receiver<Order>,
        mut on_stats: impl FnMut(Stats),
    ) -> ExitReason {
        let mut pings = interval((self.hung_timeout / 4).max(Duration::from_millis(10)));
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number = 0;
        let mut last_answer = Instant::now();
        let mut is_draining = false;
        // When it is killed at the latest, and what that then means.
        let mut deadline: Option<(Instant, ExitReason)> = None;
        loop {
            let overdue = async {
                match &deadline {
                    Some((at, reason)) => {
                        tokio::time::sleep_until(*at).await;
                        reason.clone()
                    }
                    None => pending().await,
                }
            };
            tokio::select! {
                status = self.process.wait() => {
                    let known = is_draining.then_some(ExitReason::Stopped);
                    self.drain_control(spec).await;
                    return status.map_or_else(
                        |error| ExitReason::SpawnFailed(error.to_string()),
                        |status| ExitReason::from_status(status, known),
                    );
                }
                event = self.control.next() => match event {
                    Ok(Some(Event::Control(Control::Pong(_)))) => last_answer = Instant::now(),
                    Ok(Some(Event::Control(Control::Stats(stats)))) => on_stats(stats),
                    Ok(Some(Event::Control(Control::Log(record)))) => log::app_record(&spec.name, &record),
                    Ok(Some(_)) => {
                        let reason = ExitReason::Protocol("unexpected control frame".into());
                        return reap(self.process, Some(reason)).await;
                    }
                    Ok(None) | Err(ProtocolError::Io(_) | ProtocolError::Torn) => {
                        // It is on its way out; its exit status says why.
                        let known = is_draining.then_some(ExitReason::Stopped);
                        return reap_or_kill(self.process, known).await;
                    }
                    Err(error) => {
                        return reap(self.process, Some(ExitReason::Protocol(error.to_string()))).await;
                    }
                },
                _ = pings.tick() => {
                    if last_answer.elapsed() >= self.hung_timeout {
                        return reap(self.process, Some(ExitReason::Hung)).await;
                    }
                    number += 1;
                    self.send(&Control::Ping(number));
                }
                order = orders.recv() => match order {
                    Some(Order::Drain(limit)) => {
                        self.send(&Control::Drain);
                        is_draining = true;
                        deadline = Some((Instant::now() + limit, ExitReason::Stopped));
                    }
                    Some(Order::Closed) => {
                        let reason = || ExitReason::Protocol("it closed a request connection".into());
                        deadline.get_or_insert_with(|| (Instant::now() + REAP, reason()));
                    }
                    Some(Order::Kill(reason)) => return reap(self.process, Some(reason)).await,
                    None => return reap(self.process, Some(ExitReason::Stopped)).await,
                },
                reason = overdue => return reap(self.process, Some(reason)).await,
            }
        }
    }

    /// Log records that were still on their way when the process ended.
    async fn drain_control(&mut self, spec: &AppSpec) {
        while let Ok(Ok(Some(Event::Control(message)))) = timeout(REAP, self.control.next()).await {
            if let Control::Log(record) = message {
                log::app_record(&spec.name, &record);
            }
        }
    }

    fn send(&self, message: &Control) {
        // Cannot fail: these frames are far below their limits.
        let _ = self.handle.control(message);
    }
}

fn open(socket: StdUnixStream) -> Result<(Connection, Handle), ProtocolError> {
    Ok(Connection::new(UnixStream::from_std(socket)?, Side::Supervisor))
}

async fn hello(
    connection: &mut Connection,
    handle: &Handle,
    spec: &AppSpec,
    role: Role,
) -> Result<(), ProtocolError> {
    handle.control(&Control::Hello(Hello {
        version: PROTOCOL_VERSION,
        app: spec.name.to_string(),
        role,
        limits: WorkerLimits {
            heap: spec.limits.heap,
            watchdog_ms: u64::try_from(spec.limits.watchdog.as_millis()).unwrap_or(u64::MAX),
            fatal_uncaught: spec.fatal_uncaught,
        },
    }))?;
    match connection.next().await? {
        Some(Event::Control(Control::Welcome(welcome)))
            if welcome.version == PROTOCOL_VERSION && welcome.app == spec.name.as_str() =>
        {
            Ok(())
        }
        Some(_) => Err(ProtocolError::Unexpected("answer to hello")),
        None => Err(ProtocolError::Torn),
    }
}

async fn load_app(
    control: &mut Connection,
    handle: &Handle,
    spec: &AppSpec,
    message: Load,
) -> Result<Loaded, ProtocolError> {
    handle.control(&Control::Load(message))?;
    loop {
        match control.next().await? {
            Some(Event::Control(Control::Loaded(loaded))) => return Ok(loaded),
            Some(Event::Control(Control::Log(record))) => log::app_record(&spec.name, &record),
            Some(_) => return Err(ProtocolError::Unexpected("answer to load")),
            None => return Err(ProtocolError::Torn),
        }
    }
}

/// Kills the process unless it has ended, and waits for it.
async fn reap(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    if known.is_some() {
        process.kill();
    }
    reap_or_kill(process, known).await
}

/// Waits for a process that is ending by itself, and kills it if it does not.
async fn reap_or_kill(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    let status = match timeout(REAP, process.wait()).await {
        Ok(status) => status,
        Err(_) => {
            process.kill();
            process.wait().await
        }
    };
    match status {
        Ok(status) => ExitReason::from_status(status, known),
        Err(error) => known.unwrap_or_else(|| ExitReason::SpawnFailed(error.to_string())),
    }
}

/// What V8 or the Rust runtime print when they die, as log lines of the app.
async fn log_stderr(spec: AppSpec, stderr: ChildStderr) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(MAX_STDERR_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => log::worker_stderr(&spec.name, String::from_utf8_lossy(&line).trim_end()),
        }
    }
}
