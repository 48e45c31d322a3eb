//! One I/O thread's view of an app: the connections to its workers (`workers`), the requests that have a place (`in_flight`), those
//! that wait for a worker, how workers have ended (`ends`), and the places of WebSockets (`sockets`) and of their compressed messages
//! (`inflating`).

mod ends;
mod in_flight;
pub(crate) mod inflating;
pub(crate) mod sockets;
pub(crate) mod workers;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use nano_protocol::message::RequestLine;
use nano_protocol::{Budget, Handle};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep_until, timeout};

use crate::config::AppSpec;
use crate::edge::commands::{Fate, Notice, Unavailable, UpstreamSpec};
use crate::edge::probation::Probation;
use crate::edge::refused::Refused;
use crate::model::ids::AppId;
use crate::model::kind::Kind;
use crate::model::kind::Kinds;
use crate::model::lost_request::LostRequest;
use crate::model::refusal::Refusal;
use crate::model::shares::{self, ClientKey, Held, Holders, Holding};
use crate::telemetry::traffic::{Limit, Traffic, TrafficCounts, Waiting};
use ends::Ends;
pub(crate) use in_flight::InFlight;
use sockets::SocketPlaces;
use workers::{Link, Links};

/// An app as one I/O thread sees it.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub app: AppId,
    spec: RefCell<Rc<AppSpec>>,
    traffic: Arc<Traffic>,
    thread: usize,
    /// Limits the bytes of the app's bodies that are buffered on this thread.
    budget: Arc<Budget>,
    /// The places for WebSockets.
    pub sockets: SocketPlaces,
    workers: Links,
    ends: Ends,
    /// Why no worker will be ready soon. `None` if one may be.
    unavailable: RefCell<Option<Unavailable>>,
    /// The requests in flight of each client on this thread, including those that wait.
    clients: Holders,
    /// Static files that its workers read at this moment.
    files_read: Held,
    /// The time before which no further worker is started.
    resting: Cell<Option<Instant>>,
    /// Kinds of requests that are refused because they end workers; usually none.
    quarantined: RefCell<Kinds>,
    /// Kinds of requests that yield to others, since they have recently ended workers; usually none.
    probation: RefCell<Probation>,
    changed: Notify,
    notices: mpsc::Sender<Notice>,
}

/// How long a response waits for the reason why its worker has ended, which is usually known within milliseconds.
const AUTOPSY: Duration = Duration::from_secs(2);

impl Upstream {
    /// Creates an app without workers. Its bodies also count against `total`.
    pub(crate) fn new(
        routed: &UpstreamSpec,
        thread: usize,
        total: &Arc<Budget>,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        let share = routed.traffic.share(routed.spec.limits.max_buffered);
        let budget = Arc::new(Budget::new(share, Some(total.clone())));
        let sockets = SocketPlaces::new(&routed.traffic, share);
        routed.traffic.hold(thread, [budget.clone(), sockets.budget.clone()]);
        Self {
            app: routed.app,
            // A copy for this thread, so that counting references is not atomic.
            spec: RefCell::new(Rc::new(AppSpec::clone(&routed.spec))),
            traffic: routed.traffic.clone(),
            thread,
            budget,
            sockets,
            workers: Links::default(),
            ends: Ends::default(),
            unavailable: RefCell::default(),
            clients: Holders::default(),
            files_read: Held::default(),
            resting: Cell::new(None),
            quarantined: RefCell::new(Arc::new([])),
            probation: RefCell::default(),
            changed: Notify::new(),
            notices,
        }
    }

    /// Updates the app's counters of this thread.
    pub(crate) fn count(&self, count: impl FnOnce(&TrafficCounts)) {
        if let Some(counts) = self.traffic.of_thread(self.thread) {
            count(counts);
        }
    }

    pub(crate) fn spec(&self) -> Rc<AppSpec> {
        self.spec.borrow().clone()
    }

    /// Replaces the configuration for further requests, and for the workers that take them.
    pub(crate) fn configure(&self, spec: &AppSpec) {
        self.prepare(spec);
        self.workers.configure(&self.spec.borrow());
    }

