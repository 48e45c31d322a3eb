//! Whether a listening address goes on, as those who accept from it and its connections are told.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::watch;

/// Whether a listening address goes on.
#[derive(Debug, Clone)]
pub(crate) struct Closing {
    /// Changes when it does not.
    pub stop: watch::Receiver<()>,
    /// True from then on.
    pub is_closing: Rc<Cell<bool>>,
}

/// The other end of a [`Closing`].
#[derive(Debug)]
pub(crate) struct Closer {
    stop: watch::Sender<()>,
    is_closing: Rc<Cell<bool>>,
}

impl Closing {
    /// One that goes on.
    pub(crate) fn new() -> (Closer, Self) {
        let (sender, stop) = watch::channel(());
        let is_closing = Rc::default();
        (Closer { stop: sender, is_closing: Rc::clone(&is_closing) }, Self { stop, is_closing })
    }
}

impl Closer {
    /// Closes it, and waits until every connection has ended. HTTP/2 clients are told at once to send nothing more, others
    /// with their next answer; one that is idle for a moment is closed.
    pub(crate) async fn close(self) {
        self.is_closing.set(true);
        let _ = self.stop.send(());
        self.stop.closed().await;
    }
}
