//! Rust values that JavaScript owns.

/// Lets JavaScript own values of a type, freed with the garbage. The type must hold no references into the garbage-collected
/// heap, such as `v8::cppgc::Member`: they are not traced. `$name` is what heap snapshots call it.
macro_rules! untraced {
    ($type:ty, $name:literal) => {
        #[allow(unsafe_code, reason = "cppgc wants this promise of every type it manages")]
        // SAFETY: it holds no references into the garbage-collected heap, so there is nothing to trace.
        unsafe impl deno_core::GarbageCollected for $type {
            fn trace(&self, _visitor: &mut deno_core::v8::cppgc::Visitor) {}

            fn get_name(&self) -> &'static std::ffi::CStr {
                $name
            }
        }
    };
}
