//! Frames that wait until the client takes them. They are few: a worker gets credit for more when these have left.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use nano_protocol::Chunk;
use tokio::io::AsyncWrite;

use super::frame::{self, Opcode};

/// Bytes that wait before no more messages are taken from the worker.
const FULL: usize = 4 * 1024;

/// Contents shorter than this are copied: an entry of their own would cost more.
const COPY_BELOW: usize = 1024;

/// Frames of ours, in the order in which they are sent: control frames go before a message of which nothing has been sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Whole frames, and at the end the head of the frame whose contents are in `long`.
    flat: BytesMut,
    long: Chunk,
    /// What was compressed into `flat`. It counts until that has left.
    compressed: Vec<Chunk>,
    /// A control frame for each purpose, until the frame before it has left. The answer to a ping replaces an earlier one.
    pong: Option<Bytes>,
    ping: bool,
    close: Option<Vec<u8>>,
    has_close: bool,
    /// Whether what was written may not have left the transport.
    is_unflushed: bool,
}

impl Outbox {
    /// Returns whether there is room for a part of a message.
    pub(crate) fn has_room(&self) -> bool {
        self.long.is_empty() && self.flat.len() < FULL
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flat.is_empty() && self.long.is_empty() && self.close.is_none()
    }

    /// Returns whether a closing frame is or was here: nothing follows it.
    pub(crate) fn has_close(&self) -> bool {
        self.has_close
    }

    /// Adds a frame with a part of a message. The caller has seen that there is room.
    pub(crate) fn part(&mut self, opcode: Opcode, is_last: bool, contents: Chunk) {
        let (head, length) = frame::head(opcode, is_last, false, contents.len());
        self.flat.extend_from_slice(&head[..length]);
        if contents.len() < COPY_BELOW {
            self.flat.extend_from_slice(contents.chunk());
        } else {
            self.long = contents;
        }
    }

    /// Adds a frame with a part of a message, compressed. The caller has seen that there is room.
    pub(crate) fn deflated_part(&mut self, opcode: Opcode, is_last: bool, deflated: &[u8], contents: Chunk) {
        // The first frame says it of all.
        let is_first = opcode != Opcode::Continuation;
        let (head, length) = frame::head(opcode, is_last, is_first, deflated.len());
        self.flat.extend_from_slice(&head[..length]);
        self.flat.extend_from_slice(deflated);
        self.compressed.push(contents);
    }

    pub(crate) fn ping(&mut self) {
        self.ping = true;
    }

    pub(crate) fn pong(&mut self, contents: Bytes) {
        self.pong = Some(contents);
    }

    /// Adds a closing frame, unless there is one.
    pub(crate) fn close(&mut self, contents: Vec<u8>) {
        if !std::mem::replace(&mut self.has_close, true) {
            self.close = Some(contents);
        }
    }

    /// Writes as much as the client takes. Ready when all of it has left; then nothing is kept.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut io: Pin<&mut impl AsyncWrite>,
    ) -> Poll<io::Result<()>> {
        self.add_control();
        if self.flat.is_empty() && self.long.is_empty() && !self.is_unflushed {
            return Poll::Ready(Ok(()));
        }
        self.is_unflushed = true;
        while !(self.flat.is_empty() && self.long.is_empty()) {
            let slices = [IoSlice::new(&self.flat), IoSlice::new(self.long.chunk())];
            let skipped = usize::from(self.flat.is_empty());
            let used = if self.long.is_empty() { &slices[..1] } else { &slices[skipped..] };
            let mut written = ready!(io.as_mut().poll_write_vectored(cx, used))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_flat = written.min(self.flat.len());
            self.flat.advance(of_flat);
            written -= of_flat;
            self.long.advance(written);
            if self.long.is_empty() {
                self.long = Chunk::default();
                self.add_control();
            }
        }
        self.flat = BytesMut::new();
        self.compressed = Vec::new();
        ready!(io.poll_flush(cx))?;
        self.is_unflushed = false;
        Poll::Ready(Ok(()))
    }

    fn add_control(&mut self) {
        // A client that pings and does not read would otherwise have an answer kept for each.
        if !self.has_room() {
            return;
        }
        let pong = self.pong.take();
        let ping = std::mem::take(&mut self.ping);
        let close = self.close.take();
        let frames = [
            (Opcode::Pong, pong.as_deref()),
            (Opcode::Ping, ping.then_some(&[][..])),
            (Opcode::Close, close.as_deref()),
        ];
        for (opcode, contents) in frames {
            if let Some(contents) = contents {
                let (head, length) = frame::head(opcode, true, false, contents.len());
                self.flat.extend_from_slice(&head[..length]);
                self.flat.extend_from_slice(contents);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn answers_to_pings_that_nobody_reads_do_not_pile_up() {
        let (mut outbox, mut cx) = (Outbox::default(), Context::from_waker(Waker::noop()));
        // Its other end stays open and is not read.
        let (mut io, _client) = tokio::io::duplex(1);
        for _ in 0..1000 {
            outbox.pong(Bytes::from_static(&[b'p'; 125]));
            outbox.ping();
            assert!(outbox.poll_write(&mut cx, Pin::new(&mut io)).is_pending());
        }
        outbox.close(Vec::new());
        assert!(outbox.poll_write(&mut cx, Pin::new(&mut io)).is_pending());
        assert!(outbox.flat.len() < FULL + 256, "{}", outbox.flat.len());
        assert!(!outbox.is_empty());
    }
}
