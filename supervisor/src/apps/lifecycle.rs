//! The lifecycle of one app: starts a worker, watches it, replaces it, and starts the next one after it ends.
//!
//! Each app has one task. It is in one [`AppPhase`] at a time, and in every phase it waits for [`AppCommand`]s and for the end
//! of the supervisor.
//!
//! - [`lifeline`] sends commands to the task.
//! - [`running`] watches a started worker, and [`growth`] decides whether it has grown too much.
//! - [`turns`] decides when the next worker may start.
//! - [`rolling`] replaces a running worker without a gap.
//! - [`adoption`] takes over workers that were started elsewhere.
//! - [`aftermath`] handles the end of a worker, and `broken` handles files that cannot be loaded.
//! - [`files_only`] is an app that has no worker.
//! - [`folders`] tracks which folders workers are served from, [`orders`] sends orders to running workers, [`events`] tracks which
//!   of them take events, and [`shared`] holds what all apps share.
//! - `uncalled` names handlers that nothing calls.

mod adoption;
mod aftermath;
mod broken;
pub(crate) mod events;
mod files_only;
pub(crate) mod folders;
pub(crate) mod growth;
pub(crate) mod lifeline;
pub(crate) mod orders;
pub(crate) mod rolling;
mod running;
pub(crate) mod shared;
pub(crate) mod turns;
pub(crate) mod uncalled;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::time::sleep_until;

use crate::apps::budget::Rank;
use crate::apps::crashes::Remains;
use crate::apps::restart::RestartHistory;
use crate::config::{AppSpec, Environment};
use crate::edge::commands::Unavailable;
use crate::model::change_error::ChangeError;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::AppId;
use crate::process::{Started, Worker};
use crate::telemetry::log::app::AppLog;
use events::EventTarget;
use growth::Growth;
pub(crate) use lifeline::{Action, Lifeline, Outcome};
use lifeline::{AppCommand, AppCommands, First};
use running::{RunningWorker, Stage};
use shared::AppsShared;

/// A pause that is practically infinite. It ends when the app gets another configuration, or when someone saves a file in `dev`.
const UNTIL_TOLD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Everything that is needed to start the task of an app.
#[derive(Debug)]
pub(crate) struct NewApp {
    pub app: AppId,
    pub spec: Arc<AppSpec>,
    /// The log that the app writes to.
    pub log: Rc<AppLog>,
    /// State that all apps share.
    pub shared: Rc<AppsShared>,
    /// How the app begins: with a new worker, an adopted one, or stopped.
    pub first: First,
}

impl NewApp {
    /// Spawns the app's task, which keeps the app running until it is told otherwise.
    pub(crate) fn start(self) -> Lifeline {
        // Set before anything can read the status.
        if !matches!(self.first, First::Stopped) {
            self.shared.registry.starting(self.app);
        }
        let (commands, received) = AppCommands::new();
        let (ending, is_ending) = watch::channel(None);
        let life = AppTask {
            app: self.app,
            spec: self.spec,
            log: self.log.clone(),
            stage: Stage::new(self.app, self.shared.clone()),
            shared: self.shared,
            commands: received,
            ending: is_ending,
            history: RestartHistory::default(),
            growth: Growth::default(),
            rank: Rank::Useful,
            recycle_from: Instant::now(),
            starts: 0,
            env: None,
            reads_env: true,
            uncalled: None,
            waiting: Vec::new(),
        };
        let task = tokio::task::spawn_local(life.run(self.first));
        Lifeline::new(self.log, commands, ending, task)
    }
}

/// The current phase of an app.
enum AppPhase {
    /// A worker is being started.
    Starting,
    /// A worker is ready and gets requests.
    Running(RunningWorker),
    /// The app has no code, and needs no worker.
    FilesOnly,
    /// No worker runs. The next one is started at this time.
    Resting(Instant),
    /// No worker runs, and none is started until a command asks for it.
    Stopped,
    /// The app has ended for good.
    Ended,
}

