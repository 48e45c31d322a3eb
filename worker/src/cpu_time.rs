//! The CPU time of requests (`cpu_time`), by samples. While JavaScript runs, the watchdog's thread asks V8 every few
//! milliseconds to say on its own thread which request it runs for, and that request is charged with what the thread has used
//! since the last time. Waiting costs nothing, and a request pays for the sampling only while it is sampled. Where native code
//! keeps V8 from coming round to it, the watchdog's thread looks at the clock itself: all of that is one call, of one request.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use deno_core::{JsRuntime, v8};
use nano_runtime::{InFlight, clock_of_this_thread, running_request, time_of};
use nix::libc;
use rustc_hash::FxHashMap;

use crate::guard::{Guard, Torn};

/// Requests whose CPU time is remembered. Beyond it, those that have used the least are forgotten.
const REMEMBERED: usize = 4096;

thread_local! {
    /// Where an interrupted isolate finds its meter: on its own thread, whenever V8 comes round to it.
    static METER: RefCell<Option<Rc<Meter>>> = const { RefCell::new(None) };
}

/// What the watchdog's thread asks for.
#[derive(Debug, Default)]
struct Ask {
    /// V8 has been asked and has not come round to it.
    is_pending: AtomicBool,
    /// The entry into JavaScript that it is about.
    entry: AtomicU64,
    /// Most that may be charged, in nanoseconds: what has passed since the last sample.
    at_most: AtomicU64,
}

/// The watchdog's end: asks for samples.
pub(crate) struct Sampler {
    ask: Arc<Ask>,
    isolate: v8::IsolateHandle,
    /// The CPU clock of the JavaScript thread.
    clock: i32,
    limit: Duration,
    /// The entry that V8 was asked about and has not come round to, and the thread's CPU time when it was.
    asked: Cell<(u64, Duration)>,
}

/// The JavaScript thread's end: charges requests.
pub(crate) struct Meter {
    ask: Arc<Ask>,
    guard: Arc<Guard>,
    in_flight: Rc<InFlight>,
    isolate: v8::IsolateHandle,
    context: v8::Global<v8::Context>,
    limit: Duration,
    used: RefCell<FxHashMap<u32, Duration>>,
    /// The thread's CPU time at the last sample.
    charged: Cell<Duration>,
    /// The entry into JavaScript at the last sample, and the request it ran for, zero for none.
    latest: Cell<(u64, u32)>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Sampler {
    /// JavaScript runs, in this entry: a sample is wanted, which charges at most `passed`. Says whether V8 has not come round to
    /// the last one while the thread has used more CPU time than a request may.
    pub(crate) fn sample(&self, entry: u64, passed: Duration) -> bool {
        let ask = &self.ask;
        let passed = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
        if ask.is_pending.load(Ordering::Acquire) {
            // Native code keeps V8 from coming round to it; or that entry has ended meanwhile.
            let before = if ask.entry.load(Ordering::Relaxed) == entry {
                ask.at_most.load(Ordering::Relaxed)
            } else {
                0
            };
            ask.at_most.store(before.saturating_add(passed), Ordering::Relaxed);
            ask.entry.store(entry, Ordering::Release);
            let (now, (asked, then)) = (time_of(self.clock), self.asked.get());
            if asked != entry {
                self.asked.set((entry, now));
            }
            return asked == entry && now.saturating_sub(then) > self.limit;
        }
        ask.entry.store(entry, Ordering::Relaxed);
        ask.at_most.store(passed, Ordering::Relaxed);
        ask.is_pending.store(true, Ordering::Release);
        self.isolate.request_interrupt(on_interrupt, std::ptr::null_mut());
        self.asked.set((entry, time_of(self.clock)));
        false
    }
}

impl Meter {
    /// A meter for the isolate of this thread, and the end that has it sample.
    pub(crate) fn start(
        runtime: &mut JsRuntime,
        guard: Arc<Guard>,
        in_flight: Rc<InFlight>,
        limit: Duration,
    ) -> (Rc<Self>, Sampler) {
        let ask = Arc::<Ask>::default();
        let isolate = runtime.v8_isolate().thread_safe_handle();
        let sampler = Sampler {
            ask: ask.clone(),
            isolate: isolate.clone(),
            clock: clock_of_this_thread(),
            limit,
            asked: Cell::default(),
        };
        let meter = Rc::new(Self {
            ask,
            guard,
            in_flight,
            isolate,
            context: runtime.main_context(),
            limit,
            used: RefCell::default(),
            charged: Cell::new(thread_time()),
            latest: Cell::new((0, 0)),
        });
        METER.replace(Some(meter.clone()));
        (meter, sampler)
    }

