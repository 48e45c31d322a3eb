//! A stream of an HTTP/2 connection that carries a WebSocket (RFC 8441), as a transport. It ends with END_STREAM if it was finished, and
//! with RST_STREAM otherwise.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream};
use nano_protocol::Chunk;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::talk::SocketTransport;

use crate::edge::client::Client;
use crate::edge::connection::windows::Window;
use crate::edge::proxy::part::{BodyPart, Untaken};

/// Most bytes that h2 holds of what is written.
const PART: usize = 16 * 1024;

/// What a client sends on a stream, and how much it may send.
pub(crate) struct Incoming {
    pub stream: RecvStream,
    pub window: Window,
}

/// Both directions of a stream.
pub(crate) struct SocketStream {
    incoming: Incoming,
    /// Received, and not read yet. The window of the stream bounds it.
    input: BytesMut,
    /// Set when nothing more comes.
    end: Option<io::Result<()>>,
    outgoing: SendStream<BodyPart>,
    /// What h2 holds. Nothing more is written before it has left.
    untaken: Rc<Untaken>,
    /// Learns how fast the client takes what is sent.
    client: Rc<Client>,
    is_finished: bool,
}

impl SocketStream {
    pub(crate) fn new(incoming: Incoming, outgoing: SendStream<BodyPart>, client: Rc<Client>) -> Self {
        client.opens_socket();
        let (input, untaken) = (BytesMut::new(), Rc::default());
        Self { incoming, input, end: None, outgoing, untaken, client, is_finished: false }
    }

    /// Ends it, since both sides have closed the WebSocket.
    pub(crate) fn finish(mut self) {
        self.is_finished = self.outgoing.send_data(BodyPart::new(Chunk::default()), true).is_ok();
    }

    /// Takes all that there is: h2 ends connections in which many short frames wait.
    fn poll_receive(&mut self, cx: &mut Context<'_>) {
        while self.end.is_none()
            && let Poll::Ready(next) = self.incoming.stream.poll_data(cx)
        {
            match next {
                Some(Ok(bytes)) => self.input.extend_from_slice(&bytes),
                Some(Err(error)) => self.end = Some(Err(io::Error::other(error))),
                None => self.end = Some(Ok(())),
            }
        }
    }

    fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.untaken.poll_empty(cx));
        // Reserves one byte, to be told of any capacity: what is reserved is withheld from the other streams.
        self.outgoing.reserve_capacity(1);
        while self.outgoing.capacity() == 0 {
            match ready!(self.outgoing.poll_capacity(cx)) {
                Some(capacity) => _ = capacity.map_err(io::Error::other)?,
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl SocketTransport for SocketStream {
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        self.poll_receive(cx);
        self.incoming.window.keeps(self.input.len());
    }
}

impl AsyncRead for SocketStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_receive(cx);
        if self.input.is_empty() {
            return self.end.take().map_or(Poll::Pending, Poll::Ready);
        }
        let length = self.input.len().min(buffer.remaining());
        buffer.put_slice(&self.input[..length]);
        self.input.advance(length);
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        self.incoming.window.read(length);
        let _ = self.incoming.stream.flow_control().release_capacity(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SocketStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.poll_capacity(cx)?.is_pending() {
            self.client.waits();
            return Poll::Pending;
        }
        let length = bytes.len().min(PART);
        let part = self.untaken.part(Chunk::from(Bytes::copy_from_slice(&bytes[..length])));
        self.outgoing.send_data(part, false).map_err(io::Error::other)?;
        self.client.gave(length);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.untaken.poll_empty(cx));
        self.client.asked();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for SocketStream {
    fn drop(&mut self) {
        self.client.ends_socket();
        if !self.is_finished {
            self.outgoing.send_reset(Reason::CANCEL);
        }
    }
}
