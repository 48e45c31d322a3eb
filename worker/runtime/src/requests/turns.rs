//! Work that keeps a thread busy: the algorithms of Web Cryptography, and keys from passwords. A worker has a few threads for it,
//! of lower priority than the others on the machine. Who finds none free waits for a turn, those first that have used the least,
//! and what a thread uses is charged to the request that asked.
//!
//! deno_crypto puts exactly one closure per call on the blocking threads of whichever tokio runtime it is called in. So each
//! thread here is the one blocking thread of a runtime that does nothing else, and a call is made inside of it.

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

/// Threads for such work. Not more than a neighbour can bear on a small machine.
const THREADS: usize = 2;

/// Their niceness: with the CPUs full, they get a third of what a thread gets that answers requests.
const NICE: i32 = 5;

/// Time between two looks at what the threads have used.
const LOOK: Duration = Duration::from_millis(20);

/// Requests whose use is remembered, to let others go first.
const REMEMBERED: usize = 4096;

/// One thread, and what it works for.
struct Lane {
    /// Never driven: it is there for its blocking thread, which it starts and ends as needed.
    runtime: &'static Runtime,
    /// The CPU clock of that thread; zero while there is none.
    clock: Arc<AtomicI32>,
    /// The request it works for, which may be zero for none; nothing if it is free.
    request: Cell<Option<u32>>,
    /// The clock that was looked at last, and what it said.
    looked: Cell<(i32, Duration)>,
}

/// A call that has no thread yet.
struct Waiting {
    id: u32,
    request: Option<Rc<Request>>,
    turn: oneshot::Sender<Result<usize, JsErrorBox>>,
}

/// The threads of a worker, and who waits for them.
pub struct Turns {
    lanes: RefCell<Vec<Rc<Lane>>>,
    waiting: RefCell<VecDeque<Waiting>>,
    max: Cell<usize>,
    /// CPU time used and not charged yet.
    due: RefCell<Vec<(u32, Duration)>>,
    /// How much of that was used on this thread.
    due_here: Cell<Duration>,
    /// What each request has used here since the threads were last idle.
    used: RefCell<FxHashMap<u32, Duration>>,
    next_look: RefCell<Option<Pin<Box<Sleep>>>>,
    /// Has [`Turns::poll`] called.
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

/// Ends a turn when it is dropped.
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
    /// How many calls may run or wait at once.
    pub fn set_max(&self, max: usize) {
        self.max.set(max);
    }

    /// Calls that run or wait.
    pub fn pending(&self) -> usize {
        self.lanes.borrow().iter().filter(|lane| lane.request.get().is_some()).count()
            + self.waiting.borrow().len()
    }

    /// Calls that found too many others waiting, since start.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Charges requests, which JavaScript calls by these numbers, for what the threads have used. Comes again while they work.
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

    /// Charges the request for what `poll` uses of this thread, which is work that nobody else sees.
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

    /// Notes what the threads have used. Says whether any of them works.
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

    /// Gives a free thread to the request `id`.
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

    /// A place among those who wait, for the request `id`.
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

    /// A thread for the request `id`, when it is its turn.
    async fn turn(&self, in_flight: &InFlight, id: u32) -> Result<usize, JsErrorBox> {
        if let Some(lane) = self.take(id)? {
            return Ok(lane);
        }
        let turn = self.wait(in_flight, id)?;
        turn.await.unwrap_or_else(|_| Err(gone()))
    }

    /// A thread is free again: whose request has used the least of those who wait gets it.
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

    /// Drops what nobody wants any more: its client has gone, and no `waitUntil` of that request is under way.
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
            // As long as the process: what is entered must outlive the call.
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

/// Makes this thread one for such work; returns its CPU clock.
#[allow(unsafe_code, reason = "libc has no safe form of it")]
fn enter_thread() -> i32 {
    // SAFETY: it is about the thread that calls, and has no preconditions.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    clock_of_this_thread()
}

/// The clock by which any thread knows the CPU time of this one.
#[allow(unsafe_code, reason = "libc has no safe form of it")]
pub fn clock_of_this_thread() -> i32 {
    let mut clock = 0;
    // SAFETY: it is about the thread that calls, and the clock is written where there is room for it.
    unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
    clock
}

/// What a thread has used, by its clock; nothing if it has ended.
#[allow(unsafe_code, reason = "libc has no safe form of it")]
pub fn time_of(clock: i32) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written where there is room for it; a clock that is none is an error.
    if clock == 0 || unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Duration::ZERO;
    }
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// The worker's threads, from op state.
pub(crate) fn turns(state: &OpState) -> Rc<Turns> {
    state.borrow::<Rc<Turns>>().clone()
}

/// Does work for the request `id` on one of the threads, when it is its turn.
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

/// A thread for the request, if one is free: its number from 1. Otherwise 0.
#[op2(fast)]
#[smi]
pub(crate) fn op_turn_take(state: &mut OpState, #[smi] request: u32) -> Result<u32, JsErrorBox> {
    Ok(turns(state).take(request)?.map_or(0, |lane| lane as u32 + 1))
}

/// A thread for the request, when it is its turn.
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

/// Calls a function, which puts its work on this thread. Nothing of an app's may run in it: neither timers nor connections work
/// there.
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
    // Left in any case, also if JavaScript is ended meanwhile.
    let _entered = handle.enter();
    let called = call.call(scope, this, &arguments);
    // What it has thrown goes on to whoever called this.
    Ok(called.unwrap_or_else(|| v8::undefined(scope).into()))
}

/// The work is done: the thread is another's.
#[op2(fast)]
pub(crate) fn op_turn_end(state: &mut OpState, #[smi] number: u32) {
    let in_flight = in_flight(state);
    turns(state).end(&in_flight, (number as usize).wrapping_sub(1));
}
