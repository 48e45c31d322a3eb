//! Memory: the V8 heap limit, at which the worker ends with a reason of its own before the machine swaps, when V8 is asked to
//! collect, and what is given back once an app is loaded.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Instant;

use deno_core::{JsRuntime, v8};
use nano_protocol::exit;

use crate::collections::Collections;
use crate::cpu_time;
use crate::guard::{Guard, Torn};
use crate::sandbox::end::exit_now;

thread_local! {
    /// Where V8's callbacks find it: they run on the isolate's thread.
    static GUARD: RefCell<Option<Arc<Guard>>> = const { RefCell::new(None) };
    /// What was in use after the last collection of new objects, in bytes, if that was not looked at yet.
    static USED: Cell<Option<u64>> = const { Cell::new(None) };
    /// What has survived the last full collection, in bytes.
    static LIVE: Cell<u64> = const { Cell::new(0) };
    /// How much that may be.
    static LIMIT: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Whether terminated JavaScript has been given room to unwind.
    static UNWINDS: Cell<bool> = const { Cell::new(false) };
}

/// Least room beyond the limit in which terminated JavaScript unwinds and the request is answered, in bytes.
const UNWIND_ROOM: usize = 16 * 1024 * 1024;

/// V8's parameters for a heap of `limit` bytes. It takes them for what its pages take, of which objects may leave a third empty.
pub(crate) fn create_params(limit: u64) -> v8::CreateParams {
    v8::CreateParams::default().heap_limits(0, usize::try_from(limit).unwrap_or(usize::MAX))
}

/// What V8's own limit becomes when it says that `current` is reached, where this much was alive after the last full collection,
/// and may be; nothing if the heap is full.
fn raised(current: usize, live: u64, limit: u64) -> Option<usize> {
    let most = usize::try_from(limit / 2 * 3).unwrap_or(usize::MAX);
    let room = limit.saturating_sub(live);
    // With little alive there is nothing to end: V8 is asked for one thing that is too large.
    let is_full = room < limit / 32 || (current >= most && live >= limit / 2);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    (!is_full).then(|| current.max(most.min(current.saturating_add(room))))
}

/// Interrupts JavaScript when more is alive in the heap than the limit, and has the supervisor know what survives each full
/// collection.
pub(crate) fn watch(runtime: &mut JsRuntime, guard: Arc<Guard>, limit: u64) {
    let isolate = runtime.v8_isolate().thread_safe_handle();
    LIMIT.set(limit);
    runtime.v8_isolate().set_oom_error_handler(on_fatal);
    GUARD.replace(Some(guard.clone()));
    let full = v8::GCType::kGCTypeMarkSweepCompact;
    runtime.v8_isolate().add_gc_epilogue_callback(on_collected, std::ptr::null_mut(), full);
    let young = v8::GCType::kGCTypeScavenge;
    runtime.v8_isolate().add_gc_epilogue_callback(on_scavenged, std::ptr::null_mut(), young);
    runtime.add_near_heap_limit_callback(move |current, _initial| {
        if guard.torn().is_none()
            && let Some(raised) = raised(current, LIVE.get(), limit)
        {
            return raised;
        }
        guard.tear(Torn::OutOfMemory);
        if UNWINDS.replace(true) && guard.torn() == Some(Torn::OutOfMemory) {
            // Called again: it grows faster than it unwinds.
            exit_now(exit::OUT_OF_MEMORY);
        }
        // JavaScript is ended where V8 can tell for whom it runs.
        isolate.request_interrupt(cpu_time::on_last_straw, std::ptr::null_mut());
        current + UNWIND_ROOM.max(current / 8)
    });
}

/// Has V8 collect all there is, if that is due: to be called while no JavaScript runs. Whether it has.
pub(crate) fn look(runtime: &mut JsRuntime, collections: &mut Collections) -> bool {
    // New objects are collected all the time where any are made; else there is nothing to look at.
    let Some(used) = USED.take() else { return false };
    let begun = Instant::now();
    collections.collected(LIVE.get());
    if !collections.is_due(used, begun) {
        return false;
    }
    runtime.v8_isolate().memory_pressure_notification(v8::MemoryPressureLevel::Critical);
    collections.took(begun.elapsed());
    true
}

