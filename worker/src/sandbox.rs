//! What confines a worker, and what ends it at once: one file per mechanism.
//!
//! - [`end`]: its end, with the supervisor, of a fault, and by itself.
//! - [`cgroup`]: the control group that it counts in.
//! - [`descriptors`]: what it keeps of what it has inherited.

pub(crate) mod cgroup;
pub(crate) mod descriptors;
pub(crate) mod end;
