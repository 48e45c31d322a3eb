//! Threads for CPU-bound work: the algorithms of Web Cryptography, and key derivation from passwords. A worker has a few such
//! threads, which run at a lower priority than others on the machine. Calls that find no free thread wait; the request that has
//! used the least CPU time goes first. The CPU time of each thread is charged to the request that it works for.
//!
//! deno_crypto runs exactly one closure per call on the blocking threads of the current tokio runtime. So each thread here is the
//! only blocking thread of an otherwise idle runtime, and a call is made inside that runtime.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use deno_core::{OpState, op2, v8};
use deno_error::JsErrorBox;
use nix::libc;
use rustc_hash::FxHashMap;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use super::in_flight::{InFlight, in_flight};
use super::request::Request;

/// Maximum number of threads, kept low so that other processes on a small machine are not starved.
const THREADS: usize = 2;

/// Niceness of these threads. When the CPUs are busy, they get a third of the time that a thread gets that answers requests.
const NICE: i32 = 5;

/// Interval at which the CPU time of the threads is polled.
const LOOK: Duration = Duration::from_millis(20);

/// Number of requests whose usage is remembered, to let others go first.
const REMEMBERED: usize = 4096;

/// One thread, and the request that it works for.
struct Lane {
    /// The runtime that owns the blocking thread, and starts and ends it as needed. The runtime itself is never driven.
    runtime: &'static Runtime,
    /// The CPU clock of the thread; zero while there is no thread.
    clock: Arc<AtomicI32>,
    /// The id of the request that it works for, zero for work of no request; `None` if the thread is free.
    request: Cell<Option<u32>>,
    /// The clock that was polled last, and its time.
    looked: Cell<(i32, Duration)>,
}

/// A call that waits for a thread.
struct Waiting {
    id: u32,
    request: Option<Rc<Request>>,
    turn: oneshot::Sender<Result<usize, JsErrorBox>>,
}

/// The threads of a worker for CPU-bound work, and the calls that wait for one.
pub struct Turns {
    lanes: RefCell<Vec<Rc<Lane>>>,
    waiting: RefCell<VecDeque<Waiting>>,
    max: Cell<usize>,
    /// CPU time used and not charged yet, with the requests to charge.
    due: RefCell<Vec<(u32, Duration)>>,
    /// The part of `due` that was used on the calling thread.
    due_here: Cell<Duration>,
    /// CPU time of each request on these threads since they were last idle.
    used: RefCell<FxHashMap<u32, Duration>>,
    next_look: RefCell<Option<Pin<Box<Sleep>>>>,
    /// Wakes the task that calls [`Turns::poll`].
    waker: RefCell<Option<Waker>>,
    refused: Cell<u64>,
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turns").field("pending", &self.pending()).finish_non_exhaustive()
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            lanes: RefCell::default(),
            waiting: RefCell::default(),
            max: Cell::new(usize::MAX),
            due: RefCell::default(),
            due_here: Cell::default(),
            used: RefCell::default(),
            next_look: RefCell::default(),
            waker: RefCell::default(),
            refused: Cell::new(0),
        }
    }
}

/// Releases a thread when dropped.
struct End {
    turns: Rc<Turns>,
    in_flight: Rc<InFlight>,
    lane: usize,
}

impl Drop for End {
    fn drop(&mut self) {
        self.turns.end(&self.in_flight, self.lane);
    }
}

impl Turns {
    /// Sets how many calls may run or wait at once.
    pub fn set_max(&self, max: usize) {
        self.max.set(max);
    }

    /// Returns the number of calls that run or wait.
    pub fn pending(&self) -> usize {
        self.lanes.borrow().iter().filter(|lane| lane.request.get().is_some()).count()
            + self.waiting.borrow().len()
    }

    /// Returns the number of calls refused since start because too many were running or waiting.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Charges the CPU time of the threads: calls `charge` with the id of each request and the time it used. Schedules another
    /// poll while the threads work.
    pub fn poll(&self, cx: &mut Context<'_>, mut charge: impl FnMut(u32, Duration)) {
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        let is_busy = self.look();
        self.due_here.take();
        for (request, used) in self.due.take() {
            charge(request, used);
        }
        let mut next_look = self.next_look.borrow_mut();
        if !is_busy {
            *next_look = None;
            return;
        }
        while next_look.get_or_insert_with(|| Box::pin(sleep(LOOK))).as_mut().poll(cx).is_ready() {
            *next_look = None;
        }
    }