    /// The request that JavaScript ran for at the last sample, if that was in this entry.
    pub(crate) fn latest(&self, entry: u64) -> Option<u32> {
        let (sampled, request) = self.latest.get();
        (sampled == entry && request != 0).then_some(request)
    }

    fn on_interrupt(&self, isolate: &mut v8::Isolate) {
        let at_most = Duration::from_nanos(self.ask.at_most.load(Ordering::Relaxed));
        let entry = self.ask.entry.load(Ordering::Acquire);
        self.ask.is_pending.store(false, Ordering::Release);
        // V8 may come round to it only in a later entry, and that is not the one it was about.
        if self.guard.running() != Some(entry) || self.guard.torn().is_some() {
            return;
        }
        let now = thread_time();
        let due = now.saturating_sub(self.charged.replace(now)).min(at_most);
        v8::scope_with_context!(scope, isolate, &self.context);
        let request = running_request(scope).unwrap_or_default();
        self.latest.set((entry, request));
        self.in_flight.testify(&self.guard.witness, request);
        self.guard.witness.runs(entry, self.in_flight.name(request));
        if request != 0 && self.charge(request, due) > self.limit && self.guard.tear(Torn::CpuTime) {
            self.isolate.terminate_execution();
        }
    }

    /// Remembers for whom JavaScript runs now.
    fn note(&self, isolate: &mut v8::Isolate) {
        let Some(entry) = self.guard.running() else { return };
        v8::scope_with_context!(scope, isolate, &self.context);
        self.latest.set((entry, running_request(scope).unwrap_or_default()));
    }

    /// Charges a request for what another thread has used for it, while JavaScript does not run.
    pub(crate) fn charge_elsewhere(&self, request: u32, due: Duration) {
        if self.charge(request, due) > self.limit && self.guard.tear(Torn::CpuTime) {
            // It is the one to blame, whatever ran last here.
            self.latest.set((self.guard.left().unwrap_or_default(), request));
        }
    }

    /// Charges a request; returns what it has used by now.
    fn charge(&self, request: u32, due: Duration) -> Duration {
        let mut all = self.used.borrow_mut();
        if all.len() >= REMEMBERED {
            let mut amounts: Vec<_> = all.values().copied().collect();
            let (_, median, _) = amounts.select_nth_unstable(REMEMBERED / 2);
            let median = *median;
            all.retain(|_, used| *used > median);
        }
        let used = all.entry(request).or_default();
        *used += due;
        *used
    }
}

/// CPU time of this thread.
fn thread_time() -> Duration {
    time_of(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The heap is full: notes whose straw was the last, and ends JavaScript. On the isolate's thread, between two instructions.
#[allow(unsafe_code, reason = "V8 hands the isolate over as a raw pointer")]
pub(crate) unsafe extern "C" fn on_last_straw(mut isolate: v8::UnsafeRawIsolatePtr, _data: *mut c_void) {
    // SAFETY: V8 passes the isolate that it interrupts, which nothing else uses until this returns.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut(&mut isolate) };
    if let Some(meter) = METER.with_borrow(Clone::clone) {
        meter.note(isolate);
    }
    isolate.thread_safe_handle().terminate_execution();
}

/// V8 has come round to a sample, on the isolate's thread and between two instructions of JavaScript.
#[allow(unsafe_code, reason = "V8 hands the isolate over as a raw pointer")]
unsafe extern "C" fn on_interrupt(mut isolate: v8::UnsafeRawIsolatePtr, _data: *mut c_void) {
    let Some(meter) = METER.with_borrow(Clone::clone) else { return };
    // SAFETY: V8 passes the isolate that it interrupts, which nothing else uses until this returns.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut(&mut isolate) };
    meter.on_interrupt(isolate);
}