/// Gives back to the system what loading an app has left free in the C library's heap: an idle worker is smaller by it.
#[allow(unsafe_code, reason = "there is no safe malloc_trim")]
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim has no preconditions; it only returns pages that nothing uses.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// V8 has made a full collection, on the isolate's thread.
#[allow(unsafe_code, reason = "V8 hands the isolate over as a raw pointer")]
unsafe extern "C" fn on_collected(
    mut isolate: v8::UnsafeRawIsolatePtr,
    _type: v8::GCType,
    _flags: v8::GCCallbackFlags,
    _data: *mut c_void,
) {
    // SAFETY: V8 passes the isolate whose heap it has collected, and only its counts are read.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut(&mut isolate) };
    let live = isolate.get_heap_statistics().used_heap_size() as u64;
    LIVE.set(live);
    GUARD.with_borrow(|guard| {
        let Some(guard) = guard else { return };
        guard.witness.collected(live);
        if live > LIMIT.get() && guard.tear(Torn::OutOfMemory) {
            isolate.thread_safe_handle().request_interrupt(cpu_time::on_last_straw, std::ptr::null_mut());
        }
    });
}

/// V8 has collected new objects, on the isolate's thread.
#[allow(unsafe_code, reason = "V8 hands the isolate over as a raw pointer")]
unsafe extern "C" fn on_scavenged(
    mut isolate: v8::UnsafeRawIsolatePtr,
    _type: v8::GCType,
    _flags: v8::GCCallbackFlags,
    _data: *mut c_void,
) {
    // SAFETY: V8 passes the isolate whose heap it has collected, and only its counts are read.
    let isolate = unsafe { v8::Isolate::ref_from_raw_isolate_ptr_mut(&mut isolate) };
    USED.set(Some(isolate.get_heap_statistics().used_heap_size() as u64));
}

/// V8 would abort with a core dump; the worker says what it was instead.
#[allow(unsafe_code, reason = "the type of V8's callback; the body does nothing unsafe")]
unsafe extern "C" fn on_fatal(_location: *const c_char, _details: &v8::OomDetails) {
    exit_now(exit::OUT_OF_MEMORY);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// How much can be alive, in MiB, before JavaScript is ended, and what V8 holds then, where this share of it is gaps.
    fn fill(limit: usize, gaps: f64) -> (usize, usize) {
        let (mut current, mut live) = (limit * MIB / 10 * 9, 0);
        loop {
            live += MIB;
            let held = (live as f64 / (1.0 - gaps)) as usize;
            while held > current {
                match raised(current, live as u64, (limit * MIB) as u64) {
                    Some(raised) if raised > current => current = raised,
                    _ => return (live / MIB, held / MIB),
                }
            }
        }
    }

    #[test]
    fn what_counts_is_what_is_alive_and_not_what_lies_between() {
        for limit in [32, 64, 128, 1024] {
            for gaps in [0.0, 0.1, 0.25, 0.33] {
                let (live, held) = fill(limit, gaps);
                assert!(live * 100 >= limit * 96 && live <= limit + 1, "{limit} {gaps}: {live}");
                assert!(held <= limit * 3 / 2 + 2, "{limit} {gaps}: {held}");
            }
            // Whatever V8 does with the rest.
            let (live, held) = fill(limit, 0.9);
            assert!(live < limit && held <= limit * 3 / 2 + 20, "{limit}: {live} {held}");
        }
    }

    #[test]
    fn a_thing_that_is_too_large_alone_ends_nothing() {
        let limit = 64 * MIB as u64;
        let raised_once = raised(58 * MIB, 5 * MIB as u64, limit).unwrap();
        assert_eq!(raised_once, 96 * MIB);
        assert_eq!(raised(raised_once, 5 * MIB as u64, limit), Some(raised_once));
        assert_eq!(raised(raised_once, 40 * MIB as u64, limit), None);
    }
}
