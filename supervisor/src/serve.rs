//! Runs a supervisor: starts the I/O threads and the apps, reloads on SIGHUP, reopens log files on SIGUSR1, upgrades on
//! SIGUSR2, and drains on SIGTERM or SIGINT.

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::api::changes::Changes;
use crate::api::status::Phase;
use crate::apps::fleet::Fleet;
use crate::apps::inherited::Inherited;
use crate::apps::registry::Registry;
use crate::config::{Config, ServerSettings, Sources};
use crate::edge::commands::IoThreads;
use crate::edge::descriptors;
use crate::edge::io_thread::IoThread;
use crate::ops::admin::AdminListener;
use crate::ops::control::ControlSocket;
use crate::ops::deploy::Available;
use crate::ops::dev;
use crate::ops::operator::Operator;
use crate::ops::systemd;
use crate::ops::upgrade::{self, Invocation, Predecessor};
use crate::process::orphans;
use crate::telemetry::log::{self, Logs};
use crate::telemetry::occupancy::Occupancy;

/// Capacity of the channel from the I/O threads to the main thread.
const NOTICES: usize = 256;

/// The reason that is logged for a drain after an upgrade, in place of a signal's name.
const UPGRADE: &str = "upgrade";

/// How long after the drain deadline killed workers may take to be reaped.
const LAST_REAP: Duration = Duration::from_secs(2);

/// How long the export of the last spans may take; part of `LAST_REAP`.
const FLUSH: Duration = Duration::from_millis(1500);

/// What a supervisor is started with.
#[derive(Debug)]
pub(crate) struct Start {
    /// Where the configuration came from, for a reload.
    pub sources: Sources,
    /// The deploys in the configuration.
    pub deploys: Available,
    /// Whether the first app is reloaded when its files change.
    pub is_watched: bool,
    /// Sockets and state from systemd or from the supervisor that this one replaces.
    pub inherited: Inherited,
    /// How to start a successor at an upgrade.
    pub invocation: Invocation,
}

