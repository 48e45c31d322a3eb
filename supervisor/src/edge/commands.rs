//! Commands from the main thread to the I/O threads, and notices from the I/O threads.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use nano_protocol::message::StreamErrorKind;
use nano_protocol::{Begun, Witness};
use tokio::sync::{mpsc, oneshot};

use crate::config::{AppSpec, ServerSettings};
use crate::model::culprit::Culprit;
use crate::model::ids::{AppId, ListenerId, WorkerId};
use crate::model::kind::{Kind, Kinds};
use crate::model::lost_request::LostRequest;
use crate::process::Order;
use crate::telemetry::traffic::Traffic;

#[derive(Debug, Clone)]
pub(crate) struct Fate {
    /// Why it ended, for people.
    pub why: Arc<str>,
    /// The request whose JavaScript was interrupted and the limit that interrupted it, if that is why the worker ended. The
    /// worker may have ended before it could report this itself.
    pub culprit: Option<(Arc<Culprit>, StreamErrorKind)>,
}

/// How many commands may be queued for one I/O thread. The main thread waits while the queue is full.
const QUEUE: usize = 256;

/// Everything that decides which app answers a request. It is the whole state, not a change.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub settings: Arc<ServerSettings>,
    pub apps: Vec<UpstreamSpec>,
    /// Every listening address, with the apps that share it.
    pub listeners: Vec<(ListenerId, Vec<AppId>)>,
}

/// The description from which an I/O thread creates an upstream.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamSpec {
    pub app: AppId,
    pub spec: Arc<AppSpec>,
    pub traffic: Arc<Traffic>,
}

#[derive(Debug)]
pub(crate) enum ThreadCommand {
    /// Replaces the table.
    Table {
        /// The table, which is the same for every thread.
        table: Arc<Table>,
        /// This thread's sockets for the addresses that are new.
        sockets: Vec<(ListenerId, TcpListener)>,
    },
    /// Adds a worker that is ready: requests for `app` may be sent to it.
    Attach {
        app: AppId,
        /// The configuration that the worker was started with. It takes effect with the first request that the worker gets, so
        /// that code and static files change together.
        spec: Arc<AppSpec>,
        /// The worker, for this thread.
        worker: NewWorker,
    },
    /// Stops sending requests to this worker.
    Retire {
        app: AppId,
        /// Which of the app's workers.
        generation: u64,
    },
    /// Reports that this worker has ended.
    Ended {
        app: AppId,
        /// Which of the app's workers.
        generation: u64,
        fate: Fate,
        /// Receives the requests that were lost with the worker, once everything that it sent was read.
        lost: oneshot::Sender<Vec<LostRequest>>,
    },
    /// Reports that no worker is started before `until`. Requests may wait for it.
    Resting {
        app: AppId,
        /// The earliest time of the next start.
        until: Instant,
    },
    /// Refuses requests, because no worker will be ready soon.
    Unavailable {
        app: AppId,
        /// The reason, which decides what clients get.
        why: Unavailable,
    },
    /// Answers requests with static files alone, by a configuration without code.
    FilesOnly { app: AppId, spec: Arc<AppSpec> },
    /// Refuses requests of these kinds.
    Quarantine {
        app: AppId,
        /// All quarantined kinds of the app. They replace those of earlier commands.
        kinds: Kinds,
    },
    /// Reports that a request has ended a worker. For a while, other requests of its kind yield to all others.
    Suspend {
        app: AppId,
        /// The kind of the request that ended the worker.
        kind: Kind,
    },
    /// Pauses or resumes sending requests to this worker. Meanwhile requests go to other workers, or wait for one.
    Hold {
        app: AppId,
        /// Which of the app's workers.
        generation: u64,
        holds: bool,
    },
    /// Accepts no further connections, and finishes requests in flight. Done when no connection is left.
    Drain,
}

/// A worker that is ready, for one I/O thread.
#[derive(Debug)]
pub(crate) struct NewWorker {
    /// Which of the app's workers this is.
    pub generation: u64,
    /// The worker that it replaces, if any, which gets no further requests.
    pub replaces: Option<u64>,
    /// The connection to it, after the handshake.
    pub socket: UnixStream,
    /// Reports which requests the worker has begun.
    pub begun: Begun,
    /// Becomes true once the worker has answered a request successfully.
    pub useful: Arc<AtomicBool>,
}

