//! An I/O thread: its own event loop, its own listening sockets, its own connection to every worker. A request that
//! arrives here never leaves this thread on its way to the worker and back.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use nano_protocol::{Connection, ProtocolError, Side};
use tokio::net::{TcpListener, UnixStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, watch};

use crate::client::{TICK, TickLimits};
use crate::config::{AppSpec, ServerSettings};
use crate::listener::{self, Shared};
use crate::proxy::Proxy;
use crate::proxy::site::Site;
use crate::registry::AppIndex;
use crate::routes::{Command, Fault};
use crate::sockets::SharedSocket;
use crate::upstream::{Upstream, Upstreams};
use crate::worker::ExitReason;
use crate::worker::handle::Order;

/// What one I/O thread is made of.
#[derive(Debug)]
pub struct IoThread {
    /// Limits and policies.
    pub settings: Arc<ServerSettings>,
    /// Every app, and its count of requests in flight.
    pub apps: Vec<(Arc<AppSpec>, Arc<AtomicUsize>)>,
    /// This thread's listening sockets.
    pub sockets: Vec<SharedSocket>,
    /// From the main thread.
    pub commands: mpsc::Receiver<Command>,
    /// To the main thread.
    pub faults: mpsc::Sender<Fault>,
}

impl IoThread {
    /// Runs until drained.
    ///
    /// # Errors
    /// If the event loop cannot be set up.
    pub fn run(self) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
        runtime.block_on(self.serve())
    }

    async fn serve(mut self) -> io::Result<()> {
        let upstreams: Upstreams = Rc::new(
            self.apps
                .iter()
                .enumerate()
                .map(|(index, (spec, in_flight))| {
                    Rc::new(Upstream::new(AppIndex(index), spec.clone(), in_flight.clone()))
                })
                .collect(),
        );
        let shared = Rc::new(Shared {
            settings: self.settings.clone(),
            clock: Rc::new(Cell::new(0)),
            open: Cell::new(0),
            max_open: self.settings.max_connections.div_ceil(self.settings.io_threads),
            clients: RefCell::default(),
        });
        let graceful = Rc::new(GracefulShutdown::new());
        let (stop, stopping) = watch::channel(());
        let mut accepting = Vec::with_capacity(self.sockets.len());
        for SharedSocket { apps, socket } in self.sockets.drain(..) {
            let site = Site::new(apps.iter().filter_map(|app| upstreams.get(app.0)));
            let proxy = Rc::new(Proxy { site, settings: self.settings.clone() });
            let listener = TcpListener::from_std(socket)?;
            let watchers = graceful.clone();
            let accept = listener::accept(listener, proxy, shared.clone(), stopping.clone(), move || {
                watchers.watcher()
            });
            accepting.push(tokio::task::spawn_local(accept));
        }
        let sweep = tokio::task::spawn_local(sweep(shared, self.settings.clone()));
        while let Some(command) = self.commands.recv().await {
            match command {
                Command::Attach { app, generation, socket } => {
                    if let Some(upstream) = upstreams.get(app.0) {
                        attach(upstream, generation, socket, self.faults.clone());
                    }
                }
                Command::Detach { app, generation, why } => {
                    if let Some(upstream) = upstreams.get(app.0) {
                        upstream.ended(generation, why);
                    }
                }
                Command::Unavailable { app, why } => {
                    if let Some(upstream) = upstreams.get(app.0) {
                        upstream.unavailable(why);
                    }
                }
                Command::Drain => break,
            }
        }
        // Each takes in what the kernel has accepted for it, and closes its socket.
        drop(stop);
        for task in accepting {
            let _ = task.await;
        }
        sweep.abort();
        let finish = async {
            if let Ok(graceful) = Rc::try_unwrap(graceful) {
                graceful.shutdown().await;
            }
        };
        tokio::pin!(finish);
        loop {
            tokio::select! {
                () = &mut finish => return Ok(()),
                // A worker that crashes now is still replaced, for the requests that wait.
                command = self.commands.recv() => match command {
                    Some(Command::Attach { app, generation, socket }) => {
                        if let Some(upstream) = upstreams.get(app.0) {
                            attach(upstream, generation, socket, self.faults.clone());
                        }
                    }
                    Some(_) => {}
                    None => {
                        finish.await;
                        return Ok(());
                    }
                },
            }
        }
    }
}

/// Starts to drive a worker's connection on this thread.
fn attach(upstream: &Rc<Upstream>, generation: u64, socket: StdUnixStream, faults: mpsc::Sender<Fault>) {
    let drive = match UnixStream::from_std(socket) {
        Ok(socket) => {
            let (connection, handle) = Connection::new(socket, Side::Supervisor);
            upstream.attach(generation, handle);
            Some(drive(connection))
        }
        // The kernel has no room for one more descriptor to watch; another worker may have better luck.
        Err(_) => None,
    };
    let upstream = upstream.clone();
    tokio::task::spawn_local(async move {
        let order = match drive {
            Some(drive) => drive.await,
            None => Order::Closed,
        };
        upstream.detach(generation);
        let _ = faults.send(Fault { app: upstream.app, generation, order }).await;
    });
}

/// Drives a worker's connection to its end: what is to be done about that.
async fn drive(mut connection: Connection) -> Order {
    match connection.next().await {
        Ok(None) | Err(ProtocolError::Io(_) | ProtocolError::Torn) => Order::Closed,
        Ok(Some(_)) => {
            let error = ProtocolError::Unexpected("control frame on a request connection");
            Order::Kill(ExitReason::Protocol(error.to_string()))
        }
        Err(error) => Order::Kill(ExitReason::Protocol(error.to_string())),
    }
}

/// Counts ticks, and closes connections that have been idle or slow for too long.
async fn sweep(shared: Rc<Shared>, settings: Arc<ServerSettings>) {
    let ticks = |limit: Duration| u64::try_from(limit.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX);
    let limits = TickLimits {
        idle: ticks(settings.idle_timeout),
        head: ticks(settings.header_read_timeout),
        send: ticks(settings.send_timeout),
    };
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        shared.clock.set(shared.clock.get() + 1);
        shared.clients.borrow_mut().retain(|client| match client.upgrade() {
            Some(client) => {
                client.sweep(limits);
                true
            }
            None => false,
        });
    }
}
