//! An I/O thread: an event loop with its own listening sockets and its own connection to every worker. A request is
//! handled on the thread that has accepted its connection, from its first byte to the last of its response.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener as StdTcpListener;
use std::rc::Rc;
use std::sync::Arc;

use nano_protocol::{Connection, Incoming, ProtocolError, Side};
use socket2::SockRef;
use tokio::net::{TcpListener, UnixStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::ServerSettings;
use crate::edge::admission::Admission;
use crate::edge::bindings::Caller;
use crate::edge::bindings::directory::Directory;
use crate::edge::closing::{Closer, Closing};
use crate::edge::commands::{NewWorker, Notice, Sent, Table, ThreadCommand, Unavailable};
use crate::edge::descriptors::Descriptors;
use crate::edge::listener::{self, ListenerShared};
use crate::edge::pace::TICK;
use crate::edge::proxy::Proxy;
use crate::edge::proxy::site::Site;
use crate::edge::upstream::Upstream;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::AppId;
use crate::model::ids::ListenerId;
use crate::process::Order;
use crate::process::calls::Calls;
use crate::telemetry::occupancy::ThreadCounts;

/// Unsent bytes that the kernel buffers per connection.
const MAX_UNSENT: u32 = 128 * 1024;

/// How many static files are read at the same time for one I/O thread. Further reads wait.
const FILE_READS: usize = 8;

/// An I/O thread that has not been started, and what it needs.
#[derive(Debug)]
pub(crate) struct IoThread {
    pub index: usize,
    /// Limits and policies until the first table arrives.
    pub settings: ServerSettings,
    /// For how much there are descriptors.
    pub descriptors: Descriptors,
    /// Counts of its connections.
    pub counts: Arc<ThreadCounts>,
    pub commands: mpsc::Receiver<Sent>,
    pub notices: mpsc::Sender<Notice>,
}

impl IoThread {
    /// Runs until the main thread drops its end of the queue. After [`ThreadCommand::Drain`] it accepts no connections.
    ///
    /// # Errors
    /// Fails if the event loop cannot be set up.
    pub(crate) fn run(self) -> io::Result<()> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(FILE_READS)
            .build_local(LocalOptions::default())?;
        runtime.block_on(self.serve())
    }

    async fn serve(mut self) -> io::Result<()> {
        let admission = Rc::new(Admission::new(self.settings, self.descriptors, self.counts));
        tokio::task::spawn_local(sweep(admission.clone()));
        let mut routing = Routing {
            index: self.index,
            admission,
            upstreams: HashMap::new(),
            directory: Rc::default(),
            listeners: HashMap::new(),
            closing: JoinSet::new(),
            notices: self.notices,
        };
        // Dropped when the last connection has ended, which acknowledges the drain.
        let mut draining = None;
        while let Some(Sent { command, done }) = self.commands.recv().await {
            if matches!(command, ThreadCommand::Drain) {
                draining = Some(done);
                break;
            }
            routing.carry_out(command)?;
            drop(done);
        }
        routing.listeners.drain().for_each(|(_, listener)| listener.close(&mut routing.closing));
        routing.directory.drain();
        loop {
            tokio::select! {
                // While draining, a worker that crashes is still replaced, for requests that wait. Lost requests are
                // asked for even after their clients were answered.
                sent = self.commands.recv() => match sent {
                    Some(Sent { command: ThreadCommand::Table { .. } | ThreadCommand::Drain, .. }) => {}
                    // No connection is left that could send requests.
                    Some(Sent { command: ThreadCommand::Attach { .. }, .. }) if draining.is_none() => {}
                    Some(Sent { command, done }) => {
                        routing.carry_out(command)?;
                        drop(done);
                    }
                    None => return Ok(()),
                },
                closed = routing.closing.join_next(), if draining.is_some() => if closed.is_none() {
                    draining = None;
                    // Workers may still call each other, in work that goes on after their last answers.
                    routing.upstreams.values().for_each(|upstream| upstream.unavailable(Unavailable::Stopped));
                },
            }
        }
    }
}

