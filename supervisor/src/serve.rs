//! `serve`: binds, starts the I/O threads and the apps, and drains on a signal.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use crate::config::{AppSpec, Config};
use crate::control::ControlSocket;
use crate::io_thread::IoThread;
use crate::lifecycle::{Lifecycle, Orders};
use crate::log::Logs;
use crate::orphans;
use crate::registry::{AppIndex, Registry};
use crate::routes::{Fault, Routes};
use crate::sockets;

/// Faults that may wait for the main thread.
const FAULTS: usize = 64;

/// Time after the drain deadline in which killed workers are reaped.
const LAST_REAP: Duration = Duration::from_secs(2);

/// Serves until told to end. Returns the exit code: 0 after a drain, 128 + signal after a second signal.
///
/// # Errors
/// If it cannot start: an address in use, no threads.
pub async fn serve(config: Config, logs: &Logs) -> io::Result<u8> {
    let mut signals = Signals::listen()?;
    raise_descriptor_limit();
    let settings = Arc::new(config.server);
    let specs: Vec<Arc<AppSpec>> = config.apps.into_iter().map(Arc::new).collect();
    let io_threads = settings.io_threads;
    let (routes, commands) = Routes::new(io_threads);
    let (faults, mut faulted) = mpsc::channel(FAULTS);
    let counted: Vec<_> = specs.iter().map(|spec| (spec.clone(), Arc::new(AtomicUsize::new(0)))).collect();
    let registry = Registry::new(&counted);
    let control = settings.control.as_deref().map(ControlSocket::bind).transpose()?;
    let sockets = sockets::bind(&specs, io_threads, &registry)?;
    warn_of(&specs);

    let (ended, mut ends) = mpsc::channel(io_threads);
    for (index, (commands, sockets)) in commands.into_iter().zip(sockets).enumerate() {
        let io_thread = IoThread {
            settings: settings.clone(),
            apps: counted.clone(),
            sockets,
            commands,
            faults: faults.clone(),
        };
        start_thread(index, io_thread, ended.clone())?;
    }

    if let Some(control) = control {
        tokio::task::spawn_local(control.serve(registry.clone()));
    }
    tokio::task::spawn_local(orphans::reap());
    let (end, ending) = watch::channel(None);
    let mut orders = Vec::with_capacity(specs.len());
    let mut lives = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        let order: Orders = Orders::default();
        orders.push(order.clone());
        let lifecycle = Lifecycle {
            app: AppIndex(index),
            spec: spec.clone(),
            registry: registry.clone(),
            routes: routes.clone(),
            io_threads,
            orders: order,
            ending: ending.clone(),
        };
        lives.push(tokio::task::spawn_local(lifecycle.run()));
    }

    let first = loop {
        tokio::select! {
            name = signals.next() => break name,
            Some(fault) = faulted.recv() => carry_out(&orders, fault),
            // Without one of them nobody can be sure to be served; whoever started us can start us again.
            Some(result) = ends.recv() => {
                return Err(result.err().unwrap_or_else(|| io::Error::other("an I/O thread has ended by itself")));
            }
        }
    };
    info!(signal = first.0, drain_timeout_ms = settings.drain_timeout.as_millis() as u64, "draining");
    let drain = drain(&routes, ends, lives, &end, settings.drain_timeout);
    let code = tokio::select! {
        clean = drain => {
            if clean { info!("drained"); } else { warn!("drain deadline passed: what was still in flight is cut"); }
            0
        }
        second = signals.next() => {
            warn!(signal = second.0, "second signal: ending at once");
            128 + second.1
        }
    };
    if logs.dropped() > 0 {
        warn!(lines = logs.dropped(), "log lines were dropped: they came faster than they could be written");
    }
    Ok(code)
}

/// What the operator should know, once per start.
fn warn_of(specs: &[Arc<AppSpec>]) {
    for spec in specs {
        for warning in &spec.warnings {
            warn!(app = %spec.name, "{warning}");
        }
    }
    let is_exposed = |spec: &&Arc<AppSpec>| {
        spec.development && spec.listen.host.is_none_or(|host| !host.to_canonical().is_loopback())
    };
    let exposed: Vec<_> = specs.iter().filter(is_exposed).map(|spec| spec.name.as_str()).collect();
    if !exposed.is_empty() {
        let apps = exposed.join(",");
        warn!(
            apps,
            "development mode shows errors and source code to everyone who can connect, and not only this machine can"
        );
    }
}

/// First the clients, then the workers: what is in flight can still be answered.
async fn drain(
    routes: &Routes,
    mut ends: mpsc::Receiver<io::Result<()>>,
    lives: Vec<JoinHandle<()>>,
    end: &watch::Sender<Option<Duration>>,
    limit: Duration,
) -> bool {
    let begun = Instant::now();
    routes.drain().await;
    let clients = async {
        for _ in 0..ends.max_capacity() {
            if let Some(Err(error)) = ends.recv().await {
                error!(%error, "I/O thread");
            }
        }
    };
    let clean = tokio::time::timeout(limit, clients).await.is_ok();
    let left = limit.saturating_sub(begun.elapsed());
    let _ = end.send(Some(left));
    let workers = async {
        for life in lives {
            let _ = life.await;
        }
    };
    tokio::time::timeout(left + LAST_REAP, workers).await.is_ok() && clean
}

/// Starts an I/O thread, which reports its end, a panic included.
fn start_thread(index: usize, io_thread: IoThread, ended: mpsc::Sender<io::Result<()>>) -> io::Result<()> {
    thread::Builder::new().name(format!("io-{index}")).spawn(move || {
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| io_thread.run()));
        let _ =
            ended.blocking_send(result.unwrap_or_else(|_| Err(io::Error::other("an I/O thread panicked"))));
    })?;
    Ok(())
}

/// Passes an order on to the worker it is about, if that still runs.
fn carry_out(orders: &[Orders], fault: Fault) {
    let Some(orders) = orders.get(fault.app.0) else { return };
    if let Some((generation, sender)) = &*orders.borrow()
        && *generation == fault.generation
    {
        // A full queue holds an order to kill it already.
        let _ = sender.try_send(fault.order);
    }
}

/// Every client takes a descriptor, and the soft limit that shells set is a relic of select().
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        warn!(%error, "cannot raise the limit of open descriptors");
    }
}

/// The signals that end a supervisor.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Name and number of the next one.
    async fn next(&mut self) -> (&'static str, u8) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 15),
            _ = self.interrupt.recv() => ("SIGINT", 2),
        }
    }
}