/// Serves until a signal or an upgrade ends it. Returns the exit code: 0 after a drain, 128 + signal after a second signal.
///
/// # Errors
/// If it cannot start, such as when an address is in use, or if an I/O thread ends by itself.
pub(crate) async fn serve(config: Config, start: Start, logs: &Logs) -> io::Result<u8> {
    let Start { sources, deploys, is_watched, inherited, invocation } = start;
    let mut signals = ServeSignals::listen()?;
    let descriptors = descriptors::prepare(&config);
    let settings = config.server.clone();
    let (io_threads, commands) = IoThreads::new(settings.io_threads);
    let (notices, mut noticed) = mpsc::channel(NOTICES);
    // A successor opens them when it takes over: until then they belong to its predecessor.
    let control =
        if inherited.is_successor() { None } else { Some(ControlListeners::open(&settings, None)?) };
    let (ended, mut ends) = mpsc::channel(settings.io_threads);
    let occupancy = Occupancy::new(settings.io_threads);
    for (index, commands) in commands.into_iter().enumerate() {
        let io_thread = IoThread {
            index,
            settings: settings.clone(),
            descriptors,
            counts: occupancy.of_thread(index),
            commands,
            notices: notices.clone(),
        };
        start_thread(index, io_thread, ended.clone())?;
    }
    // The state folder of another supervisor is not ours.
    let state = deploys.as_ref().ok().and(settings.state_dir.as_ref()).map(|state| state.path.clone());
    let fleet = Rc::new(Fleet::new(
        settings.clone(),
        Registry::default(),
        io_threads.clone(),
        occupancy,
        inherited,
        state,
    ));
    // Workers must not connect to the supervisor's own addresses, so these are closed to them before the first one starts.
    // The workers of a successor start before it opens its own listeners, which is why the configured address counts too.
    let configured = settings.admin.as_ref().map(|admin| admin.address).filter(|address| address.port() != 0);
    let own =
        [configured, control.as_ref().and_then(ControlListeners::address), fleet.inherited().admin_address()];
    own.into_iter().flatten().for_each(|own| fleet.spares().close(own));
    let followed =
        config.apps.first().filter(|_| is_watched).map(|app| (app.name.to_string(), app.root.clone()));
    // These are the first commands that the I/O threads get.
    let (Changes { notes, .. }, _) = fleet.apply(config).await?;
    if fleet.is_all_broken() {
        error!("no app can be run as it is configured; each is tried again, and at a reload");
    }
    notes.iter().for_each(|note| warn!("{note}"));
    if fleet.registry().states().is_empty() {
        info!("no apps yet: deploy one with: nano-supervisor deploy NAME FOLDER --port PORT");
    }
    fleet.inherited().close_rest();
    let operator =
        Rc::new(Operator::new(fleet.clone(), sources, deploys, invocation, logs.dropped().clone()));
    if let Some((app, root)) = followed {
        tokio::task::spawn_local(dev::watch(operator.clone(), app, root));
    }
    let tidy = operator.clone();
    tokio::task::spawn_local(async move { tidy.keep_deleting_unused().await });
    let mender = operator.clone();
    tokio::task::spawn_local(async move { mender.keep_retrying().await });
    let (mut taking_over, mut has_taken_over) = (Box::pin(take_over(fleet.clone())), false);
    match control {
        Some(control) => {
            control.serve(&operator);
            fleet.schedule().turn(true);
            tokio::task::spawn_local(say_ready(fleet.clone(), operator.clone()));
        }
        None => info!("waiting for every app, to take over from the supervisor before this one"),
    }
    tokio::task::spawn_local(orphans::reap());
    let watched = fleet.clone();
    tokio::task::spawn_local(async move { watched.look_after().await });

    let first = loop {
        tokio::select! {
            signal = signals.next() => match signal {
                // In its own task: a second signal must not wait for it.
                SignalAction::Reload => drop(tokio::task::spawn_local(reload(operator.clone()))),
                SignalAction::Upgrade => drop(tokio::task::spawn_local(upgrade(operator.clone()))),
                SignalAction::Reopen => log::reopen(),
                SignalAction::End(name, number) => break (name, number),
            },
            () = operator.handed_over() => break (UPGRADE, 0),
            taken = &mut taking_over, if !has_taken_over => {
                has_taken_over = true;
                let predecessor = taken?;
                match ControlListeners::open(&settings, Some(&fleet)) {
                    Ok(control) => control.serve(&operator),
                    // Not fatal: the predecessor no longer accepts clients.
                    Err(error) => error!(%error, "operators cannot reach this supervisor"),
                }
                operator.enter(Phase::Serving);
                fleet.schedule().turn(true);
                predecessor.confirm();
                systemd::ready();
                info!("taken over from the supervisor before this one");
            }
            Some(notice) = noticed.recv() => fleet.notice(notice),
            // Without one of its I/O threads, the supervisor cannot serve every connection. Ending lets its parent restart it.
            Some(result) = ends.recv() => {
                return Err(result.err().unwrap_or_else(|| io::Error::other("an I/O thread has ended by itself")));
            }
        }
    };
    operator.enter(Phase::Draining);
    fleet.schedule().turn(false);
    let limit = fleet.drain_timeout();
    if first.0 != UPGRADE {
        systemd::stopping();
    }
    fleet.release_sockets();
    info!(signal = first.0, drain_timeout_ms = limit.as_millis() as u64, "draining");
    let drain = drain(&io_threads, ends, &fleet, limit);
    let second = async {
        loop {
            match signals.next().await {
                SignalAction::End(name, number) => return (name, number),
                SignalAction::Reopen => log::reopen(),
                SignalAction::Reload | SignalAction::Upgrade => {}
            }
        }
    };
    let notices = async {
        while let Some(notice) = noticed.recv().await {
            fleet.notice(notice);
        }
        std::future::pending::<()>().await;
    };
    let code = tokio::select! {
        clean = drain => {
            if clean { info!("drained"); } else { warn!("drain deadline passed: what was still in flight is cut"); }
            0
        }
        (name, number) = second => {
            warn!(signal = name, "second signal: ending at once");
            128 + number
        }
        () = notices => 0,
    };
    let lines = logs.dropped().lines();
    if lines > 0 {
        warn!(lines, "log lines were dropped: they came faster than they could be written");
    }
    Ok(code)
}

async fn reload(operator: Rc<Operator>) {
    // The operator logs the outcome.
    let _ = operator.reload().await;
}

