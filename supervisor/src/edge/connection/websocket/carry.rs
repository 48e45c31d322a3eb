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
            talk.close(GOING_AWAY, "the server is going away");
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

/// Carries a WebSocket that one app has opened to another, until it is over. The worker that has opened it sends frames as a client, and
/// ends it with the request in whose course it is, also when that worker is replaced. It has no time limits: both workers are ours.
pub(crate) async fn between_apps(io: StreamIo, (opened, tail): (OpenedSocket, Tail)) {
    let OpenedSocket { sender, receiver, terms } = opened;
    let mut retired = pin!(finishes(terms.worker.clone()));
    let mut talk = Talk::new(io, Bytes::new(), (sender, receiver), &terms, tail);
    talk.set_cut_off(true);
    let mut is_ending = false;
    poll_fn(|cx| {
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
