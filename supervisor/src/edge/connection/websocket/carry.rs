//! Carries a WebSocket that an app has accepted, until it is over: the one of a client, or the one of another app.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nano_protocol::StreamIo;

use super::talk::{SERVICE_RESTART, SocketTransport, Talk, WORKER_ENDS};
use crate::edge::client::Client;
use crate::edge::closing::Closing;
use crate::edge::proxy::body::Tail;
use crate::edge::proxy::opened::OpenedSocket;
use crate::edge::upstream::workers::Link;
use crate::model::overdue::Overdue;

/// The close code of an address that is closed (RFC 6455, 7.4.1).
const GOING_AWAY: u16 = 1001;

/// The reason for that one.
const LEAVES: &str = "the server is going away";

impl SocketTransport for StreamIo {
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> bool {
        self.is_over(cx)
    }
}

/// Carries a WebSocket until it is over. `read` was received behind the handshake. Returns the reason if the client was too slow, and
/// the transport if both sides have closed. It takes all of an HTTP/1 connection, so that it keeps the time limits of that.
pub(crate) async fn carry<T: SocketTransport>(
    io: T,
    read: Bytes,
    (opened, tail): (OpenedSocket, Tail),
    client: &Rc<Client>,
    closing: &mut Closing,
) -> (Option<Overdue>, Option<T>) {
    let is_http2 = client.is_http2();
    let OpenedSocket { sender, receiver, terms } = opened;
    let worker = terms.worker.clone();
    let mut talk = Talk::new(io, read, (sender, receiver), &terms, tail);
    // Unless it comes to its end: a stream whose client is too slow is dropped.
    talk.set_cut_off(true);
    let is_closing = closing.is_closing.clone();
    let mut stopped = pin!(closing.stop.changed());
    let mut retired = pin!(finishes(worker));
    let (mut is_told, mut is_ending) = (false, false);
    let overdue = poll_fn(|cx| {
        if !is_http2 && let Poll::Ready(why) = client.poll_overdue(cx) {
            return Poll::Ready(Some(why));
        }
        // The first poll registers the waker. From then on, `is_closing` is read instead.
        if !std::mem::replace(&mut is_told, true) {
            let _ = stopped.as_mut().poll(cx);
        }
        if !is_ending && is_closing.get() {
            is_ending = true;
            talk.close(GOING_AWAY, LEAVES);
        }
        if !is_ending && retired.as_mut().poll(cx).is_ready() {
            is_ending = true;
            talk.close(SERVICE_RESTART, WORKER_ENDS);
        }
        talk.poll(cx).map(|()| None)
    })
    .await;
    let is_closed = talk.is_closed();
    let is_cut_off = overdue.is_some() || talk.has_failed || !is_closed;
    talk.set_cut_off(is_cut_off);
    if is_cut_off && !is_http2 {
        // What the client still sends must not make the kernel drop the closing frame.
        client.leave_unread();
    }
    (overdue, is_closed.then_some(talk.io))
}

/// Carries a WebSocket that one app has opened to another, until it is over, or until the supervisor is `drained`. The worker that has
/// opened it sends frames as a client, and ends it with the request in whose course it is, also when that worker is replaced. It has no
/// time limits: both workers are ours.
pub(crate) async fn between_apps(
    io: StreamIo,
    (opened, tail): (OpenedSocket, Tail),
    drained: impl Future<Output = ()>,
) {
    let OpenedSocket { sender, receiver, terms } = opened;
    let (mut retired, mut drained) = (pin!(finishes(terms.worker.clone())), pin!(drained));
    let mut talk = Talk::new(io, Bytes::new(), (sender, receiver), &terms, tail);
    talk.set_cut_off(true);
    let mut is_ending = false;
    poll_fn(|cx| {
        if !is_ending && drained.as_mut().poll(cx).is_ready() {
            is_ending = true;
            talk.close(GOING_AWAY, LEAVES);
        }
        if !is_ending && retired.as_mut().poll(cx).is_ready() {
            is_ending = true;
            talk.close(SERVICE_RESTART, WORKER_ENDS);
        }
        talk.poll(cx)
    })
    .await;
    let is_cut_off = talk.has_failed || !talk.is_closed();
    talk.set_cut_off(is_cut_off);
}

/// Waits until a worker is to end. Never, if there is none.
async fn finishes(worker: Option<Rc<Link>>) {
    match worker {
        Some(worker) => worker.finishes().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use nano_protocol::socket::PieceKind;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::LocalSet;

    use crate::edge::testing::Edge;

    /// Returns what a client gets of a worker that sends these pieces: frames up to the closing one.
    async fn heard(edge: &Edge, pieces: &[u8]) -> Vec<Vec<u8>> {
        let digits: String = pieces.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut client = edge.connect("http");
        let head = format!(
            "GET /socket/{digits} HTTP/1.1\r\nhost: app.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut frames = Vec::new();
        loop {
            let first = client.read_u8().await.unwrap();
            let length = client.read_u8().await.unwrap();
            assert!(length < 126);
            let mut frame = vec![first; 1 + usize::from(length)];
            client.read_exact(&mut frame[1..]).await.unwrap();
            frames.push(frame);
            if first == 0x88 {
                return frames;
            }
        }
    }

    fn piece(kind: PieceKind, contents: &[u8]) -> Vec<u8> {
        [&kind.header(true, contents.len())[..], contents].concat()
    }

    #[tokio::test]
    async fn what_a_worker_sends_ends_its_websocket_and_reaches_no_client_that_could_not_read_it() {
        let serve = async {
            let edge = Edge::new("");
            let _worker = edge.worker(1);
            let (text, close) = (piece(PieceKind::Text, b"hi"), piece(PieceKind::Close, b"\x07\xd0bye"));
            let sound = [vec![0x81, b'h', b'i'], [&[0x88][..], b"\x07\xd0bye"].concat()];
            assert_eq!(heard(&edge, &[&text[..], &close].concat()).await, sound);
            assert_eq!(heard(&edge, &piece(PieceKind::Close, b"")).await, [vec![0x88]]);
            for pieces in [
                piece(PieceKind::Close, b"\x03"),
                piece(PieceKind::Close, b"\x03\xe8\xff"),
                piece(PieceKind::Close, b"\x03\xed"),
                piece(PieceKind::Close, &[b'x'; 126]),
                piece(PieceKind::Failed, b"no worker says so"),
                PieceKind::Close.header(false, 0).to_vec(),
                vec![9, 0, 0, 0, 0],
                vec![1, 255, 255, 255, 255],
            ] {
                let frames = heard(&edge, &pieces).await;
                assert_eq!(frames.last().unwrap(), b"\x88\x03\xf3", "{pieces:?}");
            }
        };
        LocalSet::new().run_until(serve).await;
    }
}
