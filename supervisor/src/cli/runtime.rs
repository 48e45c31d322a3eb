//! What commands wait on.

use std::io;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// An event loop of this thread.
pub(super) fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}
