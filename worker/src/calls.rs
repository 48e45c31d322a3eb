//! Calls to the supervisor, over streams that the worker opens on the control connection. Nothing waits for their answers. They
//! are sent at the end of a tick, as far as credit allows.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::iter::empty;
use std::task::{Context, Poll};

use bytes::Bytes;
use nano_protocol::{Call, Handle, Head, ProtocolError, Receiver, Sender};

/// Calls that are open at once. The supervisor processes fewer than that at a time.
const AT_ONCE: usize = 8;

/// The calls of this worker.
#[derive(Debug)]
pub(crate) struct Calls {
    handle: Handle,
    waiting: RefCell<VecDeque<(Call, Bytes)>>,
    open: RefCell<Vec<Open>>,
}

/// A call that has no answer yet.
#[derive(Debug)]
struct Open {
    sender: Sender,
    receiver: Receiver,
    body: Bytes,
}

impl Calls {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, waiting: RefCell::default(), open: RefCell::default() }
    }

    /// Asks the supervisor to store something in the app's cache. Only the next start shows whether it has done so.
    pub(crate) fn keep(&self, name: u128, contents: Bytes) {
        self.waiting.borrow_mut().push_back((Call::Keep { name }, contents));
    }

    /// Makes progress with the open calls, and opens waiting ones.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) {
        let mut open = self.open.borrow_mut();
        open.retain_mut(|call| call.poll(cx).is_pending());
        let mut waiting = self.waiting.borrow_mut();
        while open.len() < AT_ONCE
            && let Some((call, body)) = waiting.pop_front()
        {
            match self.handle.open(&Head::Call(call), 0, empty(), body.is_empty()) {
                Ok((sender, receiver)) => {
                    let mut call = Open { sender, receiver, body };
                    if call.poll(cx).is_pending() {
                        open.push(call);
                    }
                }
                // The connection has ended, so this worker ends as well.
                Err(ProtocolError::Disconnected) => waiting.clear(),
                Err(_) => {}
            }
        }
    }
}

impl Open {
    /// Sends what credit allows. Ready when there is an answer, or when there will be none.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.body.is_empty() {
            // If this fails, `poll_head` says so.
            let _ = self.sender.poll_send(cx, &mut self.body, true);
        }
        self.receiver.poll_head(cx).map(|_| ())
    }
}