/// The apps and listening addresses of this thread.
struct Routing {
    index: usize,
    admission: Rc<Admission>,
    upstreams: HashMap<AppId, Rc<Upstream>>,
    /// The same apps by name.
    directory: Rc<Directory>,
    listeners: HashMap<ListenerId, OpenListener>,
    /// Listening addresses that are being closed, until their last connection has ended.
    closing: JoinSet<()>,
    notices: mpsc::Sender<Notice>,
}

/// An open listening address.
struct OpenListener {
    proxy: Rc<Proxy>,
    closer: Closer,
}

impl Routing {
    fn carry_out(&mut self, command: ThreadCommand) -> io::Result<()> {
        match command {
            ThreadCommand::Table { table, sockets } => self.reconcile(&table, sockets)?,
            ThreadCommand::Attach { app, spec, worker } => {
                if let Some(upstream) = self.upstreams.get(&app) {
                    upstream.prepare(&spec);
                    attach(upstream, worker, &self.directory, &self.admission, self.notices.clone());
                }
            }
            ThreadCommand::Retire { app, generation } => {
                self.with(app, |upstream| upstream.retire(generation))
            }
            ThreadCommand::Ended { app, generation, fate, lost } => {
                if let Some(upstream) = self.upstreams.get(&app).cloned() {
                    upstream.ended(generation, fate);
                    // The worker's last frames may still be in the socket.
                    tokio::task::spawn_local(async move {
                        let _ = lost.send(upstream.lost_with(generation).await);
                    });
                }
            }
            ThreadCommand::Resting { app, until } => self.with(app, |upstream| upstream.rest(until)),
            ThreadCommand::FilesOnly { app, spec } => self.with(app, |upstream| upstream.files_only(&spec)),
            ThreadCommand::Unavailable { app, why } => self.with(app, |upstream| upstream.unavailable(why)),
            ThreadCommand::Quarantine { app, kinds } => self.with(app, |upstream| upstream.quarantine(kinds)),
            ThreadCommand::Hold { app, generation, holds } => {
                self.with(app, |upstream| upstream.hold(generation, holds));
            }
            ThreadCommand::Suspend { app, kind } => self.with(app, |upstream| upstream.suspend(kind)),
            ThreadCommand::Drain => {}
        }
        Ok(())
    }

    fn with(&self, app: AppId, act: impl FnOnce(&Upstream)) {
        if let Some(upstream) = self.upstreams.get(&app) {
            act(upstream);
        }
    }

    /// Brings apps and listening addresses in line with the table.
    fn reconcile(&mut self, table: &Table, sockets: Vec<(ListenerId, StdTcpListener)>) -> io::Result<()> {
        let settings = Rc::new(ServerSettings::clone(&table.settings));
        self.admission.configure(settings.clone());
        let mut known = std::mem::take(&mut self.upstreams);
        for routed in &table.apps {
            let upstream = known.remove(&routed.app).unwrap_or_else(|| {
                Rc::new(Upstream::new(routed, self.index, self.admission.total(), self.notices.clone()))
            });
            upstream.configure(&routed.spec);
            self.upstreams.insert(routed.app, upstream);
        }
        self.directory.replace(self.upstreams.values());
        // Requests may still wait for a worker of an app that was removed.
        known.into_values().for_each(|upstream| upstream.unavailable(Unavailable::Stopped));

        let mut listeners = std::mem::take(&mut self.listeners);
        let mut sockets: HashMap<_, _> = sockets.into_iter().collect();
        for (id, apps) in &table.listeners {
            let site = Site::new(apps.iter().filter_map(|app| self.upstreams.get(app)));
            if let Some(listener) = listeners.remove(id) {
                listener.proxy.configure(site, settings.clone());
                self.listeners.insert(*id, listener);
            } else if let Some(socket) = sockets.remove(id) {
                self.listeners.insert(*id, self.open(*id, socket, Proxy::new(site, settings.clone()))?);
            }
        }
        listeners.into_values().for_each(|listener| listener.close(&mut self.closing));
        while self.closing.try_join_next().is_some() {}
        Ok(())
    }