struct AppTask {
    app: AppId,
    spec: Arc<AppSpec>,
    log: Rc<AppLog>,
    shared: Rc<AppsShared>,
    stage: Stage,
    commands: AppCommands,
    ending: watch::Receiver<Option<Duration>>,
    history: RestartHistory,
    growth: Growth,
    /// The app's priority among the apps that wait to start a worker.
    rank: Rank,
    /// The earliest time at which a healthy worker may be recycled.
    recycle_from: Instant,
    starts: u64,
    /// The environment of the last worker that became ready. Unless someone asks for a reload, its replacement gets the same
    /// one.
    env: Option<Environment>,
    /// Whether the next worker reads its environment files again, because a command asked for it.
    reads_env: bool,
    /// What was last logged about handlers that nothing calls.
    uncalled: Option<String>,
    /// Callers that wait for the worker that is being started.
    waiting: Vec<oneshot::Sender<Outcome>>,
}

impl AppTask {
    async fn run(mut self, first: First) {
        let mut phase = match first {
            First::Start => AppPhase::Starting,
            First::Adopt(adoption) => self.adopt_idle(*adoption, None).await,
            First::Stopped => self.stop().await,
        };
        loop {
            phase = match phase {
                AppPhase::Starting => self.starting().await,
                AppPhase::Running(running) => self.running(running).await,
                AppPhase::FilesOnly => self.files_only().await,
                AppPhase::Resting(until) => self.resting(until).await,
                AppPhase::Stopped => self.stopped().await,
                AppPhase::Ended => break,
            };
        }
        let limit = self.ending.borrow().unwrap_or_default();
        self.stage.end(limit).await;
        self.shared.registry.stopped(self.app);
    }

    /// Starts a worker, and handles commands until it is ready or has failed.
    async fn starting(&mut self) -> AppPhase {
        if let Some(fault) = self.spec.fault.clone() {
            return self.fail_misconfigured(fault).await;
        }
        if !self.spec.has_worker() {
            return self.serve_files().await;
        }
        self.starts += 1;
        if self.starts > 1 {
            self.shared.registry.count_restart(self.app);
        }
        self.shared.registry.starting(self.app);
        let begun = Instant::now();
        let (spec, shared, log) = (self.spec.clone(), self.shared.clone(), self.log.clone());
        let env = self.env.clone().filter(|_| !self.reads_env);
        let mut start = std::pin::pin!(Worker::start(&spec, env, &shared.spares, &log));
        let started = loop {
            tokio::select! {
                started = &mut start => break started,
                // Dropping this future kills the process.
                () = ended(&mut self.ending) => return AppPhase::Ended,
                AppCommand { action, done } = self.commands.next() => match action {
                    Action::Stop => return self.stop_without_worker(done).await,
                    Action::Start => self.waiting.push(done),
                    Action::Restart | Action::Roll => return self.start_anew(done),
                    Action::Configure(spec) => {
                        if self.configure_idle(spec, done).await {
                            return AppPhase::Starting;
                        }
                    }
                    Action::Adopt(adoption) => {
                        return AppPhase::Running(self.adopt(*adoption, None, Some(done)).await);
                    }
                    Action::Break(why) => return self.broken(why, done).await,
                },
            }
        };
        match started {
            Ok(started) => {
                let running = self.put_in_service(started, begun, None).await;
                self.answer(&Ok(true));
                AppPhase::Running(running)
            }
            Err(failure) => self.after(&failure.reason, Remains::of_start(&failure)).await,
        }
    }

    /// Marks the app as failed because its configuration cannot be run. It stays failed until a command changes that.
    async fn fail_misconfigured(&mut self, fault: Arc<str>) -> AppPhase {
        let reason = ExitReason::LoadFailed(fault.to_string());
        self.shared.registry.starting(self.app);
        self.shared.registry.failed(self.app, &reason, self.spec.settings.restart.slow_retry);
        self.answer(&Err(ChangeError::Config(fault.to_string())));
        self.shared.io_threads.unavailable(self.app, Unavailable::NotLoaded(fault)).await;
        self.shared.tend_spares();
        AppPhase::Resting(Instant::now() + UNTIL_TOLD)
    }

