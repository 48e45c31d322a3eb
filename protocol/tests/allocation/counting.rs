//! An allocator that counts, thread by thread: tests run side by side.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes allocated by this thread, less the bytes it has freed.
    static NOW: Cell<isize> = const { Cell::new(0) };
    /// The most that was ever.
    static PEAK: Cell<isize> = const { Cell::new(0) };
    /// How often it was allocated.
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, and a count of what goes through it.
#[derive(Debug)]
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that this thread had allocated at once while `run` ran, beyond those it had before.
pub(crate) fn peak_of(run: impl FnOnce()) -> usize {
    let before = NOW.get();
    PEAK.set(before);
    run();
    usize::try_from(PEAK.get() - before).expect("a peak is no less than the start")
}

/// How often this thread allocates while `run` runs.
pub(crate) fn allocations_of(run: impl FnOnce()) -> usize {
    let before = TIMES.get();
    run();
    TIMES.get() - before
}

fn count(more: usize, less: usize) {
    // Neither cell has a destructor, so both can be used for as long as the thread allocates.
    NOW.set(NOW.get() + more as isize - less as isize);
    TIMES.set(TIMES.get() + usize::from(more > 0));
    PEAK.set(PEAK.get().max(NOW.get()));
}

#[allow(unsafe_code, reason = "an allocator cannot be counted otherwise")]
// SAFETY: every call is handed to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps to the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps to the contract of `alloc_zeroed`, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: `block` came from `System` with this layout, for everything here does.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the bytes move.
        count(size, 0);
        count(0, layout.size());
        // SAFETY: `block` came from `System` with this layout, and the caller answers for `size`.
        unsafe { System.realloc(block, layout, size) }
    }
}
