//! The async runtime of commands.

use std::io;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// A runtime on the current thread.
pub(super) fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}
