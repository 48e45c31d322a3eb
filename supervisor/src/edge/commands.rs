//! Commands from the main thread to the I/O threads, and notices from them.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use nano_protocol::message::{RequestId, StreamErrorKind};
use nano_protocol::{Begun, Witness};
use tokio::sync::{mpsc, oneshot};

use crate::config::{AppSpec, ServerSettings};
use crate::model::ids::{AppId, ListenerId, WorkerId};
use crate::model::kind::{Kind, Kinds};
use crate::model::lost_request::LostRequest;
use crate::process::Order;
use crate::telemetry::traffic::Traffic;

#[derive(Debug, Clone)]
pub(crate) struct Fate {
    /// For people.
    pub why: Arc<str>,
    /// The request for which JavaScript was interrupted, and by which limit, if that is how. The worker may not have come to say so.
    pub culprit: Option<(RequestId, StreamErrorKind)>,
}

/// Commands queued for one I/O thread at most; the main thread waits while its queue is full.
const QUEUE: usize = 256;

/// Everything that decides which app answers a request: the whole state, not a change.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Limits and policies of the supervisor.
    pub settings: Arc<ServerSettings>,
    /// Every app.
    pub apps: Vec<UpstreamSpec>,
    /// Every listening address, with the apps that share it.
    pub listeners: Vec<(ListenerId, Vec<AppId>)>,
}

/// What an I/O thread makes an upstream from.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamSpec {
    /// The app.
    pub app: AppId,
    /// Its configuration.
    pub spec: Arc<AppSpec>,
    /// What the I/O threads count of it.
    pub traffic: Arc<Traffic>,
}

#[derive(Debug)]
pub(crate) enum ThreadCommand {
    /// Replaces the table.
    Table {
        /// The same for every thread.
        table: Arc<Table>,
        /// This thread's sockets of the addresses that are new.
        sockets: Vec<(ListenerId, TcpListener)>,
    },
    /// A worker is ready: requests for `app` go there, too.
    Attach {
        /// The app.
        app: AppId,
        /// The worker.
        worker: NewWorker,
    },
    /// This worker gets no further requests.
    Retire {
        /// The app.
        app: AppId,
        /// Which of the app's workers.
        generation: u64,
    },
    /// This worker has ended.
    Ended {
        /// The app.
        app: AppId,
        /// Which of the app's workers.
        generation: u64,
        /// How it ended.
        fate: Fate,
        /// Receives the requests that were lost with it, once everything it has sent was read.
        lost: oneshot::Sender<Vec<LostRequest>>,
    },
    /// No further worker is started before this time; requests may wait for it.
    Resting {
        /// The app.
        app: AppId,
        /// When it is started.
        until: Instant,
    },
    /// There will be no worker soon: requests are refused.
    Unavailable {
        /// The app.
        app: AppId,
        /// Why it is not available.
        why: Unavailable,
    },
    /// Requests of these kinds are refused.
    Quarantine {
        /// The app.
        app: AppId,
        /// All kinds that are; replaces those before.
        kinds: Kinds,
    },
    /// A request has ended a worker: others of its kind yield to all other requests for a while.
    Suspend {
        /// The app.
        app: AppId,
        /// The kind of the request.
        kind: Kind,
    },
    /// This worker gets no requests for now, or gets them again. Meanwhile requests go to other workers, or wait for
    /// one.
    Hold {
        /// The app.
        app: AppId,
        /// Which of the app's workers.
        generation: u64,
        holds: bool,
    },
    /// Accept no further connections, and finish requests in flight; done when no connection is left.
    Drain,
}

/// A worker that is ready, for one I/O thread.
#[derive(Debug)]
pub(crate) struct NewWorker {
    /// Which of the app's workers this is.
    pub generation: u64,
    /// The one that gets no further requests from then on, if there is one.
    pub replaces: Option<u64>,
    /// The handshake is done.
    pub socket: UnixStream,
    /// Tells which requests it has begun with.
    pub begun: Begun,
    /// Becomes true when it has answered a request well.
    pub useful: Arc<AtomicBool>,
}

/// Why an app will have no worker soon; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// It does not load.
    NotLoaded(Arc<str>),
    /// It crashes in a loop; the next attempt is at this time.
    CrashLoop(Arc<str>, Instant),
    /// It was stopped, or has ended and is not restarted.
    Stopped,
}

/// From an I/O thread to the main thread, about a worker.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Something is wrong with it; what to do about that.
    Fault(WorkerId, Order),
    /// A request was in flight when it ended.
    Lost(WorkerId, LostRequest),
}

