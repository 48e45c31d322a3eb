//! Tells the accept loop and the connections of a listening address that it is being closed.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::watch;

/// The receiving end, for the accept loop and for connections.
#[derive(Debug, Clone)]
pub(crate) struct Closing {
    /// Changes when the address is closed.
    pub stop: watch::Receiver<()>,
    /// True once the address is being closed. Cheaper to read than `stop`.
    pub is_closing: Rc<Cell<bool>>,
}

/// The sending end of a [`Closing`].
#[derive(Debug)]
pub(crate) struct Closer {
    stop: watch::Sender<()>,
    is_closing: Rc<Cell<bool>>,
}

impl Closing {
    /// Creates both ends, for an address that is open.
    pub(crate) fn new() -> (Closer, Self) {
        let (sender, stop) = watch::channel(());
        let is_closing = Rc::default();
        (Closer { stop: sender, is_closing: Rc::clone(&is_closing) }, Self { stop, is_closing })
    }
}

impl Closer {
    /// Closes the address, and waits until every connection has ended. HTTP/2 clients get GOAWAY as soon as they have sent a
    /// request, others `connection: close` with their next response; connections that stay idle for a moment are closed.
    pub(crate) async fn close(self) {
        self.is_closing.set(true);
        let _ = self.stop.send(());
        self.stop.closed().await;
    }
}
