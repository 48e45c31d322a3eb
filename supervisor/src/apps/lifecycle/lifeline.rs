//! The way to tell an app what to do, and what it can be told.

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

/// Commands to one app that may wait to be carried out.
const COMMANDS: usize = 16;

/// Why nothing comes of what was asked for when the app, or the supervisor, ends meanwhile.
pub(super) const ENDS: ChangeError = ChangeError::Ending("the app is about to end");

/// Whether the app has another worker now; if that did not work, why.
pub(crate) type Outcome = Result<bool, ChangeError>;

/// What an app is told to do.
#[derive(Debug)]
pub(super) struct AppCommand {
    /// What to do.
    pub(super) action: Action,
    /// Told when it is done.
    pub(super) done: oneshot::Sender<Outcome>,
}

/// What an app has been told to do, and has not done.
pub(super) struct AppCommands {
    /// Those that were looked at, oldest first.
    seen: VecDeque<AppCommand>,
    others: mpsc::Receiver<AppCommand>,
}

impl AppCommands {
    /// None yet, and the way for them to come.
    pub(super) fn new() -> (mpsc::Sender<AppCommand>, Self) {
        let (sender, others) = mpsc::channel(COMMANDS);
        (sender, Self { seen: VecDeque::new(), others })
    }

    /// The next one; never comes when there can be none any more.
    pub(super) async fn next(&mut self) -> AppCommand {
        match self.seen.pop_front() {
            Some(command) => command,
            None => self.come().await,
        }
    }

    /// Waits for one that nobody has looked at, which is to be carried out later.
    pub(super) async fn look(&mut self) -> &Action {
        if self.seen.len() >= COMMANDS {
            pending::<()>().await;
        }
        let command = self.come().await;
        &self.seen.push_back_mut(command).action
    }

    /// Takes back what was looked at last.
    pub(super) fn take_last(&mut self) -> Option<AppCommand> {
        self.seen.pop_back()
    }

    /// What was looked at, and waits to be carried out.
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

/// What an app can be told to do.
#[derive(Debug)]
pub(crate) enum Action {
    /// Have a worker.
    Start,
    /// Have none.
    Stop,
    /// End the worker, and start another one.
    Restart,
    /// Start another worker, and end this one when that is ready.
    Roll,
    /// Live by this configuration; the worker is replaced, as by [`Action::Roll`], if it was told anything else.
    Configure(Arc<AppSpec>),
    /// Go on with this worker, whatever there was before it.
    Adopt(Box<Adoption>),
    /// Have no worker, and refuse requests with this: what is to be loaded cannot be.
    Break(String),
}

/// A worker that is ready and that its app does not know yet.
#[derive(Debug)]
pub(crate) struct Adoption {
    /// The configuration that it lives by.
    pub spec: Arc<AppSpec>,
    /// The worker.
    pub started: Started,
    /// When its start began.
    pub begun: Instant,
}

/// How an app begins.
#[derive(Debug)]
pub(crate) enum First {
    /// By starting a worker.
    Start,
    /// With a worker that is ready already.
    Adopt(Box<Adoption>),
    /// Stopped, as it was in the supervisor before this one.
    Stopped,
}

/// The way to tell an app what to do.
#[derive(Debug)]
pub(crate) struct Lifeline {
    /// What the app logs.
    pub log: Rc<AppLog>,
    commands: mpsc::Sender<AppCommand>,
    ending: watch::Sender<Option<Duration>>,
    /// How often it has been told what to live by.
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

    /// Tells the app what to do, and waits until it is done.
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

    /// How often it has been told what to live by: whoever finds another number has been superseded.
    pub(crate) fn turn(&self) -> u64 {
        self.turn.get()
    }

    /// Tells the app what to do, without waiting for anything. If too much waits already, that is not carried out.
    pub(crate) fn hurry(&self, action: Action) {
        let (done, _) = oneshot::channel();
        let _ = self.commands.try_send(AppCommand { action, done });
    }

    /// Ends the app for good: its workers may finish what is in flight for this long.
    pub(crate) fn end(&self, limit: Duration) {
        self.ending.send_replace(Some(limit));
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) {
        let task = self.task.take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}