/// Why an app will have no worker soon. The texts are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// The app does not load.
    NotLoaded(Arc<str>),
    /// The app crashes in a loop. The next attempt is at this time.
    CrashLoop(Arc<str>, Instant),
    /// The app was stopped, or its worker has ended and is not restarted.
    Stopped,
}

/// A message from an I/O thread to the main thread, about a worker.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Something is wrong with the worker. The order says what to do.
    Fault(WorkerId, Order),
    /// A request was in flight when the worker ended.
    Lost(WorkerId, LostRequest),
}

/// A command, and a channel to acknowledge it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub command: ThreadCommand,
    /// Dropped when the command has been carried out.
    pub done: oneshot::Sender<()>,
}

/// The main thread's handle to all I/O threads. Its methods return when every I/O thread that is still running has carried out
/// the command.
#[derive(Debug, Clone)]
pub(crate) struct IoThreads {
    threads: Vec<mpsc::Sender<Sent>>,
}

impl IoThreads {
    /// Creates queues for this many I/O threads. Returns their receiving ends as well.
    pub(crate) fn new(io_threads: usize) -> (Self, Vec<mpsc::Receiver<Sent>>) {
        let (threads, receivers) = (0..io_threads).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self { threads }, receivers)
    }

    pub(crate) fn count(&self) -> usize {
        self.threads.len()
    }

    /// Replaces the table. `sockets` contains one list per I/O thread.
    pub(crate) async fn table(&self, table: Table, sockets: Vec<Vec<(ListenerId, TcpListener)>>) {
        let table = Arc::new(table);
        let mut sockets = sockets.into_iter();
        self.tell(|| {
            let sockets = sockets.next().unwrap_or_default();
            Some(ThreadCommand::Table { table: table.clone(), sockets })
        })
        .await;
    }

    /// Passes a worker's connections to the I/O threads, one each, with the configuration that it was started with. If `replaces`
    /// names another worker, this one takes its place. `useful` becomes true once the worker has answered a request successfully.
    pub(crate) async fn attach(
        &self,
        (app, generation): WorkerId,
        spec: &Arc<AppSpec>,
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
            Some(ThreadCommand::Attach { app, spec: spec.clone(), worker })
        })
        .await;
    }

    /// Stops sending requests to a worker.
    pub(crate) async fn retire(&self, app: AppId, generation: u64) {
        self.tell(|| Some(ThreadCommand::Retire { app, generation })).await;
    }

    /// Reports that a worker has ended, and returns the requests that were lost with it.
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

    /// Reports that the next worker is not started before `until`.
    pub(crate) async fn resting(&self, app: AppId, until: Instant) {
        self.tell(|| Some(ThreadCommand::Resting { app, until })).await;
    }

    /// Refuses requests of these kinds of an app, and of no others.
    pub(crate) async fn quarantine(&self, app: AppId, kinds: Kinds) {
        self.tell(|| Some(ThreadCommand::Quarantine { app, kinds: kinds.clone() })).await;
    }

    /// Makes requests of a kind yield to others for a while.
    pub(crate) async fn suspend(&self, app: AppId, kind: &Kind) {
        self.tell(|| Some(ThreadCommand::Suspend { app, kind: kind.clone() })).await;
    }

    /// Pauses or resumes sending requests to a worker.
    pub(crate) async fn hold(&self, app: AppId, generation: u64, holds: bool) {
        self.tell(|| Some(ThreadCommand::Hold { app, generation, holds })).await;
    }

    /// Reports that the app will have no worker soon.
    pub(crate) async fn unavailable(&self, app: AppId, why: Unavailable) {
        self.tell(|| Some(ThreadCommand::Unavailable { app, why: why.clone() })).await;
    }

    /// Answers an app's requests with static files alone. Requests that its workers have are finished.
    pub(crate) async fn files_only(&self, app: AppId, spec: &Arc<AppSpec>) {
        self.tell(|| Some(ThreadCommand::FilesOnly { app, spec: spec.clone() })).await;
    }

    /// Makes all I/O threads finish what is in flight, and waits until they have.
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
