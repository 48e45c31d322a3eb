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
use crate::process::exit_now;

thread_local! {
    /// Where V8's callbacks find it: they run on the isolate's thread.
    static GUARD: RefCell<Option<Arc<Guard>>> = const { RefCell::new(None) };
    /// What was in use after the last collection of new objects, in bytes, if that was not looked at yet.
    static USED: Cell<Option<u64>> = const { Cell::new(None) };
    /// What has survived the last full collection, in bytes.
    static LIVE: Cell<u64> = const { Cell::new(0) };
}

/// Least room beyond the limit in which terminated JavaScript unwinds and the request is answered, in bytes.
const UNWIND_ROOM: usize = 16 * 1024 * 1024;

/// V8's parameters for a heap of at most `limit` bytes.
pub(crate) fn create_params(limit: u64) -> v8::CreateParams {
    v8::CreateParams::default().heap_limits(0, usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Interrupts JavaScript when the heap comes near its limit, and has the supervisor know what survives each full collection.
pub(crate) fn watch(runtime: &mut JsRuntime, guard: Arc<Guard>) {
    let isolate = runtime.v8_isolate().thread_safe_handle();
    runtime.v8_isolate().set_oom_error_handler(on_fatal);
    GUARD.replace(Some(guard.clone()));
    let full = v8::GCType::kGCTypeMarkSweepCompact;
    runtime.v8_isolate().add_gc_epilogue_callback(on_collected, std::ptr::null_mut(), full);
    let young = v8::GCType::kGCTypeScavenge;
    runtime.v8_isolate().add_gc_epilogue_callback(on_scavenged, std::ptr::null_mut(), young);
    runtime.add_near_heap_limit_callback(move |current, _initial| {
        if !guard.tear(Torn::OutOfMemory) && guard.torn() == Some(Torn::OutOfMemory) {
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
    GUARD.with_borrow(|guard| guard.iter().for_each(|guard| guard.witness.collected(live)));
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
