//! `serve`: binds, starts the I/O threads and the apps, and drains on a signal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
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

    let mut finished = Vec::with_capacity(io_threads);
    for (commands, sockets) in commands.into_iter().zip(sockets) {
        let io_thread = IoThread {
            settings: settings.clone(),
            apps: counted.clone(),
            sockets,
            commands,
            faults: faults.clone(),
        };
        finished.push(start_thread(finished.len(), io_thread)?);
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
        }
    };
    info!(signal = first.0, drain_timeout_ms = settings.drain_timeout.as_millis() as u64, "draining");
    let drain = drain(&routes, finished, lives, &end, settings.drain_timeout);
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

/// First the clients, then the workers: what is in flight can still be answered.
async fn drain(
    routes: &Routes,
    finished: Vec<oneshot::Receiver<io::Result<()>>>,
    lives: Vec<JoinHandle<()>>,
    end: &watch::Sender<Option<Duration>>,
    limit: Duration,
) -> bool {
    let begun = Instant::now();
    routes.drain().await;
    let clients = async {
        for thread in finished {
            if let Ok(Err(error)) = thread.await {
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

fn start_thread(index: usize, io_thread: IoThread) -> io::Result<oneshot::Receiver<io::Result<()>>> {
    let (done, finished) = oneshot::channel();
    thread::Builder::new().name(format!("io-{index}")).spawn(move || {
        let _ = done.send(io_thread.run());
    })?;
    Ok(finished)
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
