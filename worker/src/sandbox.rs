//! Confines a worker process and ends it at once: one file per mechanism.
//!
//! - [`end`]: ends the process when the supervisor dies, on a fault, and by itself.
//! - [`stack`]: how deep the app's thread may recurse in native code.
//! - [`cgroup`]: the control group in which the kernel counts what the worker uses.
//! - [`descriptors`]: takes over the inherited descriptors that a worker needs, and closes the others.

pub(crate) mod cgroup;
pub(crate) mod descriptors;
pub(crate) mod end;
pub(crate) mod stack;
