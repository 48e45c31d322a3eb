//! A started worker: the task that watches it, when it is to be recycled, and how replaced workers are retired.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use nano_protocol::message::Stats;
use nano_protocol::{Handlers, Witness};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::folders::HeldFolder;
use super::growth::{Growth, Trend};
use super::shared::AppsShared;
use crate::api::usage::Usage;
use crate::apps::crashes::Remains;
use crate::config::{AppLimits, AppSpec, RecyclePolicy};
use crate::edge::commands::Fate;
use crate::model::change_error::ChangeError;
use crate::model::culprit::Culprit;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::AppId;
use crate::process::events::Events;
use crate::process::{Fingerprint, Order, Output, Report, Worker};

/// A worker that gets the app's requests.
#[derive(Debug)]
pub(crate) struct RunningWorker {
    /// The generation of the worker: its number among the workers of its app.
    pub generation: u64,
    pub ready: Instant,
    /// The id of its process.
    pub pid: u32,
    /// The page of shared memory that is left when the process has ended. It says which request ran.
    pub witness: Arc<Witness>,
    /// Whether it has answered a request successfully.
    pub useful: Arc<AtomicBool>,
    pub events: Events,
    pub handlers: Handlers,
    observed: Rc<Observed>,
    output: Rc<Output>,
    /// A random factor on its maximum lifetime, so that workers do not all reach it at the same time.
    spread: f64,
    told: Fingerprint,
    spec: Arc<AppSpec>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<ExitReason>,
    _folder: HeldFolder,
}

impl RunningWorker {
    /// Waits until the worker ends. Must not be called again after it has returned.
    pub(crate) async fn ended(&mut self) -> ExitReason {
        let ended = (&mut self.task).await;
        ended.unwrap_or_else(|error| ExitReason::SpawnFailed(error.to_string()))
    }

    /// Tells the worker to drain within this time.
    pub(crate) fn drain(&self, limit: Duration) {
        // If the queue is full, it already holds an order to kill the worker.
        let _ = self.orders.try_send(Order::Drain(limit));
    }

    /// Waits until the worker is to be recycled, which is not before `not_before`.
    pub(crate) fn recycle_due(
        &self,
        spec: &Arc<AppSpec>,
        growth: &Growth,
        not_before: Instant,
    ) -> impl Future<Output = Recycle> + use<> {
        let (observed, ready, witness) = (self.observed.clone(), self.ready, self.witness.clone());
        let (spec, growth, policy) = (spec.clone(), growth.clone(), spec.settings.recycle.clone());
        let old = policy.lifetime.map(|lifetime| ready + lifetime.mul_f64(self.spread));
        async move {
            sleep_until(not_before.into()).await;
            loop {
                let changed = observed.changed.notified();
                if let Some(why) = observed.wear(&policy) {
                    return Recycle { why, growth: None };
                }
                if policy.growth
                    && let Some(why) = observed.grown(&growth, &witness, &spec.limits)
                {
                    return Recycle { why, growth: Some(Grown { observed: observed.clone(), spec }) };
                }
                let old = async {
                    match old {
                        Some(old) => sleep_until(old.into()).await,
                        None => pending().await,
                    }
                };
                tokio::select! {
                    () = changed => {}
                    () = old => {
                        let age = humantime::format_duration(Duration::from_secs(ready.elapsed().as_secs()));
                        let why = format!("it has been ready for {age} (`recycle.lifetime`)");
                        return Recycle { why, growth: None };
                    }
                }
            }
        }
    }

    /// Collects what is known of the worker, for a report of its end.
    fn remains(&self, app: AppId) -> Remains {
        let (stats, mut usage) = (self.observed.stats.get(), self.observed.usage.get());
        let mut heap = stats.heap_used;
        // If the process is gone, its last values are only on the shared page.
        if let Some(last) = self.witness.last_usage() {
            heap = last.heap;
            usage = Usage { memory: last.memory, rss: usage.rss.max(last.memory), cpu: last.cpu };
        }
        Remains {
            worker: Some((app, self.generation)),
            pid: Some(self.pid),
            ready: self.ready.elapsed(),
            has_answered: self.useful.load(Ordering::Relaxed),
            lines: self.output.last_lines(),
            heap: (heap, stats.heap_limit),
            live: self.observed.live.get()[1],
            was_full: self.observed.was_full(&self.spec.limits),
            usage,
            lost: Vec::new(),
        }
    }

    /// Returns whether the worker was started with everything that a worker of this configuration would get.
    ///
    /// # Errors
    /// Fails if some part of the configuration, such as a file, cannot be read.
    pub(crate) fn was_told(&self, spec: &AppSpec) -> Result<bool, ChangeError> {
        Ok(self.told == Fingerprint::of(spec).map_err(|errors| ChangeError::Config(errors.lines()))?)
    }
}

