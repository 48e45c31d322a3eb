//! Both halves of an upgraded stream as one transport of bytes, like a connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Receiver, Sender};
use crate::codec::HeaderBlock;

/// Most bytes that are sent at once.
const PART: usize = 16 * 1024;

/// An upgraded stream that carries bytes. What was written before it is dropped reaches the peer, as over a connection. Bytes for a
/// peer that is gone are accepted and lost: reading tells of the end, after all that the peer had sent.
#[derive(Debug)]
pub struct StreamIo {
    sender: Sender,
    receiver: Receiver,
    /// Received, and not read yet.
    rest: Bytes,
}

impl StreamIo {
    /// Makes both halves of a stream one transport.
    pub fn new(sender: Sender, receiver: Receiver) -> Self {
        Self { sender, receiver, rest: Bytes::new() }
    }

    /// Returns whether the peer is gone. Otherwise the task is woken then.
    pub fn is_over(&self, cx: &mut Context<'_>) -> bool {
        self.sender.poll_over(cx).is_ready()
    }

    fn poll_part(&self, cx: &mut Context<'_>, mut part: Bytes) -> Poll<usize> {
        let length = part.len();
        if self.sender.is_over() {
            return Poll::Ready(length);
        }
        ready!(self.sender.poll_room(cx));
        match self.sender.poll_send(cx, &mut part, false) {
            Poll::Ready(_) => Poll::Ready(length),
            // There was room for a part of it.
            Poll::Pending => Poll::Ready(length - part.len()),
        }
    }
}

impl AsyncRead for StreamIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.receiver.poll_chunk(cx)) {
                Some(Ok(chunk)) => self.rest = chunk,
                Some(Err(failure)) => return Poll::Ready(Err(io::Error::other(failure))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for StreamIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let part = &bytes[..bytes.len().min(PART)];
        self.poll_part(cx, Bytes::copy_from_slice(part)).map(Ok)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut part = BytesMut::new();
        for slice in slices {
            part.put_slice(&slice[..slice.len().min(PART - part.len())]);
        }
        self.poll_part(cx, part.freeze()).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = self.sender.end(&HeaderBlock::default());
        Poll::Ready(Ok(()))
    }
}

impl Drop for StreamIo {
    fn drop(&mut self) {
        // The peer may still read what came before the end; without one, it would lose that with the stream.
        let _ = self.sender.end(&HeaderBlock::default());
    }
}