    /// Runs `poll` and charges the CPU time that it uses on the calling thread to the request. Nothing else accounts for this
    /// work.
    pub(crate) fn charging<T>(&self, request: u32, poll: impl FnOnce() -> T) -> T {
        let before = time_of(libc::CLOCK_THREAD_CPUTIME_ID);
        let polled = poll();
        let used = time_of(libc::CLOCK_THREAD_CPUTIME_ID).saturating_sub(before);
        if request != 0 {
            let mut due = self.due.borrow_mut();
            match due.last_mut() {
                Some((latest, total)) if *latest == request => *total += used,
                _ => due.push((request, used)),
            }
            self.due_here.set(self.due_here.get() + used);
            if self.due_here.get() >= LOOK
                && let Some(waker) = &*self.waker.borrow()
            {
                waker.wake_by_ref();
            }
        }
        polled
    }

    /// Records the CPU time of the threads. Returns whether any of them is busy.
    fn look(&self) -> bool {
        let mut is_busy = false;
        for lane in &*self.lanes.borrow() {
            let Some(request) = lane.request.get() else { continue };
            is_busy = true;
            let clock = lane.clock.load(Ordering::Acquire);
            let now = time_of(clock);
            let (looked, before) = lane.looked.replace((clock, now));
            let used = if looked == clock { now.saturating_sub(before) } else { now };
            if request != 0 && !used.is_zero() {
                self.due.borrow_mut().push((request, used));
                *self.used.borrow_mut().entry(request).or_default() += used;
            }
        }
        is_busy
    }

    /// Assigns a free thread to the request `id`. Returns `None` if all are busy.
    fn take(&self, id: u32) -> Result<Option<usize>, JsErrorBox> {
        let mut lanes = self.lanes.borrow_mut();
        let free = lanes.iter().position(|lane| lane.request.get().is_none());
        let number = match free {
            Some(number) => number,
            None if lanes.len() < THREADS => {
                lanes.push(Rc::new(Lane::start().map_err(|error| JsErrorBox::generic(error.to_string()))?));
                lanes.len() - 1
            }
            None => return Ok(None),
        };
        let lane = &lanes[number];
        let clock = lane.clock.load(Ordering::Acquire);
        lane.looked.set((clock, time_of(clock)));
        lane.request.set(Some(id));
        Ok(Some(number))
    }

    /// Enqueues a call of the request `id`.
    ///
    /// # Errors
    /// Fails if the limit of calls is reached.
    fn wait(
        &self,
        in_flight: &InFlight,
        id: u32,
    ) -> Result<oneshot::Receiver<Result<usize, JsErrorBox>>, JsErrorBox> {
        if self.pending() >= self.max.get() {
            self.drop_gone(in_flight);
        }
        if self.pending() >= self.max.get() {
            self.refused.set(self.refused.get() + 1);
            return Err(JsErrorBox::new(
                "DOMExceptionOperationError",
                format!(
                    "the app has {} cryptographic calls under way, which is as many as it may (`max_blocking`)",
                    self.max.get()
                ),
            ));
        }
        let (turn, waits) = oneshot::channel();
        self.waiting.borrow_mut().push_back(Waiting { id, request: in_flight.find(id), turn });
        Ok(waits)
    }

    /// Waits until there is a free thread for the request `id`.
    async fn turn(&self, in_flight: &InFlight, id: u32) -> Result<usize, JsErrorBox> {
        if let Some(lane) = self.take(id)? {
            return Ok(lane);
        }
        let turn = self.wait(in_flight, id)?;
        turn.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Releases a thread. The waiting request that has used the least CPU time gets it.
    fn end(&self, in_flight: &InFlight, lane: usize) {
        self.look();
        let Some(free) = self.lanes.borrow().get(lane).cloned() else { return };
        free.request.set(None);
        self.drop_gone(in_flight);
        loop {
            let next = {
                let waiting = self.waiting.borrow();
                let used = self.used.borrow();
                let used = |entry: &Waiting| used.get(&entry.id).copied().unwrap_or_default();
                let least = waiting.iter().enumerate().min_by_key(|(_, entry)| used(entry));
                least.map(|(at, _)| at)
            };
            let Some(next) = next.and_then(|at| self.waiting.borrow_mut().remove(at)) else { break };
            free.request.set(Some(next.id));
            if next.turn.send(Ok(lane)).is_ok() {
                return;
            }
            free.request.set(None);
        }
        if self.pending() == 0 || self.used.borrow().len() > REMEMBERED {
            self.used.borrow_mut().clear();
        }
    }

    /// Drops waiting calls whose client has gone, unless their request has `waitUntil` work in progress.
    fn drop_gone(&self, in_flight: &InFlight) {
        let is_gone = |entry: &Waiting| {
            let cancelled = |request: &Rc<Request>| request.sender.is_over() && !request.sender.is_complete();
            entry.request.as_ref().is_some_and(cancelled) && !in_flight.background.is_of(entry.id)
        };
        let mut waiting = self.waiting.borrow_mut();
        for at in (0..waiting.len()).rev() {
            if is_gone(&waiting[at])
                && let Some(entry) = waiting.remove(at)
            {
                let _ = entry.turn.send(Err(gone()));
            }
        }
    }

    fn handle(&self, lane: usize) -> Result<&'static Handle, JsErrorBox> {
        let lanes = self.lanes.borrow();
        lanes.get(lane).map(|lane| lane.runtime.handle()).ok_or_else(|| JsErrorBox::generic("no such thread"))
    }
}