/// Why a worker is recycled.
#[derive(Debug)]
pub(crate) struct Recycle {
    /// The reason, as text for people.
    pub why: String,
    /// Set if the reason is growth.
    pub growth: Option<Grown>,
}

/// A worker that has grown too much.
#[derive(Debug)]
pub(crate) struct Grown {
    observed: Rc<Observed>,
    spec: Arc<AppSpec>,
}

impl Grown {
    /// Waits until the worker would reach its limit before a replacement is ready, unless it gets no further requests.
    pub(crate) async fn is_urgent(&self) {
        loop {
            let changed = self.observed.changed.notified();
            if self.observed.is_urgent(&self.spec.limits) {
                return;
            }
            changed.await;
        }
    }
}

/// What has been measured of a worker so far.
#[derive(Debug, Default)]
struct Observed {
    stats: Cell<Stats>,
    usage: Cell<Usage>,
    first_usage: Cell<Option<Usage>>,
    /// The memory that remains between requests, in bytes: the lower of two measurements between which JavaScript had returned.
    lasting: Cell<u64>,
    /// How often JavaScript had been entered and left at the last measurement.
    entries: Cell<u64>,
    /// The size of the heap that remains after full collections, in bytes: when the worker became ready, and at the last two
    /// measurements, latest first.
    first_live: Cell<u64>,
    live: Cell<[u64; 2]>,
    /// How fast the heap and the memory grow.
    trends: Cell<[Trend; 2]>,
    changed: Notify,
}

impl Observed {
    fn record(&self, report: Report, witness: &Witness) {
        match report {
            Report::Stats(stats) => {
                self.stats.set(stats);
                let [heap, memory] = self.trends.get();
                self.trends.set([heap.seen(stats.heap_used, Instant::now()), memory]);
            }
            Report::Usage(usage) => {
                let (before, entries) = (self.usage.replace(usage), witness.entries());
                let is_same_entry = entries % 2 == 1 && self.entries.replace(entries) == entries;
                if !is_same_entry {
                    self.lasting.set(before.memory.min(usage.memory));
                }
                let [heap, memory] = self.trends.get();
                self.trends.set([heap, memory.seen(usage.memory, Instant::now())]);
                self.first_usage.set(self.first_usage.get().or(Some(usage)));
                let [last, _] = self.live.get();
                self.live.set([witness.live(), last]);
            }
            Report::Unanswered(_) => return,
        }
        self.changed.notify_waiters();
    }

    fn is_urgent(&self, limits: &AppLimits) -> bool {
        let [heap, memory] = self.trends.get();
        heap.is_urgent(limits.heap) || limits.memory.is_some_and(|limit| memory.is_urgent(limit))
    }

    /// Whether most of the heap or the memory was in use before the last measurement.
    fn was_full(&self, limits: &AppLimits) -> bool {
        let is_most = |size: u64, limit: u64| size > limit / 4 * 3;
        is_most(self.live.get()[1], limits.heap)
            || limits.memory.is_some_and(|limit| is_most(self.lasting.get(), limit))
    }

    /// Returns a reason if the worker has grown too much.
    fn grown(&self, growth: &Growth, witness: &Witness, limits: &AppLimits) -> Option<String> {
        let memory = self.first_usage.get().map(|first| (first.memory, self.lasting.get()));
        let sizes = [
            ("heap", Some((self.first_live.get(), witness.live())), Some(limits.heap)),
            ("memory", memory, limits.memory),
        ];
        sizes.into_iter().find_map(|(what, size, limit)| {
            let ((first, now), limit) = (size?, limit?);
            let (first_size, size, most) = (ByteSize(first), ByteSize(now), ByteSize(limit));
            growth.is_too_much(first, now, limit).then(|| {
                format!("its {what} has grown from {first_size} to {size} of {most} (`recycle.growth`)")
            })
        })
    }

    fn wear(&self, policy: &RecyclePolicy) -> Option<String> {
        let (requests, memory) = (self.stats.get().requests, self.usage.get().memory);
        if policy.requests.is_some_and(|limit| requests >= limit) {
            return Some(format!("it has answered {requests} requests (`recycle.requests`)"));
        }
        policy
            .memory
            .is_some_and(|limit| memory > limit)
            .then(|| format!("it has {} of memory resident (`recycle.memory`)", ByteSize(memory)))
    }
}

/// The workers of one app: numbers them, and retires those that were replaced.
#[derive(Debug)]
pub(crate) struct Stage {
    app: AppId,
    shared: Rc<AppsShared>,
    generation: u64,
    retiring: Vec<(mpsc::Sender<Order>, JoinHandle<()>)>,
}

impl Stage {
    /// Creates the stage of an app without workers.
    pub(crate) fn new(app: AppId, shared: Rc<AppsShared>) -> Self {
        Self { app, shared, generation: 0, retiring: Vec::new() }
    }