    /// Sends the app's requests to a worker that is ready. It replaces the worker of the generation `replaces`, if given.
    async fn put_in_service(
        &mut self,
        started: Started,
        begun: Instant,
        replaces: Option<u64>,
    ) -> RunningWorker {
        let Started { worker, requests, .. } = started;
        (self.env, self.reads_env) = (Some(worker.env.clone()), false);
        let running = self.stage.enter(&self.spec, worker);
        let worker = (self.app, running.generation);
        self.recycle_from = running.ready;
        let (took, witness, useful) = (begun.elapsed(), &running.witness, &running.useful);
        self.shared.io_threads.attach(worker, &self.spec, replaces, requests, witness, useful).await;
        self.shared.events.enter(EventTarget::new(worker, running.events.clone(), useful.clone()));
        // It is called ready once requests reach it: before, they may be refused as they were, or reach the one before it.
        self.shared.registry.ready(worker, running.pid, replaces, took);
        self.say_what_is_not_called(running.handlers);
        self.shared.tend_spares();
        running
    }

    /// Watches a worker until it ends or is recycled, or until a command arrives.
    async fn running(&mut self, mut running: RunningWorker) -> AppPhase {
        let (shared, app, generation) = (self.shared.clone(), self.app, running.generation);
        let useful = running.useful.clone();
        let (recycle_due, holds) =
            (running.recycle_due(&self.spec, &self.growth, self.recycle_from), Cell::new(false));
        let recycle_due = async {
            let recycle_due = recycle_due.await;
            let rank = if useful.load(Ordering::Relaxed) { Rank::Useful } else { Rank::Young };
            // A recycled worker still works, so its replacement waits for a turn.
            tokio::select! {
                biased;
                never = shared.hold_once_urgent(app, generation, &recycle_due, &holds) => match never {},
                () = shared.turns.take(app, rank) => {}
            }
            recycle_due
        };
        let phase = tokio::select! {
            reason = running.ended() => {
                let remains = self.stage.report_end(&running, &reason).await;
                self.after(&reason, remains).await
            }
            () = ended(&mut self.ending) => {
                self.shared.registry.draining(self.app);
                self.stage.retire(running);
                AppPhase::Ended
            }
            recycle_due = recycle_due => {
                self.shared.registry.recycling(self.app, &recycle_due.why);
                if recycle_due.growth.is_some() {
                    self.growth.replaced(running.ready.elapsed());
                }
                // If the replacement fails, it is not tried again at once.
                self.recycle_from = Instant::now() + self.spec.settings.restart.slow_retry;
                let (done, _) = oneshot::channel();
                tokio::select! {
                    biased;
                    never = shared.hold_once_urgent(app, generation, &recycle_due, &holds) => match never {},
                    phase = self.roll(running, self.spec.clone(), self.env.clone(), done) => phase,
                }
            }
            AppCommand { action, done } = self.commands.next() => match action {
                Action::Start => {
                    let _ = done.send(Ok(false));
                    AppPhase::Running(running)
                }
                Action::Stop => {
                    self.waiting.push(done);
                    if self.drain(running).await { self.stop().await } else { AppPhase::Ended }
                }
                Action::Restart => {
                    self.waiting.push(done);
                    self.reset_history().await;
                    self.reads_env = true;
                    if self.drain(running).await { AppPhase::Starting } else { AppPhase::Ended }
                }
                Action::Roll => {
                    // The app's code may have changed.
                    self.reset_history().await;
                    self.roll(running, self.spec.clone(), None, done).await
                }
                Action::Configure(spec) if !spec.has_worker() => {
                    self.waiting.push(done);
                    self.reset_history().await;
                    self.configure(spec);
                    // What has no file is not to wait until the worker has finished.
                    shared.io_threads.files_only(self.app, &self.spec).await;
                    if self.drain(running).await { AppPhase::Starting } else { AppPhase::Ended }
                }
                Action::Configure(spec) => match running.was_told(&spec) {
                    Ok(true) => {
                        if !spec.settings.quarantine {
                            self.release().await;
                        }
                        self.configure(spec);
                        let _ = done.send(Ok(false));
                        AppPhase::Running(running)
                    }
                    Ok(false) => {
                        self.reset_history().await;
                        self.roll(running, spec, None, done).await
                    }
                    Err(why) => {
                        let _ = done.send(Err(why));
                        AppPhase::Running(running)
                    }
                },
                Action::Adopt(adoption) => {
                    let next = self.adopt(*adoption, Some(generation), Some(done)).await;
                    self.stage.retire(running);
                    AppPhase::Running(next)
                }
                Action::Break(why) => {
                    let phase = self.broken(why, done).await;
                    self.stage.retire(running);
                    phase
                }
            },
        };
        if holds.get() {
            shared.io_threads.hold(app, generation, false).await;
        }
        phase
    }