    /// Replaces the configuration for further requests. The next worker is started by it.
    pub(crate) fn prepare(&self, spec: &AppSpec) {
        if **self.spec.borrow() != *spec {
            let share = self.traffic.share(spec.limits.max_buffered);
            self.budget.set_max(share);
            self.sockets.budget.set_max(share);
            *self.spec.borrow_mut() = Rc::new(spec.clone());
        }
    }

    /// Adds a worker that is ready and runs by the current configuration. `useful` becomes true once it has answered a request
    /// successfully.
    pub(crate) fn attach(&self, generation: u64, handle: Handle, useful: Arc<AtomicBool>) -> Rc<Link> {
        self.resting.set(None);
        self.unavailable.take();
        handle.set_budget(self.budget.clone());
        self.ends.attached(generation);
        let link = Link::new(generation, handle, useful, self.spec());
        self.workers.attach(link.clone());
        self.changed.notify_waiters();
        link
    }

    /// Stops sending requests to a worker. It finishes those that it has.
    pub(crate) fn retire(&self, generation: u64) {
        self.workers.retire(generation);
    }

    /// Pauses or resumes sending requests to a worker. A paused worker is still healthy.
    pub(crate) fn hold(&self, generation: u64, holds: bool) {
        self.workers.hold(generation, holds);
        self.changed.notify_waiters();
    }

    /// Removes a worker whose connection has ended: everything that it sent was read.
    pub(crate) fn disconnected(&self, generation: u64) {
        self.workers.disconnected(generation);
        self.changed.notify_waiters();
    }

    /// Records that no further worker is started before this time.
    pub(crate) fn rest(&self, until: Instant) {
        self.resting.set(Some(until));
    }

    /// Records how a worker ended.
    pub(crate) fn ended(&self, generation: u64, fate: Fate) {
        self.workers.retire(generation);
        self.ends.ended(generation, fate);
        self.changed.notify_waiters();
    }

    /// Records a request that was lost with a worker, or has ended it. The report of the crash names it.
    pub(crate) fn lost(&self, generation: u64, request: LostRequest) {
        if let Some(request) = self.ends.lost(generation, request) {
            // If the queue is full, the report names fewer requests.
            let _ = self.notices.try_send(Notice::Lost((self.app, generation), request));
        }
    }