impl Lane {
    fn start() -> std::io::Result<Self> {
        let clock = Arc::<AtomicI32>::default();
        let (started, stopped) = (clock.clone(), clock.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .thread_name("blocking")
            .on_thread_start(move || started.store(enter_thread(), Ordering::Release))
            .on_thread_stop(move || stopped.store(0, Ordering::Release))
            .build()?;
        let lane = Self {
            // Leaked, because a runtime must outlive the calls that have entered it.
            runtime: Box::leak(Box::new(runtime)),
            clock,
            request: Cell::new(None),
            looked: Cell::new((0, Duration::ZERO)),
        };
        Ok(lane)
    }
}

fn gone() -> JsErrorBox {
    JsErrorBox::new("DOMExceptionAbortError", "the request is over, and nobody waits for this any more")
}

/// Lowers the priority of the calling thread, and returns its CPU clock.
#[allow(unsafe_code, reason = "libc has no safe form of it")]
fn enter_thread() -> i32 {
    // SAFETY: `setpriority` acts on the calling thread and has no preconditions.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    clock_of_this_thread()
}

/// Returns the CPU clock of the calling thread, by which any other thread can read this thread's CPU time.
#[allow(unsafe_code, reason = "libc has no safe form of it")]
pub fn clock_of_this_thread() -> i32 {
    let mut clock = 0;
    // SAFETY: `pthread_self` is the calling thread, and `clock` is a valid place for the result.
    unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
    clock
}

/// Returns the CPU time of the thread with this clock; zero if the thread has ended.
#[allow(unsafe_code, reason = "libc has no safe form of it")]
pub fn time_of(clock: i32) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result; an invalid clock id is reported as an error.
    if clock == 0 || unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Duration::ZERO;
    }
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Returns the worker's threads from op state.
pub(crate) fn turns(state: &OpState) -> Rc<Turns> {
    state.borrow::<Rc<Turns>>().clone()
}

/// Runs `work` for the request `id` on one of the threads, as soon as it is its turn.
pub(crate) async fn run<T: Send + 'static>(
    state: Rc<RefCell<OpState>>,
    id: u32,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JsErrorBox> {
    let (turns, in_flight) = {
        let state = state.borrow();
        (turns(&state), in_flight(&state))
    };
    let lane = turns.turn(&in_flight, id).await?;
    let end = End { turns, in_flight, lane };
    let done = end.turns.handle(lane)?.spawn_blocking(work);
    done.await.map_err(|error| JsErrorBox::generic(error.to_string()))
}

/// Takes a thread for the request, if one is free. Returns its number, counted from 1, or 0 if none is free.
#[op2(fast)]
#[smi]
pub(crate) fn op_turn_take(state: &mut OpState, #[smi] request: u32) -> Result<u32, JsErrorBox> {
    Ok(turns(state).take(request)?.map_or(0, |lane| lane as u32 + 1))
}

/// Waits for a thread for the request. Returns its number, counted from 1.
#[op2]
#[smi]
pub(crate) async fn op_turn_wait(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
) -> Result<u32, JsErrorBox> {
    let (turns, in_flight) = {
        let state = state.borrow();
        (turns(&state), in_flight(&state))
    };
    Ok(turns.turn(&in_flight, request).await? as u32 + 1)
}

/// Calls a function that puts its work on thread `number`. The function must not run any of the app's code: timers and
/// connections do not work inside this runtime.
#[op2(reentrant)]
pub(crate) fn op_turn_call<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    call: v8::Local<'s, v8::Function>,
    this: v8::Local<'s, v8::Value>,
    arguments: v8::Local<'s, v8::Array>,
) -> Result<v8::Local<'s, v8::Value>, JsErrorBox> {
    let handle = turns(&state.borrow()).handle((number as usize).wrapping_sub(1))?;
    let arguments: Vec<_> = (0..arguments.length()).filter_map(|at| arguments.get_index(scope, at)).collect();
    // The guard leaves the runtime when dropped, even if JavaScript is terminated meanwhile.
    let _entered = handle.enter();
    let called = call.call(scope, this, &arguments);
    // If the function threw, the exception propagates to the caller.
    Ok(called.unwrap_or_else(|| v8::undefined(scope).into()))
}

/// Releases a thread.
#[op2(fast)]
pub(crate) fn op_turn_end(state: &mut OpState, #[smi] number: u32) {
    let in_flight = in_flight(state);
    turns(state).end(&in_flight, (number as usize).wrapping_sub(1));
}
