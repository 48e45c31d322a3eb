//! One I/O thread's view of an app: its connection to the app's worker, or the wait for one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nano_protocol::message::RequestLine;
use nano_protocol::{Budget, Handle};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep_until, timeout};

use crate::config::AppSpec;
use crate::edge::commands::{Fate, Notice, RoutedApp, Unavailable};
use crate::edge::probation::Probation;
use crate::edge::refused::Refused;
use crate::model::ids::AppId;
use crate::model::kind::Kind;
use crate::model::kind::Kinds;
use crate::model::lost_request::LostRequest;
use crate::model::refusal::Refusal;
use crate::model::shares::{self, ClientKey, Held, Holders, Holding};
use crate::telemetry::traffic::{Limit, Traffic, TrafficCounts, Waiting};

/// An app as one I/O thread sees it.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// The app.
    pub app: AppId,
    spec: RefCell<Rc<AppSpec>>,
    traffic: Arc<Traffic>,
    /// Which I/O thread this is.
    thread: usize,
    /// What bodies on this thread may hold.
    budget: Arc<Budget>,
    link: RefCell<Link>,
    /// How many requests of each client are in flight or wait, on this thread.
    clients: Holders,
    generation: Cell<u64>,
    /// The worker that gets no requests although it is well, if that is so.
    held: Cell<Option<u64>>,
    /// Since when there is the latest worker.
    attached: Cell<Option<Instant>>,
    /// The last workers that have ended, and how.
    ended: RefCell<VecDeque<(u64, Fate)>>,
    /// Workers whose connections have not ended.
    connected: RefCell<Vec<u64>>,
    /// The latest worker that has answered a request well.
    useful: Cell<u64>,
    /// Requests that went down with workers that have not been said to have ended.
    lost: RefCell<Vec<(u64, LostRequest)>>,
    /// Requests that nobody waits for any more, and which workers may still be at work on; the latest.
    given_up: RefCell<VecDeque<(u64, LostRequest)>>,
    /// The latest worker whose lost requests the main thread was told of.
    told: Cell<u64>,
    /// The next worker is not started before this time.
    resting: Cell<Option<Instant>>,
    /// Requests that are refused because they end workers; usually none.
    quarantined: RefCell<Kinds>,
    /// Kinds of requests that let others go first, since they have ended workers just now; usually none.
    probation: RefCell<Probation>,
    changed: Notify,
    notices: mpsc::Sender<Notice>,
}

/// How long an answer about a worker that has died waits for why; its exit status is read within a few milliseconds.
const AUTOPSY: Duration = Duration::from_secs(2);

/// Ends of workers that are remembered until the requests that went down with them have been told.
const ENDED: usize = 16;

/// Lost requests that are remembered until it is known how their workers ended.
const LOST: usize = 64;

/// Where requests go.
#[derive(Debug)]
enum Link {
    /// To this worker.
    Ready(Handle),
    /// They wait for the next worker.
    Waiting,
    /// They are refused.
    Unavailable(Unavailable),
}

impl Upstream {
    /// No worker yet. What its bodies hold counts in `total`, too.
    pub(crate) fn new(
        routed: &RoutedApp,
        thread: usize,
        total: &Arc<Budget>,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        let share = routed.traffic.share(routed.spec.limits.max_buffered);
        let budget = Arc::new(Budget::new(share, Some(total.clone())));
        routed.traffic.hold(thread, budget.clone());
        Self {
            app: routed.app,
            // A copy for this thread: counting references is cheaper where no other thread does.
            spec: RefCell::new(Rc::new(AppSpec::clone(&routed.spec))),
            traffic: routed.traffic.clone(),
            thread,
            budget,
            link: RefCell::new(Link::Waiting),
            clients: Holders::default(),
            generation: Cell::new(0),
            held: Cell::new(None),
            attached: Cell::new(None),
            ended: RefCell::default(),
            connected: RefCell::default(),
            useful: Cell::new(0),
            lost: RefCell::default(),
            given_up: RefCell::default(),
            told: Cell::new(0),
            resting: Cell::new(None),
            quarantined: RefCell::new(Arc::new([])),
            probation: RefCell::default(),
            changed: Notify::new(),
            notices,
        }
    }