    /// Returns the requests that were lost with a worker that has ended. Waits until everything that the worker sent was read.
    pub(crate) async fn lost_with(&self, generation: u64) -> Vec<LostRequest> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if !self.workers.is_connected(generation) {
                    return;
                }
                changed.await;
            }
        };
        // Another process may hold the worker's end of the connection open. That must not delay the next worker.
        let _ = timeout(AUTOPSY, wait).await;
        // The tasks of these requests have been woken. Yielding lets them run, and report their requests, before this one
        // continues.
        tokio::task::yield_now().await;
        self.ends.take(generation)
    }

    /// Records that nobody waits for the answer to a request any more. If the request still ends the worker, the report of the
    /// crash names it.
    pub(crate) fn gave_up(&self, generation: u64, line: &RequestLine<'_>) {
        self.ends.gave_up(generation, LostRequest::of(line));
    }

    /// Returns how a worker ended whose connection is closed. Waits until that is known.
    pub(crate) async fn fate(&self, generation: u64) -> Fate {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(fate) = self.ends.fate(generation) {
                    return fate;
                }
                changed.await;
            }
        };
        let unknown = || Fate { why: "the worker let go of the request".into(), culprit: None };
        timeout(AUTOPSY, wait).await.unwrap_or_else(|_| unknown())
    }

    /// Replaces the kinds of requests that are refused. If there are none, the app makes a fresh start: the probation of all
    /// kinds ends as well.
    pub(crate) fn quarantine(&self, kinds: Kinds) {
        if kinds.is_empty() {
            self.probation.take();
            self.changed.notify_waiters();
        }
        self.quarantined.replace(kinds);
    }

    /// Returns whether a request is refused because requests of its kind end workers.
    pub(crate) fn is_quarantined(&self, method: &str, target: &str) -> bool {
        let kinds = self.quarantined.borrow();
        !kinds.is_empty() && kinds.contains(&Kind::of(method, target))
    }

    /// Puts a kind on probation after one of its requests has ended a worker: the others yield to requests of all other kinds.
    pub(crate) fn suspend(&self, kind: Kind) {
        self.probation.borrow_mut().ended(kind, Instant::now());
    }

    /// Returns the kind of a request if it is on probation. Usually `None`.
    pub(crate) fn suspended(&self, method: &str, target: &str) -> Option<Kind> {
        // Usually no kind is on probation.
        if self.probation.borrow().is_empty() {
            return None;
        }
        let now = Instant::now();
        self.probation.borrow_mut().forget(now);
        let kind = Kind::of(method, target);
        (!self.probation.borrow().hold(&kind, now).is_zero()).then_some(kind)
    }

    /// Waits until a worker has been ready for so long that it has had time for other requests than those of this kind.
    ///
    /// # Errors
    /// [`Refused`] if there is no such worker within `patience`, or if the queue is full.
    pub(crate) async fn stand_back(
        &self,
        kind: &Kind,
        spec: &AppSpec,
        place: &InFlight,
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
                // If no worker will be ready soon, the caller learns the reason when it asks for a worker next.
                let due = found.ok().map(|worker| worker.since + hold);
                let Some(due) = due.filter(|due| *due > Instant::now()) else { return };
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

    /// Ends the probation of a kind, because one of its requests was answered.
    pub(crate) fn clear(&self, kind: &Kind) {
        if self.probation.borrow_mut().answered(kind) {
            self.changed.notify_waiters();
        }
    }

    /// Refuses requests, including those that wait, because no worker will be ready soon.
    pub(crate) fn unavailable(&self, why: Unavailable) {
        self.workers.retire_all();
        self.unavailable.replace(Some(why));
        self.changed.notify_waiters();
    }

    /// Answers further requests with static files alone, by a configuration without code.
    pub(crate) fn files_only(&self, spec: &AppSpec) {
        self.prepare(spec);
        self.workers.retire_all();
        self.unavailable.take();
        self.changed.notify_waiters();
    }

    /// Returns whether the app was stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(*self.unavailable.borrow(), Some(Unavailable::Stopped))
    }

    /// Returns the counter of a client's requests in flight on this thread, including those that wait.
    pub(crate) fn held_by(&self, client: ClientKey) -> Held {
        self.clients.of(client)
    }

    /// Takes a slot among the app's requests in flight, for a client that has `held` of them already.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] if all slots are taken, [`Refusal::ClientOverloaded`] if the free ones are reserved for other
    /// clients.
    pub(crate) fn enter(&self, spec: &AppSpec, held: Held) -> Result<InFlight, Refusal> {
        let (limits, taken, own) = (&spec.limits, self.traffic.in_flight(), held.get());
        if !limits.may_enter(taken, own, self.traffic.threads()) && taken < limits.max_in_flight {
            self.traffic.count_broken(Limit::InFlightPerClient, 1);
            return Err(Refusal::ClientOverloaded);
        }
        InFlight::enter(&self.traffic, limits.max_in_flight, held).ok_or(Refusal::Overloaded)
    }

    /// Takes a place among the static files that the app's workers read, of which there are as many as may be requests in flight.
    pub(crate) fn read_file(&self, spec: &AppSpec) -> Option<Holding> {
        (self.files_read.get() < spec.limits.max_in_flight).then(|| Holding::new(self.files_read.clone()))
    }

    /// Returns a worker for the next request. Waits up to `patience` for one.
    ///
    /// # Errors
    /// [`Refused`] if no worker is ready by then, if none will be ready soon, or if the queue is full.
    pub(crate) async fn worker(
        &self,
        spec: &AppSpec,
        place: &InFlight,
        patience: Duration,
    ) -> Result<Rc<Link>, Refused> {
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

    /// Takes a slot in the queue of requests that wait for a worker.
    fn queue(&self, spec: &AppSpec, place: &InFlight) -> Result<Waiting<'_>, Refused> {
        let max = spec.limits.max_queue;
        // While there is no worker, all of a client's requests in flight wait. `held` counts this one as well.
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

    /// Returns the budget for the app's bodies that are buffered on this thread.
    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    fn no_worker(&self, spec: &AppSpec) -> Refused {
        let limit = humantime::format_duration(spec.limits.queue_timeout);
        let last = self.ends.last();
        let last = last.map_or_else(String::new, |why| format!("; the last one has ended: {why}"));
        let why = format!("no worker was ready within {limit} (`queue_timeout`){last}");
        self.for_now(Refused::because(Refusal::NoWorker, why))
    }

    /// Adds the time at which the next worker is started, if it is known.
    fn for_now(&self, refused: Refused) -> Refused {
        match self.resting.get() {
            Some(until) => refused.until(until),
            None => refused,
        }
    }

    /// Returns a worker for the next request, or why none will be ready soon. `None` if one may be ready soon.
    pub(crate) fn now(&self) -> Option<Result<Rc<Link>, Refused>> {
        if let Some(worker) = self.workers.choose() {
            return Some(Ok(worker));
        }
        let refused = match &*self.unavailable.borrow() {
            // The app had code when the request came.
            None if !self.spec.borrow().has_worker() => {
                Refused::because(Refusal::NotLoaded, "the app has no code any more")
            }
            None => return None,
            Some(Unavailable::NotLoaded(why)) => Refused::because(Refusal::NotLoaded, why.clone()),
            Some(Unavailable::CrashLoop(why, until)) => {
                Refused::because(Refusal::CrashLoop, why.clone()).until(*until)
            }
            Some(Unavailable::Stopped) => Refusal::Stopped.into(),
        };
        Some(Err(refused))
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;
    use crate::edge::testing::Edge;

    #[tokio::test]
    async fn several_workers_share_the_requests_and_each_takes_only_its_own_with_it() {
        let serve = async {
            let edge = Edge::new("");
            let [first, second] = [1, 2].map(|generation| edge.worker(generation));
            let of_first = edge.get("/wait");
            first.has_one_that_waits().await;
            assert_eq!(edge.get("/").await.unwrap(), (200, "2: GET http://app.example/ ".to_owned()));
            // The first worker is replaced while it handles a request.
            let _third = edge.worker(3);
            edge.upstream.retire(1);
            let of_second = edge.get("/wait");
            second.has_one_that_waits().await;
            assert_eq!(edge.get("/").await.unwrap(), (200, "3: GET http://app.example/ ".to_owned()));
            second.die();
            edge.upstream.ended(2, Fate { why: "killed".into(), culprit: None });
            assert_eq!(of_second.await.unwrap().0, 500);
            let targets = |lost: Vec<LostRequest>| lost.into_iter().map(|one| one.target).collect::<Vec<_>>();
            assert_eq!(targets(edge.upstream.lost_with(2).await), ["/wait"]);
            first.go_on();
            assert_eq!(of_first.await.unwrap(), (200, "1: GET http://app.example/wait ".to_owned()));
            assert_eq!(targets(edge.upstream.lost_with(1).await), [""; 0]);
        };
        LocalSet::new().run_until(serve).await;
    }

    #[tokio::test]
    async fn requests_wait_for_a_worker_unless_that_is_in_vain() {
        let serve = async {
            let edge = Edge::new("");
            let waiting = edge.get("/");
            while edge.upstream.traffic().waiting() == 0 {
                tokio::task::yield_now().await;
            }
            let _held = edge.worker(1);
            edge.upstream.hold(1, true);
            assert!(edge.upstream.now().is_none());
            edge.upstream.hold(1, false);
            assert_eq!(waiting.await.unwrap(), (200, "1: GET http://app.example/ ".to_owned()));
            edge.upstream.unavailable(Unavailable::Stopped);
            assert_eq!(edge.get("/").await.unwrap().0, 503);
            let _worker = edge.worker(2);
            assert_eq!(edge.get("/").await.unwrap(), (200, "2: GET http://app.example/ ".to_owned()));
        };
        LocalSet::new().run_until(serve).await;
    }
}
