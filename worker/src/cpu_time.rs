//! Measures the CPU time of requests (`cpu_time`) by samples. While JavaScript runs, the watchdog thread interrupts V8 every few
//! milliseconds. The interrupt runs on the JavaScript thread. It finds out for which request JavaScript runs, and charges that
//! request with the CPU time that the thread has used since the last sample. Waiting is not charged, and a request is slowed
//! down only when it is sampled. While native code delays the interrupt, the watchdog thread reads the CPU clock itself: all of
//! that time belongs to one call of one request.

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

use crate::guard::{Guard, Termination};

/// Most requests whose CPU time is kept. When there are more, the half that has used the least is dropped.
const REMEMBERED: usize = 4096;

thread_local! {
    /// The meter, for V8's interrupts: they run on the isolate's thread.
    static METER: RefCell<Option<Rc<Meter>>> = const { RefCell::new(None) };
}

/// The sample that the watchdog thread has requested last.
#[derive(Debug, Default)]
struct Ask {
    /// Whether V8 was asked to interrupt and has not taken the sample yet.
    is_pending: AtomicBool,
    /// The entry into JavaScript that the sample is for.
    entry: AtomicU64,
    /// Most that may be charged, in nanoseconds: the time since the last sample.
    at_most: AtomicU64,
}

/// Requests samples, on the watchdog thread.
pub(crate) struct Sampler {
    ask: Arc<Ask>,
    isolate: v8::IsolateHandle,
    /// The CPU clock of the JavaScript thread.
    clock: i32,
    limit: Duration,
    /// The entry of the pending sample, and the CPU time of the JavaScript thread when it was requested.
    asked: Cell<(u64, Duration)>,
}

/// Takes samples and charges requests, on the JavaScript thread.
pub(crate) struct Meter {
    ask: Arc<Ask>,
    guard: Arc<Guard>,
    in_flight: Rc<InFlight>,
    isolate: v8::IsolateHandle,
    context: v8::Global<v8::Context>,
    limit: Duration,
    used: RefCell<FxHashMap<u32, Duration>>,
    /// The CPU time of the thread at the last sample.
    charged: Cell<Duration>,
    /// The entry into JavaScript at the last sample, and the request that JavaScript ran for; zero for none.
    latest: Cell<(u64, u32)>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Sampler {
    /// Requests a sample of this entry into JavaScript, which charges at most `passed`. Returns whether the last sample is still
    /// pending although the thread has used more CPU time since than a request may.
    pub(crate) fn sample(&self, entry: u64, passed: Duration) -> bool {
        let ask = &self.ask;
        let passed = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
        if ask.is_pending.load(Ordering::Acquire) {
            // Native code delays the interrupt, or that entry has ended meanwhile.
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
    /// Creates the meter of the isolate on this thread, and the sampler for the watchdog thread.
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

    /// Returns the request that JavaScript ran for at the last sample, if that was in this entry.
    pub(crate) fn latest(&self, entry: u64) -> Option<u32> {
        let (sampled, request) = self.latest.get();
        (sampled == entry && request != 0).then_some(request)
    }

    fn on_interrupt(&self, isolate: &mut v8::Isolate) {
        let at_most = Duration::from_nanos(self.ask.at_most.load(Ordering::Relaxed));
        let entry = self.ask.entry.load(Ordering::Acquire);
        self.ask.is_pending.store(false, Ordering::Release);
        // V8 may run the interrupt only in a later entry, which is not the one that the sample is for.
        if self.guard.running() != Some(entry) || self.guard.termination().is_some() {
            return;
        }
        let now = thread_time();
        let due = now.saturating_sub(self.charged.replace(now)).min(at_most);
        v8::scope_with_context!(scope, isolate, &self.context);
        let request = running_request(scope).unwrap_or_default();
        let before = self.latest.replace((entry, request));
        self.in_flight.record_culprit(&self.guard.witness, request);
        // One sample may come before JavaScript has begun to run for a request. Then what was recorded at the entry stands: what
        // runs next may be native code, during which there is no other sample.
        if request != 0 || before == (entry, 0) {
            self.guard.witness.runs(entry, self.in_flight.name(request));
        }
        if request != 0
            && self.charge(request, due) > self.limit
            && self.guard.terminate(Termination::CpuTime)
        {
            self.isolate.terminate_execution();
        }
    }

    /// Records for which request JavaScript runs now.
    fn note(&self, isolate: &mut v8::Isolate) {
        let Some(entry) = self.guard.running() else { return };
        v8::scope_with_context!(scope, isolate, &self.context);
        self.latest.set((entry, running_request(scope).unwrap_or_default()));
    }

    /// Charges a request for CPU time of another thread, while JavaScript does not run.
    pub(crate) fn charge_elsewhere(&self, request: u32, due: Duration) {
        if self.charge(request, due) > self.limit && self.guard.terminate(Termination::CpuTime) {
            // This request is to blame, whichever one ran last on this thread.
            self.latest.set((self.guard.left().unwrap_or_default(), request));
        }
    }

    /// Forgets what a request has been charged with: something new begins that may use as much again.
    pub(crate) fn forgive(&self, request: u32) {
        self.used.borrow_mut().remove(&request);
    }

    /// Charges a request, and returns its CPU time so far.
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

fn thread_time() -> Duration {
    time_of(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The interrupt for a full heap: records for which request JavaScript runs, and ends JavaScript. Runs on the isolate's thread.
#[allow(unsafe_code, reason = "V8 hands the isolate over as a raw pointer")]
pub(crate) unsafe extern "C" fn on_last_straw(mut isolate: v8::UnsafeRawIsolatePtr, _data: *mut c_void) {
    // SAFETY: V8 passes the isolate that it interrupts, which nothing else uses until this returns.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut(&mut isolate) };
    if let Some(meter) = METER.with_borrow(Clone::clone) {
        meter.note(isolate);
    }
    isolate.thread_safe_handle().terminate_execution();
}

/// The interrupt for a sample. Runs on the isolate's thread.
#[allow(unsafe_code, reason = "V8 hands the isolate over as a raw pointer")]
unsafe extern "C" fn on_interrupt(mut isolate: v8::UnsafeRawIsolatePtr, _data: *mut c_void) {
    let Some(meter) = METER.with_borrow(Clone::clone) else { return };
    // SAFETY: V8 passes the isolate that it interrupts, which nothing else uses until this returns.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut(&mut isolate) };
    meter.on_interrupt(isolate);
}
