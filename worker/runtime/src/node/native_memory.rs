//! Memory that objects of JavaScript hold outside of V8's heap: streams, keys, ciphers and the like. V8 is told how much it is, so that
//! it collects those that nobody uses any more before they fill the memory of the worker.

use std::cell::Cell;

use deno_core::{op2, v8};

thread_local! {
    /// Bytes that all such objects hold.
    static HELD: Cell<i64> = const { Cell::new(0) };
    /// Bytes that V8 knows of.
    static REPORTED: Cell<i64> = const { Cell::new(0) };
}

/// The memory of one object. It counts until it is dropped.
#[derive(Debug, Default)]
pub(super) struct NativeMemory(Cell<i64>);

impl NativeMemory {
    /// Counts so many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        let memory = Self::default();
        memory.set(bytes);
        memory
    }

    /// Adds bytes that were allocated.
    pub(super) fn add(&self, bytes: usize) {
        self.change(signed(bytes));
    }

    /// Subtracts bytes that were freed.
    pub(super) fn subtract(&self, bytes: usize) {
        self.change(-signed(bytes));
    }

    /// Sets how many bytes the object holds.
    pub(super) fn set(&self, bytes: usize) {
        self.change(signed(bytes) - self.0.get());
    }

    fn change(&self, bytes: i64) {
        self.0.set(self.0.get() + bytes);
        HELD.set(HELD.get() + bytes);
    }
}

impl Drop for NativeMemory {
    fn drop(&mut self) {
        self.set(0);
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Tells V8 how much all such objects hold. Returns how many bytes objects hold outside of its heap, buffers included. It takes no
/// buffers: V8 may collect garbage and move their bytes.
#[op2(nofast)]
#[number]
pub(crate) fn op_native_memory(isolate: &mut v8::Isolate) -> i64 {
    let held = HELD.get();
    isolate.adjust_amount_of_external_allocated_memory(held - REPORTED.replace(held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_object_holds_counts_until_it_is_dropped() {
        let before = HELD.get();
        let [one, two] = [(); 2].map(|()| NativeMemory::default());
        one.add(100);
        one.subtract(30);
        two.set(5);
        two.set(7);
        assert_eq!(HELD.get() - before, 77);
        drop(one);
        assert_eq!(HELD.get() - before, 7);
        drop(two);
        assert_eq!(HELD.get(), before);
    }
}
