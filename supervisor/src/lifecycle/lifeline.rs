//! The way to tell an app what to do, and what it can be told.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::adoption::Adoption;
use crate::config::AppSpec;
use crate::log::app::AppLog;

/// Commands to one app that may wait to be carried out.
pub(super) const COMMANDS: usize = 16;

/// Whether the app has another worker now; if that did not work, why, for people.
pub type Outcome = Result<bool, String>;

/// What an app is told to do.
#[derive(Debug)]
pub(super) struct Command {
    /// What to do.
    pub(super) action: Action,
    /// Told when it is done.
    pub(super) done: oneshot::Sender<Outcome>,
}

/// What an app can be told to do.
#[derive(Debug)]
pub enum Action {
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

/// The way to tell an app what to do.
#[derive(Debug)]
pub struct Lifeline {
    /// What the app logs.
    pub log: Rc<AppLog>,
    commands: mpsc::Sender<Command>,
    ending: watch::Sender<Option<Duration>>,
    task: RefCell<Option<JoinHandle<()>>>,
}

impl Lifeline {
    pub(super) fn new(
        log: Rc<AppLog>,
        commands: mpsc::Sender<Command>,
        ending: watch::Sender<Option<Duration>>,
        task: JoinHandle<()>,
    ) -> Self {
        Self { log, commands, ending, task: RefCell::new(Some(task)) }
    }

    /// Tells the app what to do, and waits until it is done.
    pub async fn tell(&self, action: Action) -> Outcome {
        let (done, outcome) = oneshot::channel();
        let gone = |_| "the app is about to end".to_owned();
        let sent = self.commands.send(Command { action, done }).await;
        sent.map_err(|_| "the app has ended".to_owned())?;
        outcome.await.map_err(gone)?
    }

    /// Ends the app for good: its workers may finish what is in flight for this long.
    pub fn end(&self, limit: Duration) {
        self.ending.send_replace(Some(limit));
    }

    /// Waits for the end.
    pub async fn ended(&self) {
        let task = self.task.take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}