async fn upgrade(operator: Rc<Operator>) {
    let _ = operator.upgrade().await;
}

/// Reports readiness to systemd once a start of every app was tried.
async fn say_ready(fleet: Rc<Fleet>, operator: Rc<Operator>) {
    fleet.tried().await;
    if operator.phase() == Phase::Starting {
        operator.enter(Phase::Serving);
    }
    systemd::ready();
}

/// Takes over from the predecessor. Never completes if there is none.
async fn take_over(fleet: Rc<Fleet>) -> io::Result<Predecessor> {
    match fleet.inherited().predecessor() {
        Some(talk) => {
            let predecessor = upgrade::take_over(&fleet, talk).await?;
            fleet.inherited().forget_predecessor();
            Ok(predecessor)
        }
        None => std::future::pending().await,
    }
}

/// The listeners for operators.
struct ControlListeners {
    control: Option<ControlSocket>,
    admin: Option<AdminListener>,
}

impl ControlListeners {
    fn open(settings: &ServerSettings, taken_over: Option<&Fleet>) -> io::Result<Self> {
        let control = ControlSocket::open(&settings.control, taken_over.is_some())?;
        let address = settings.admin.as_ref().map(|admin| admin.address);
        let inherited = taken_over.map(Fleet::inherited).zip(address);
        let bound = inherited.and_then(|(inherited, address)| inherited.claim_admin(address));
        Ok(Self { control, admin: AdminListener::bind(settings, bound)? })
    }

    /// The address of the admin listener, to which no app may connect.
    fn address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|admin| admin.address().ok())
    }

    fn serve(self, operator: &Rc<Operator>) {
        if let Some(control) = self.control {
            tokio::task::spawn_local(control.serve(operator.clone()));
        }
        if let Some(admin) = self.admin {
            operator.keep_admin(admin.socket().ok());
            tokio::task::spawn_local(admin.serve(operator.clone()));
        }
    }
}

/// Drains the I/O threads, then the workers, so that requests in flight can still be answered. Returns whether both ended
/// within `limit`.
async fn drain(
    io_threads: &IoThreads,
    mut ends: mpsc::Receiver<io::Result<()>>,
    fleet: &Fleet,
    limit: Duration,
) -> bool {
    let begun = Instant::now();
    let clean = tokio::time::timeout(limit, io_threads.drain()).await.is_ok();
    while let Ok(ended) = ends.try_recv() {
        if let Err(error) = ended {
            error!(%error, "I/O thread");
        }
    }
    let left = limit.saturating_sub(begun.elapsed());
    // No request is left, so every span was recorded.
    let rest = async { tokio::join!(fleet.end(left), fleet.exporter().flush(FLUSH)) };
    tokio::time::timeout(left + LAST_REAP, rest).await.is_ok() && clean
}

/// Starts an I/O thread. It sends its result to `ended`; a panic is an error.
fn start_thread(index: usize, io_thread: IoThread, ended: mpsc::Sender<io::Result<()>>) -> io::Result<()> {
    thread::Builder::new().name(format!("io-{index}")).spawn(move || {
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| io_thread.run()));
        let _ =
            ended.blocking_send(result.unwrap_or_else(|_| Err(io::Error::other("an I/O thread panicked"))));
    })?;
    Ok(())
}

/// The signals that a supervisor handles.
struct ServeSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user2: Signal,
    user1: Signal,
}

/// What a signal asks for.
enum SignalAction {
    /// Read the configuration again (SIGHUP).
    Reload,
    /// Hand over to a successor that runs the executable now on disk (SIGUSR2).
    Upgrade,
    /// Reopen the log files, which were rotated (SIGUSR1).
    Reopen,
    /// Drain and exit; name and number of the signal.
    End(&'static str, u8),
}

impl ServeSignals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user2: signal(SignalKind::user_defined2())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.terminate.recv() => SignalAction::End("SIGTERM", 15),
            _ = self.interrupt.recv() => SignalAction::End("SIGINT", 2),
            _ = self.hangup.recv() => SignalAction::Reload,
            _ = self.user2.recv() => SignalAction::Upgrade,
            _ = self.user1.recv() => SignalAction::Reopen,
        }
    }
}
