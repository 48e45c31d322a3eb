//! The channel for commands to the task of an app, and the commands themselves.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::AppSpec;
use crate::model::change_error::ChangeError;
use crate::process::Started;
use crate::telemetry::log::app::AppLog;

/// How many commands to one app may be queued.
const COMMANDS: usize = 16;

/// The error when the app or the supervisor ends before a command has been carried out.
pub(super) const ENDS: ChangeError = ChangeError::Ending("the app is about to end");

/// Whether the app now has another worker, or why the command failed.
pub(crate) type Outcome = Result<bool, ChangeError>;

/// A command to an app.
#[derive(Debug)]
pub(super) struct AppCommand {
    pub(super) action: Action,
    /// Receives the outcome.
    pub(super) done: oneshot::Sender<Outcome>,
}

/// The queue of commands that an app has not carried out yet.
pub(super) struct AppCommands {
    /// Commands that were peeked at with [`AppCommands::look`], oldest first.
    seen: VecDeque<AppCommand>,
    others: mpsc::Receiver<AppCommand>,
}

impl AppCommands {
    /// Creates an empty queue, and the sender for it.
    pub(super) fn new() -> (mpsc::Sender<AppCommand>, Self) {
        let (sender, others) = mpsc::channel(COMMANDS);
        (sender, Self { seen: VecDeque::new(), others })
    }

    /// Returns the next command. Pends forever when all senders are gone.
    pub(super) async fn next(&mut self) -> AppCommand {
        match self.seen.pop_front() {
            Some(command) => command,
            None => self.come().await,
        }
    }

    /// Waits for the next command that nobody has peeked at, and keeps it in the queue.
    pub(super) async fn look(&mut self) -> &Action {
        if self.seen.len() >= COMMANDS {
            pending::<()>().await;
        }
        let command = self.come().await;
        &self.seen.push_back_mut(command).action
    }

    /// Removes the command that was peeked at last.
    pub(super) fn take_last(&mut self) -> Option<AppCommand> {
        self.seen.pop_back()
    }

    /// Returns the commands that were peeked at and are still queued.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Action> {
        self.seen.iter().map(|command| &command.action)
    }

    async fn come(&mut self) -> AppCommand {
        match self.others.recv().await {
            Some(command) => command,
            None => pending().await,
        }
    }
}

/// The actions that an app can be told to take.
#[derive(Debug)]
pub(crate) enum Action {
    /// Start a worker, if there is none.
    Start,
    /// Stop the worker, and start no other.
    Stop,
    /// Stop the worker, then start another one.
    Restart,
    /// Start another worker, and retire the current one when it is ready.
    Roll,
    /// Apply this configuration. The worker is replaced, as by [`Action::Roll`], if it was started with anything that differs.
    Configure(Arc<AppSpec>),
    /// Continue with this worker in place of the current one, if any.
    Adopt(Box<Adoption>),
    /// Stop the worker, and refuse requests with this error: the app's files cannot be loaded.
    Break(String),
}

/// A worker that is ready and that its app does not know of yet.
#[derive(Debug)]
pub(crate) struct Adoption {
    /// The configuration that it runs with.
    pub spec: Arc<AppSpec>,
    pub started: Started,
    /// When its start began.
    pub begun: Instant,
}

/// How an app begins when its task is spawned.
#[derive(Debug)]
pub(crate) enum First {
    /// It starts a worker.
    Start,
    /// It adopts a worker that is already ready.
    Adopt(Box<Adoption>),
    /// It is stopped, as it was in the predecessor of this supervisor.
    Stopped,
}

/// A handle to the task of an app.
#[derive(Debug)]
pub(crate) struct Lifeline {
    /// The log that the app writes to.
    pub log: Rc<AppLog>,
    commands: mpsc::Sender<AppCommand>,
    ending: watch::Sender<Option<Duration>>,
    /// How often the app was given a configuration.
    turn: Cell<u64>,
    task: RefCell<Option<JoinHandle<()>>>,
}

impl Lifeline {
    pub(super) fn new(
        log: Rc<AppLog>,
        commands: mpsc::Sender<AppCommand>,
        ending: watch::Sender<Option<Duration>>,
        task: JoinHandle<()>,
    ) -> Self {
        Self { log, commands, ending, turn: Cell::new(0), task: RefCell::new(Some(task)) }
    }

    /// Sends a command to the app, and waits until it has been carried out.
    pub(crate) async fn tell(&self, action: Action) -> Outcome {
        if matches!(action, Action::Configure(_) | Action::Adopt(_)) {
            self.turn.set(self.turn.get() + 1);
        }
        let (done, outcome) = oneshot::channel();
        let gone = |_| ENDS;
        let sent = self.commands.send(AppCommand { action, done }).await;
        sent.map_err(|_| ChangeError::Ending("the app has ended"))?;
        outcome.await.map_err(gone)?
    }

    /// Returns how often the app was given a configuration. If the number has changed since a caller read it, its change was
    /// superseded.
    pub(crate) fn turn(&self) -> u64 {
        self.turn.get()
    }

    /// Sends a command to the app without waiting. The command is lost if the queue is full.
    pub(crate) fn hurry(&self, action: Action) {
        let (done, _) = oneshot::channel();
        let _ = self.commands.try_send(AppCommand { action, done });
    }

    /// Ends the app for good. Its workers have this long to finish what is in flight.
    pub(crate) fn end(&self, limit: Duration) {
        self.ending.send_replace(Some(limit));
    }

    /// Waits until the app has ended for good.
    pub(crate) async fn ended(&self) {
        let task = self.task.take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}