    /// What this thread counts of the app.
    pub(crate) fn count(&self, count: impl FnOnce(&TrafficCounts)) {
        if let Some(counts) = self.traffic.of_thread(self.thread) {
            count(counts);
        }
    }

    /// Its configuration.
    pub(crate) fn spec(&self) -> Rc<AppSpec> {
        self.spec.borrow().clone()
    }

    /// The configuration of further requests.
    pub(crate) fn configure(&self, spec: &AppSpec) {
        if **self.spec.borrow() != *spec {
            self.budget.set_max(self.traffic.share(spec.limits.max_buffered));
            *self.spec.borrow_mut() = Rc::new(spec.clone());
        }
    }

    /// A worker is ready. One that was there before finishes what is in flight.
    pub(crate) fn attach(&self, generation: u64, handle: Handle) {
        self.generation.set(generation);
        self.attached.set(Some(Instant::now()));
        self.resting.set(None);
        self.connected.borrow_mut().push(generation);
        handle.set_budget(self.budget.clone());
        self.relink(Link::Ready(handle));
        self.changed.notify_waiters();
    }

    /// A worker takes no more requests; requests wait for the next one. Nothing happens if that is already there.
    pub(crate) fn detach(&self, generation: u64) {
        if self.generation.get() == generation && matches!(*self.link.borrow(), Link::Ready(_)) {
            self.relink(Link::Waiting);
        }
    }

    /// Nobody has anything for the worker any more.
    pub(crate) fn let_go(&self) {
        self.relink(Link::Waiting);
    }

    /// From now on requests wait in place of going to this worker.
    pub(crate) fn hold(&self, generation: Option<u64>) {
        self.held.set(generation);
        self.changed.notify_waiters();
    }

    fn relink(&self, link: Link) {
        if let Link::Ready(before) = self.link.replace(link) {
            before.finish();
        }
    }

    /// A worker's connection has ended: all that it has ever said here is read.
    pub(crate) fn disconnected(&self, generation: u64) {
        self.connected.borrow_mut().retain(|connected| *connected != generation);
        self.changed.notify_waiters();
    }

    /// The next worker is not started before this time.
    pub(crate) fn rest(&self, until: Instant) {
        self.resting.set(Some(until));
    }

    /// A worker has ended.
    pub(crate) fn ended(&self, generation: u64, fate: Fate) {
        self.detach(generation);
        let mut ended = self.ended.borrow_mut();
        if ended.len() >= ENDED {
            ended.pop_front();
        }
        ended.push_back((generation, fate));
        drop(ended);
        self.changed.notify_waiters();
    }

    /// Which of the app's workers is the latest.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// A request went down with the worker of this generation, or has brought it down. The report of its crash names it.
    pub(crate) fn lost(&self, generation: u64, request: LostRequest) {
        if self.told.get() >= generation {
            // If the main thread is that busy, the report names fewer.
            let _ = self.notices.try_send(Notice::Lost((self.app, generation), request));
            return;
        }
        let mut lost = self.lost.borrow_mut();
        if lost.len() < LOST {
            lost.push((generation, request));
        }
    }