    /// Numbers a worker and begins to watch it.
    pub(crate) fn enter(&mut self, spec: &Arc<AppSpec>, worker: Worker) -> RunningWorker {
        self.generation += 1;
        let (app, generation, registry) = (self.app, self.generation, self.shared.registry.clone());
        let (orders, mut received) = self.shared.orders.enter((app, generation));
        let (pid, told, spec) = (worker.pid, worker.told.clone(), spec.clone());
        let (output, witness) = (worker.output.clone(), worker.witness.clone());
        let (events, handlers) = (worker.events(), worker.handlers);
        let folder = self.shared.folders.hold(&spec.root);
        let (observed, ready) = (Rc::<Observed>::default(), Instant::now());
        let spread = 0.9 + 0.2 * fastrand::f64();
        observed.first_live.set(witness.live());
        let (seen, page) = (observed.clone(), witness.clone());
        let report = move |report: Report| {
            seen.record(report, &page);
            match report {
                Report::Stats(stats) => registry.record_stats((app, generation), stats),
                Report::Usage(usage) => registry.record_usage((app, generation), usage),
                Report::Unanswered(since) => registry.record_unanswered((app, generation), since),
            }
        };
        let watched = spec.clone();
        let task =
            tokio::task::spawn_local(async move { worker.watch(&watched, &mut received, report).await });
        RunningWorker {
            generation,
            ready,
            pid,
            witness,
            useful: Arc::default(),
            events,
            handlers,
            observed,
            output,
            spread,
            told,
            spec,
            orders,
            task,
            _folder: folder,
        }
    }

    /// Tells the I/O threads that a worker has ended, unless they know. Returns what is known of the worker.
    pub(crate) async fn report_end(&self, running: &RunningWorker, reason: &ExitReason) -> Remains {
        report_end(&self.shared, self.app, running, reason).await
    }

    /// Does the same as [`Self::report_end`] for a worker that was told to finish. Reports a crash if it did not end cleanly.
    pub(crate) async fn retired(&self, running: &RunningWorker, reason: &ExitReason) {
        retired(&self.shared, self.app, running, reason).await;
    }

    /// Drains a worker that gets no further requests, in a task of its own.
    pub(crate) fn retire(&mut self, mut running: RunningWorker) {
        let (app, shared) = (self.app, self.shared.clone());
        shared.events.leave((app, running.generation));
        running.drain(shared.drain_timeout.get());
        self.retiring.retain(|(_, task)| !task.is_finished());
        let orders = running.orders.clone();
        let task = tokio::task::spawn_local(async move {
            let reason = running.ended().await;
            retired(&shared, app, &running, &reason).await;
        });
        self.retiring.push((orders, task));
    }

    /// Waits until all retiring workers have ended. They get this long.
    pub(crate) async fn end(self, limit: Duration) {
        for (orders, _) in &self.retiring {
            let _ = orders.try_send(Order::Drain(limit));
        }
        for (_, task) in self.retiring {
            let _ = task.await;
        }
    }
}

async fn retired(shared: &AppsShared, app: AppId, running: &RunningWorker, reason: &ExitReason) {
    let remains = report_end(shared, app, running, reason).await;
    let crash = match reason.is_clean() {
        true => None,
        false => Some(shared.report(app, &running.spec, reason, remains).await),
    };
    shared.registry.retired((app, running.generation), running.pid, reason, crash.as_ref());
}

async fn report_end(
    shared: &AppsShared,
    app: AppId,
    running: &RunningWorker,
    reason: &ExitReason,
) -> Remains {
    let (mut remains, generation) = (running.remains(app), running.generation);
    let culprit = running.witness.culprit();
    let culprit = culprit.map(|id| Arc::new(Culprit { id, name: running.witness.name_of(id) }));
    let events = shared.events.ended((app, generation), &reason.to_string());
    if shared.orders.leave((app, generation)) {
        shared.registry.count_end(app, reason);
        let culprit = culprit.clone().zip(reason.limit());
        let fate = Fate { why: reason.to_string().into(), culprit };
        remains.lost = shared.io_threads.ended(app, generation, &fate).await;
        // All its messages have been read by now.
        remains.has_answered = running.useful.load(Ordering::Relaxed);
    }
    remains.lost.extend(events);
    if let Some(culprit) = culprit {
        remains.blame(&culprit);
    }
    remains.lost.retain(|request| request.is_culprit || !request.is_given_up);
    remains
}

impl AppsShared {
    /// Makes requests wait for the next worker once nothing else can keep this one from its limit. Never returns.
    pub(super) async fn hold_once_urgent(
        &self,
        app: AppId,
        generation: u64,
        recycle_due: &Recycle,
        holds: &Cell<bool>,
    ) -> Infallible {
        if let Some(grown) = &recycle_due.growth {
            grown.is_urgent().await;
            holds.set(true);
            self.io_threads.hold(app, generation, true).await;
        }
        pending().await
    }
}