/// A command, and the means to acknowledge it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub command: ThreadCommand,
    /// Dropped when the command has been carried out.
    pub done: oneshot::Sender<()>,
}

/// The main thread's handle to all I/O threads. A call returns when the command has been carried out by every thread
/// that still runs.
#[derive(Debug, Clone)]
pub(crate) struct IoThreads {
    threads: Vec<mpsc::Sender<Sent>>,
}

impl IoThreads {
    /// Queues for this many I/O threads, with their receiving ends.
    pub(crate) fn new(io_threads: usize) -> (Self, Vec<mpsc::Receiver<Sent>>) {
        let (threads, receivers) = (0..io_threads).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self { threads }, receivers)
    }

    pub(crate) fn count(&self) -> usize {
        self.threads.len()
    }

    /// Replaces the table. `sockets` has one list per I/O thread.
    pub(crate) async fn table(&self, table: Table, sockets: Vec<Vec<(ListenerId, TcpListener)>>) {
        let table = Arc::new(table);
        let mut sockets = sockets.into_iter();
        self.tell(|| {
            let sockets = sockets.next().unwrap_or_default();
            Some(ThreadCommand::Table { table: table.clone(), sockets })
        })
        .await;
    }

    /// Hands a worker's connections to the I/O threads, one each. It takes the place of another one, if that is named; `useful`
    /// becomes true when it has answered a request well.
    pub(crate) async fn attach(
        &self,
        (app, generation): WorkerId,
        replaces: Option<u64>,
        sockets: Vec<UnixStream>,
        witness: &Arc<Witness>,
        useful: &Arc<AtomicBool>,
    ) {
        let mut sockets = sockets.into_iter().enumerate();
        self.tell(|| {
            let (number, socket) = sockets.next()?;
            let (begun, useful) = (Begun::from_now(witness.clone(), number), useful.clone());
            let worker = NewWorker { generation, replaces, socket, begun, useful };
            Some(ThreadCommand::Attach { app, worker })
        })
        .await;
    }

    /// Sends a worker no further requests.
    pub(crate) async fn retire(&self, app: AppId, generation: u64) {
        self.tell(|| Some(ThreadCommand::Retire { app, generation })).await;
    }

    /// Says that a worker has ended; returns the requests that were lost with it.
    pub(crate) async fn ended(&self, app: AppId, generation: u64, fate: &Fate) -> Vec<LostRequest> {
        let mut answers = Vec::with_capacity(self.threads.len());
        self.tell(|| {
            let (lost, answer) = oneshot::channel();
            answers.push(answer);
            Some(ThreadCommand::Ended { app, generation, fate: fate.clone(), lost })
        })
        .await;
        let mut lost = Vec::new();
        for answer in answers {
            lost.extend(answer.await.unwrap_or_default());
        }
        lost
    }

    /// Says that the next worker is not started before `until`.
    pub(crate) async fn resting(&self, app: AppId, until: Instant) {
        self.tell(|| Some(ThreadCommand::Resting { app, until })).await;
    }

    /// Refuses such requests of an app, and no others.
    pub(crate) async fn quarantine(&self, app: AppId, kinds: Kinds) {
        self.tell(|| Some(ThreadCommand::Quarantine { app, kinds: kinds.clone() })).await;
    }

    /// Has requests of a kind let others go first for a while.
    pub(crate) async fn suspend(&self, app: AppId, kind: &Kind) {
        self.tell(|| Some(ThreadCommand::Suspend { app, kind: kind.clone() })).await;
    }

    /// Sends a worker no requests for now, or sends them again.
    pub(crate) async fn hold(&self, app: AppId, generation: u64, holds: bool) {
        self.tell(|| Some(ThreadCommand::Hold { app, generation, holds })).await;
    }

    /// Says that waiting for a worker is in vain.
    pub(crate) async fn unavailable(&self, app: AppId, why: Unavailable) {
        self.tell(|| Some(ThreadCommand::Unavailable { app, why: why.clone() })).await;
    }

    /// Has all I/O threads finish what is in flight, and waits until they have.
    pub(crate) async fn drain(&self) {
        self.tell(|| Some(ThreadCommand::Drain)).await;
    }

    async fn tell(&self, mut command: impl FnMut() -> Option<ThreadCommand>) {
        let mut waiting = Vec::with_capacity(self.threads.len());
        for thread in &self.threads {
            let (done, is_done) = oneshot::channel();
            if let Some(command) = command()
                && thread.send(Sent { command, done }).await.is_ok()
            {
                waiting.push(is_done);
            }
        }
        for is_done in waiting {
            // The sender is dropped, so an error is expected.
            let _ = is_done.await;
        }
    }
}
