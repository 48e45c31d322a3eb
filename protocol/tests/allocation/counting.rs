//! An allocator that counts per thread, because tests run in parallel.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// The bytes that this thread has allocated, minus those it has freed.
    static NOW: Cell<isize> = const { Cell::new(0) };
    /// The highest value of `NOW` so far.
    static PEAK: Cell<isize> = const { Cell::new(0) };
    /// The number of allocations.
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a count of the allocations.
#[derive(Debug)]
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the most bytes that this thread had allocated while `run` ran, beyond those it had before.
pub(crate) fn peak_of(run: impl FnOnce()) -> usize {
    let before = NOW.get();
    PEAK.set(before);
    run();
    usize::try_from(PEAK.get() - before).expect("a peak is no less than the start")
}

/// Returns how often this thread allocates while `run` runs.
pub(crate) fn allocations_of(run: impl FnOnce()) -> usize {
    let before = TIMES.get();
    run();
    TIMES.get() - before
}

fn count(more: usize, less: usize) {
    // Neither cell has a destructor, so both can be used as long as the thread can allocate.
    NOW.set(NOW.get() + more as isize - less as isize);
    TIMES.set(TIMES.get() + usize::from(more > 0));
    PEAK.set(PEAK.get().max(NOW.get()));
}

#[allow(unsafe_code, reason = "an allocator cannot be counted otherwise")]
// SAFETY: every call is passed on to the system's allocator unchanged, and counting does not allocate.
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
        // SAFETY: `block` came from `System` with this layout, because every allocation here does.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the bytes are copied.
        count(size, 0);
        count(0, layout.size());
        // SAFETY: `block` came from `System` with this layout, and the caller guarantees that `size` is valid.
        unsafe { System.realloc(block, layout, size) }
    }
}