    /// Drains a worker and waits for its end. Returns false if the supervisor ends first.
    async fn drain(&mut self, mut running: RunningWorker) -> bool {
        self.shared.registry.draining(self.app);
        self.shared.io_threads.retire(self.app, running.generation).await;
        self.shared.events.leave((self.app, running.generation));
        running.drain(self.shared.drain_timeout.get());
        tokio::select! {
            reason = running.ended() => {
                self.stage.retired(&running, &reason).await;
                true
            }
            () = ended(&mut self.ending) => {
                self.stage.retire(running);
                false
            }
        }
    }

    /// Waits until the next start is due, and then for the app's turn.
    async fn resting(&mut self, until: Instant) -> AppPhase {
        let (shared, app, rank) = (self.shared.clone(), self.app, self.rank);
        let turn = async {
            if until > Instant::now() {
                sleep_until(until.into()).await;
            }
            shared.turns.take(app, rank).await;
        };
        tokio::select! {
            () = turn => AppPhase::Starting,
            () = ended(&mut self.ending) => AppPhase::Ended,
            AppCommand { action, done } = self.commands.next() => match action {
                Action::Stop => self.stop_without_worker(done).await,
                Action::Configure(spec) => {
                    if self.configure_idle(spec, done).await { AppPhase::Starting } else { AppPhase::Resting(until) }
                }
                Action::Adopt(adoption) => self.adopt_idle(*adoption, Some(done)).await,
                Action::Break(why) => self.broken(why, done).await,
                Action::Start | Action::Restart | Action::Roll => self.start_anew(done),
            },
        }
    }

    /// Waits for a command that starts the app.
    async fn stopped(&mut self) -> AppPhase {
        tokio::select! {
            () = ended(&mut self.ending) => AppPhase::Ended,
            AppCommand { action, done } = self.commands.next() => match action {
                Action::Stop => {
                    let _ = done.send(Ok(false));
                    AppPhase::Stopped
                }
                Action::Configure(spec) => {
                    self.configure_idle(spec, done).await;
                    AppPhase::Stopped
                }
                Action::Adopt(adoption) => self.adopt_idle(*adoption, Some(done)).await,
                Action::Break(why) => self.broken(why, done).await,
                Action::Start | Action::Restart | Action::Roll => self.start_anew(done),
            },
        }
    }

    /// Applies a configuration while no worker is ready. Returns whether it differs from the current one.
    async fn configure_idle(&mut self, spec: Arc<AppSpec>, done: oneshot::Sender<Outcome>) -> bool {
        let is_new = *spec != *self.spec;
        if is_new {
            self.reset_history().await;
        }
        self.configure(spec);
        self.reads_env = true;
        let _ = done.send(Ok(false));
        is_new
    }

    /// Starts a worker that a command asked for. It reads its environment files again.
    fn start_anew(&mut self, done: oneshot::Sender<Outcome>) -> AppPhase {
        self.waiting.push(done);
        self.reads_env = true;
        AppPhase::Starting
    }

    async fn stop_without_worker(&mut self, done: oneshot::Sender<Outcome>) -> AppPhase {
        self.waiting.push(done);
        self.stop().await
    }

    async fn stop(&mut self) -> AppPhase {
        self.history = RestartHistory::default();
        self.shared.registry.stopped(self.app);
        self.shared.io_threads.unavailable(self.app, Unavailable::Stopped).await;
        self.answer(&Ok(true));
        AppPhase::Stopped
    }

    fn configure(&mut self, spec: Arc<AppSpec>) {
        self.spec = spec.clone();
        self.log.configure(&spec);
        self.shared.registry.configure(self.app, spec);
    }

    fn answer(&mut self, outcome: &Outcome) {
        for done in self.waiting.drain(..) {
            let _ = done.send(outcome.clone());
        }
    }
}

/// Waits until the app is told to end for good.
async fn ended(ending: &mut watch::Receiver<Option<Duration>>) {
    let _ = ending.wait_for(Option::is_some).await;
}
