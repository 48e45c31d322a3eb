//! A socket in memory that a test fills and drains as it needs. It wakes no tasks: its users must poll.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One direction of the pipe.
#[derive(Debug, Default)]
struct Way {
    bytes: VecDeque<u8>,
    is_closed: bool,
}

/// One end of the pipe.
#[derive(Debug, Clone)]
pub(crate) struct Pipe {
    incoming: Rc<RefCell<Way>>,
    outgoing: Rc<RefCell<Way>>,
    /// The most bytes that its outgoing direction holds.
    capacity: usize,
}

impl Pipe {
    /// Creates both ends.
    pub(crate) fn pair(capacity: usize) -> (Self, Self) {
        let (one, other) = (Rc::<RefCell<Way>>::default(), Rc::<RefCell<Way>>::default());
        (
            Self { incoming: one.clone(), outgoing: other.clone(), capacity },
            Self { incoming: other, outgoing: one, capacity },
        )
    }

    /// Sends bytes regardless of the capacity.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.outgoing.borrow_mut().bytes.extend(bytes);
    }

    /// Drops the bytes that have arrived.
    pub(crate) fn discard(&self) {
        self.incoming.borrow_mut().bytes.clear();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut way = self.incoming.borrow_mut();
        if way.bytes.is_empty() && !way.is_closed {
            return Poll::Pending;
        }
        let length = way.bytes.len().min(buffer.remaining());
        let (front, back) = way.bytes.as_slices();
        let front = &front[..front.len().min(length)];
        buffer.put_slice(front);
        buffer.put_slice(&back[..length - front.len()]);
        way.bytes.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut way = self.outgoing.borrow_mut();
        let length = bytes.len().min(self.capacity.saturating_sub(way.bytes.len()));
        if length == 0 {
            return Poll::Pending;
        }
        way.bytes.extend(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.borrow_mut().is_closed = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.outgoing.borrow_mut().is_closed = true;
    }
}
