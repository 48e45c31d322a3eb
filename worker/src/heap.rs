//! Memory of the isolate: enforces the limit of the V8 heap, at which the worker ends with its own exit code before the machine
//! swaps; asks V8 for collections; and returns free memory to the system once an app is loaded.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Instant;

use deno_core::{JsRuntime, v8};
use nano_protocol::exit;

use crate::collections::Collections;
use crate::cpu_time;
use crate::guard::{Guard, Termination};
use crate::sandbox::end::exit_now;

thread_local! {
    /// The guard, for V8's callbacks: they run on the isolate's thread.
    static GUARD: RefCell<Option<Arc<Guard>>> = const { RefCell::new(None) };
    /// Bytes in use after the last collection of new objects. [`look`] takes the number.
    static USED: Cell<Option<u64>> = const { Cell::new(None) };
    /// Bytes that survived the last full collection.
    static LIVE: Cell<u64> = const { Cell::new(0) };
    /// Most bytes that may survive a full collection.
    static LIMIT: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Whether V8's limit has been raised for terminated JavaScript to unwind.
    static UNWINDS: Cell<bool> = const { Cell::new(false) };
}

/// Least memory beyond the limit for terminated JavaScript to unwind and for the request to be answered, in bytes.
const UNWIND_ROOM: usize = 16 * 1024 * 1024;

/// Returns V8's parameters for a heap of `limit` bytes. V8 applies the limit to its pages, a third of which may be gaps between
/// objects; so [`raised`] raises it.
pub(crate) fn create_params(limit: u64) -> v8::CreateParams {
    v8::CreateParams::default().heap_limits(0, usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Returns V8's new limit when V8 has reached `current`; none if the heap is full. `live` bytes were alive after the last full
/// collection, of at most `limit`.
fn raised(current: usize, live: u64, limit: u64) -> Option<usize> {
    let most = usize::try_from(limit / 2 * 3).unwrap_or(usize::MAX);
    let room = limit.saturating_sub(live);
    // If little is alive at the highest limit, the heap is not full: a single allocation is too large, and fails by itself.
    let is_full = room < limit / 32 || (current >= most && live >= limit / 2);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    (!is_full).then(|| current.max(most.min(current.saturating_add(room))))
}

/// Interrupts JavaScript when more of the heap is alive than the limit allows, and records for the supervisor how much survives
/// each full collection.
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
        if guard.termination().is_none()
            && let Some(raised) = raised(current, LIVE.get(), limit)
        {
            return raised;
        }
        guard.terminate(Termination::OutOfMemory);
        if UNWINDS.replace(true) && guard.termination() == Some(Termination::OutOfMemory) {
            // Called again after the heap was full: JavaScript allocates faster than it unwinds.
            exit_now(exit::OUT_OF_MEMORY);
        }
        // An interrupt ends JavaScript at a point at which V8 knows for which request it runs.
        isolate.request_interrupt(cpu_time::on_last_straw, std::ptr::null_mut());
        current + UNWIND_ROOM.max(current / 8)
    });
}

/// Has V8 make a full collection, if one is due, and returns whether it has. Must be called while no JavaScript runs.
pub(crate) fn look(runtime: &mut JsRuntime, collections: &mut Collections) -> bool {
    // V8 collects new objects all the time while JavaScript allocates. If it has not, nothing has changed.
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

/// Returns free memory of the C library's heap to the system. Loading an app leaves some, and an idle worker is smaller without.
#[allow(unsafe_code, reason = "there is no safe malloc_trim")]
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim has no preconditions. It only returns pages that nothing uses.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// Called by V8 after a full collection, on the isolate's thread.
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
        if live > LIMIT.get() && guard.terminate(Termination::OutOfMemory) {
            isolate.thread_safe_handle().request_interrupt(cpu_time::on_last_straw, std::ptr::null_mut());
        }
    });
}

/// Called by V8 after a collection of new objects, on the isolate's thread.
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

/// Called by V8 before it aborts with a core dump. The worker exits with the code of the cause instead.
#[allow(unsafe_code, reason = "the type of V8's callback; the body does nothing unsafe")]
unsafe extern "C" fn on_fatal(_location: *const c_char, _details: &v8::OomDetails) {
    exit_now(exit::OUT_OF_MEMORY);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// Returns how much can be alive before JavaScript is ended, and the size of V8's heap then, both in MiB, if `gaps` is the
    /// fraction of the heap that is gaps.
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
            // A heap that is nearly all gaps.
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