    fn open(&self, id: ListenerId, socket: StdTcpListener, proxy: Proxy) -> io::Result<OpenListener> {
        let (proxy, (closer, closing)) = (Rc::new(proxy), Closing::new());
        // Connections inherit this limit. Without it, the kernel buffers megabytes for a client that does not read.
        SockRef::from(&socket).set_tcp_notsent_lowat(MAX_UNSENT)?;
        let listener = TcpListener::from_std(socket)?;
        let connections = self.admission.add_listener(id);
        let shared =
            ListenerShared { proxy: proxy.clone(), admission: self.admission.clone(), connections, closing };
        tokio::task::spawn_local(listener::accept(listener, shared));
        Ok(OpenListener { proxy, closer })
    }
}

impl OpenListener {
    /// Accepts what the kernel has queued, closes the socket, and lets every connection finish its requests.
    fn close(self, closing: &mut JoinSet<()>) {
        closing.spawn_local(self.closer.close());
    }
}

/// Adds a worker, and starts the task that drives its connection.
fn attach(
    upstream: &Rc<Upstream>,
    worker: NewWorker,
    directory: &Rc<Directory>,
    admission: &Rc<Admission>,
    notices: mpsc::Sender<Notice>,
) {
    let NewWorker { generation, replaces, socket, begun, useful } = worker;
    let connected = UnixStream::from_std(socket).map(|socket| {
        let (connection, handle) = Connection::new(socket, Side::Supervisor);
        (connection.witnessed(begun), handle)
    });
    // This fails if the kernel cannot watch one more descriptor. For another worker it may succeed.
    let connection = connected.ok().map(|(connection, handle)| {
        let link = upstream.attach(generation, handle.clone(), useful);
        if let Some(replaced) = replaces {
            upstream.retire(replaced);
        }
        (connection, handle, Caller::new(upstream.clone(), link, directory.clone(), admission.clone()))
    });
    let upstream = upstream.clone();
    tokio::task::spawn_local(async move {
        let order = match connection {
            Some((connection, handle, caller)) => {
                let calls = Calls::new(None, upstream.traffic().clone());
                let order = drive(connection, calls, &caller).await;
                upstream.disconnected(generation);
                match order {
                    // The worker was retired, and has finished its requests.
                    Order::Closed if handle.is_finishing() => return,
                    order => order,
                }
            }
            None => Order::Closed,
        };
        upstream.retire(generation);
        let _ = notices.send(Notice::Fault((upstream.app, generation), order)).await;
    });
}

/// Drives a connection until it ends, and returns what to do about the worker. Other calls than those that `caller` takes are not
/// defined on request connections, and refused.
async fn drive(mut connection: Connection, mut calls: Calls, caller: &Rc<Caller>) -> Order {
    loop {
        // Usually no call is open, and only the connection is polled.
        let incoming = if calls.is_idle() {
            connection.next().await
        } else {
            tokio::select! {
                biased;
                incoming = connection.next() => incoming,
                never = calls.run() => match never {},
            }
        };
        match incoming {
            Ok(Some(Incoming::Stream { head, sender, receiver })) => {
                if let Some((head, sender, receiver)) = caller.opened(head, sender, receiver) {
                    calls.opened(head, sender, receiver);
                }
            }
            Ok(None) | Err(ProtocolError::Io(_) | ProtocolError::Disconnected) => return Order::Closed,
            Ok(Some(Incoming::Control(_))) => {
                let error = ProtocolError::Unexpected("control frame on a request connection");
                return Order::Kill(ExitReason::Protocol(error.to_string()));
            }
            Err(error) => return Order::Kill(ExitReason::Protocol(error.to_string())),
        }
    }
}

/// Calls [`Admission::tick`] once per tick.
async fn sweep(admission: Rc<Admission>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        admission.tick();
    }
}