    /// The requests that went down with a worker that has ended; waits until all that it has said is read.
    pub(crate) async fn lost_with(&self, generation: u64) -> Vec<LostRequest> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if !self.connected.borrow().contains(&generation) {
                    return;
                }
                changed.await;
            }
        };
        // Whoever holds the worker's end of the connection, if anybody does, must not hold up its successor.
        let _ = timeout(AUTOPSY, wait).await;
        // The requests have been told, and have their turn before this task has its next.
        tokio::task::yield_now().await;
        self.told.set(generation.max(self.told.get()));
        let mut lost = self.lost.borrow_mut();
        let mut lost: Vec<_> =
            lost.extract_if(.., |(with, _)| *with == generation).map(|(_, request)| request).collect();
        let given_up = std::mem::take(&mut *self.given_up.borrow_mut());
        let (of_it, of_others): (VecDeque<_>, _) =
            given_up.into_iter().partition(|(with, _)| *with == generation);
        self.given_up.replace(of_others);
        lost.extend(of_it.into_iter().map(|(_, request)| request));
        lost
    }

    /// Nobody waits for the answer to a request any more. If it ends the worker all the same, the report of the crash names it.
    pub(crate) fn gave_up(&self, generation: u64, line: &RequestLine<'_>) {
        let mut given_up = self.given_up.borrow_mut();
        if given_up.len() >= LOST {
            given_up.pop_front();
        }
        let request = LostRequest::of(line);
        given_up.push_back((generation, LostRequest { is_given_up: true, ..request }));
    }

    /// A worker has answered a request with this status.
    pub(crate) fn answered(&self, generation: u64, status: u16) {
        if self.useful.get() != generation && status < 500 {
            self.useful.set(generation);
            self.traffic.was_useful(generation);
        }
    }

    /// How a worker has ended that lets go of its connections; waits until that is known.
    pub(crate) async fn fate(&self, generation: u64) -> Fate {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some((_, fate)) = self.ended.borrow().iter().find(|(with, _)| *with == generation) {
                    return fate.clone();
                }
                changed.await;
            }
        };
        let unknown = || Fate { why: "the worker let go of the request".into(), culprit: None };
        timeout(AUTOPSY, wait).await.unwrap_or_else(|_| unknown())
    }

    /// From now on such requests are refused. With none, the app begins anew: nobody lets others go first.
    pub(crate) fn quarantine(&self, kinds: Kinds) {
        if kinds.is_empty() {
            self.probation.take();
            self.changed.notify_waiters();
        }
        self.quarantined.replace(kinds);
    }

    /// Whether a request is refused because such requests end workers.
    pub(crate) fn is_quarantined(&self, method: &str, target: &str) -> bool {
        let kinds = self.quarantined.borrow();
        !kinds.is_empty() && kinds.contains(&Kind::of(method, target))
    }

    /// A request of this kind has ended a worker: others of it let everybody else go first.
    pub(crate) fn suspend(&self, kind: Kind) {
        self.probation.borrow_mut().ended(kind, Instant::now());
    }

    /// The kind of a request if others of it have ended workers just now; usually none.
    pub(crate) fn suspended(&self, method: &str, target: &str) -> Option<Kind> {
        // Nearly always, this is all that is looked at.
        if self.probation.borrow().is_empty() {
            return None;
        }
        let now = Instant::now();
        self.probation.borrow_mut().forget(now);
        let kind = Kind::of(method, target);
        (!self.probation.borrow().hold(&kind, now).is_zero()).then_some(kind)
    }

    /// Waits until there is a worker that has had time for others.
    ///
    /// # Errors
    /// [`Refused`] if there is none for this long, or if too many wait already.
    pub(crate) async fn stand_back(
        &self,
        kind: &Kind,
        spec: &AppSpec,
        place: &Place,
        patience: Duration,
    ) -> Result<(), Refused> {
        let _waiting = self.queue(spec, place)?;
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let hold = self.probation.borrow().hold(kind, Instant::now());
                let Some(found) = self.now() else {
                    changed.await;
                    continue;
                };
                let due = self.attached.get().map(|since| since + hold);
                // Why there is no worker for long is said by whoever asks for one.
                let Some(due) = due.filter(|due| found.is_ok() && *due > Instant::now()) else { return };
                tokio::select! {
                    () = changed => {}
                    () = sleep_until(due.into()) => {}
                }
            }
        };
        timeout(patience, wait).await.map_err(|_| {
            let limit = humantime::format_duration(spec.limits.queue_timeout);
            let why = format!(
                "such requests have ended workers, none of which has had time for this one within {limit} \
                 (`queue_timeout`)"
            );
            self.for_now(Refused::because(Refusal::NoWorker, why))
        })
    }

    /// A request of a kind that lets others go first was answered: it need not any more.
    pub(crate) fn clear(&self, kind: &Kind) {
        if self.probation.borrow_mut().answered(kind) {
            self.changed.notify_waiters();
        }
    }

    /// Waiting is in vain.
    pub(crate) fn unavailable(&self, why: Unavailable) {
        self.relink(Link::Unavailable(why));
        self.changed.notify_waiters();
    }

    /// How many requests of a client are in flight or wait, on this thread.
    pub(crate) fn held_by(&self, client: ClientKey) -> Held {
        self.clients.of(client)
    }

    /// Takes a place among the app's requests in flight, for a client that holds `held` already.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if all are taken, [`Refusal::ClientOverloaded`] if those that are left are for others.
    pub(crate) fn enter(&self, spec: &AppSpec, held: Held) -> Result<Place, Refusal> {
        let (limits, taken, own) = (&spec.limits, self.traffic.in_flight(), held.get());
        if !limits.may_enter(taken, own, self.traffic.threads()) && taken < limits.max_in_flight {
            self.traffic.count_broken(Limit::InFlightPerClient, 1);
            return Err(Refusal::ClientOverloaded);
        }
        if self.traffic.enter(limits.max_in_flight) {
            Ok(Place { traffic: self.traffic.clone(), held: Holding::new(held) })
        } else {
            Err(Refusal::Overloaded)
        }
    }

    /// The connection to the app's worker; waits for one up to the queueing deadline.
    ///
    /// # Errors
    /// [`Refused`] if there is none by then, if waiting is in vain, or if too many wait already.
    pub(crate) async fn handle(
        &self,
        spec: &AppSpec,
        place: &Place,
        patience: Duration,
    ) -> Result<Handle, Refused> {
        if let Some(found) = self.now() {
            return found;
        }
        let _waiting = self.queue(spec, place)?;
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = self.now() {
                    return found;
                }
                changed.await;
            }
        };
        timeout(patience, wait).await.unwrap_or_else(|_| Err(self.no_worker(spec)))
    }

    /// A place among those that wait for a worker.
    fn queue(&self, spec: &AppSpec, place: &Place) -> Result<Waiting<'_>, Refused> {
        let max = spec.limits.max_queue;
        // While there is no worker, whatever a client has in flight waits; this one is among them.
        let (waiting, own) = (self.traffic.waiting(), place.held() - 1);
        let is_kept = waiting < max && !shares::may_have(max, waiting, own, self.traffic.threads());
        if is_kept && spec.limits.has_client_share() {
            self.traffic.count_broken(Limit::InFlightPerClient, 1);
            return Err(Refusal::ClientOverloaded.into());
        }
        self.traffic.wait(max).ok_or_else(|| {
            self.traffic.count_broken(Limit::Queue, 1);
            let why = format!("{max} requests wait for a worker already (`max_queue`)");
            self.for_now(Refused::because(Refusal::QueueFull, why))
        })
    }

    /// What is counted of it.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    fn no_worker(&self, spec: &AppSpec) -> Refused {
        let limit = humantime::format_duration(spec.limits.queue_timeout);
        let last = self.ended.borrow();
        let last = last
            .back()
            .map_or_else(String::new, |(_, fate)| format!("; the last one has ended: {}", fate.why));
        let why = format!("no worker was ready within {limit} (`queue_timeout`){last}");
        self.for_now(Refused::because(Refusal::NoWorker, why))
    }

    /// The refusal with the time of the next start, where that is known.
    fn for_now(&self, refused: Refused) -> Refused {
        match self.resting.get() {
            Some(until) => refused.until(until),
            None => refused,
        }
    }

    /// The connection to the app's worker, or why there is none for long; none if there may soon be one.
    pub(crate) fn now(&self) -> Option<Result<Handle, Refused>> {
        match &*self.link.borrow() {
            Link::Ready(_) if self.held.get() == Some(self.generation.get()) => None,
            Link::Ready(handle) if !handle.is_closed() => Some(Ok(handle.clone())),
            // It has just died, and the main thread is about to say so.
            Link::Ready(_) | Link::Waiting => None,
            Link::Unavailable(Unavailable::NotLoaded(why)) => {
                Some(Err(Refused::because(Refusal::NotLoaded, why.clone())))
            }
            Link::Unavailable(Unavailable::CrashLoop(why, until)) => {
                Some(Err(Refused::because(Refusal::CrashLoop, why.clone()).until(*until)))
            }
            Link::Unavailable(Unavailable::Stopped) => Some(Err(Refusal::Stopped.into())),
        }
    }
}

/// One request's place among those in flight, and among those of its client; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    traffic: Arc<Traffic>,
    held: Holding,
}

impl Place {
    /// How many its client holds, this one included.
    fn held(&self) -> usize {
        self.held.count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.traffic.leave();
    }
}
