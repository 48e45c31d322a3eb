//! Sends a response to the worker that has asked for it, as far as its credit allows.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::ready;

use bytes::Buf as _;
use hyper::Response;
use hyper::body::Body as _;
use hyper::ext::ReasonPhrase;
use nano_protocol::Sender;
use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{REASON, StreamError, StreamErrorKind};

use crate::edge::proxy::body::{ResponseBody, Tail};
use crate::edge::proxy::opened::OpenedSocket;

/// Sends a response to its end, or until the worker gives it up. Returns the WebSocket that it begins, after its head.
pub(super) async fn send(response: Response<ResponseBody>, sender: &Sender) -> Option<(OpenedSocket, Tail)> {
    let (parts, mut body) = response.into_parts();
    let opened = body.take_socket();
    let reason = parts.extensions.get::<ReasonPhrase>().filter(|reason| !reason.as_bytes().is_empty());
    let reason = reason.map(|reason| (REASON, reason.as_bytes()));
    let count = parts.headers.len() + usize::from(reason.is_some());
    let fields = parts.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let end = opened.is_none() && body.is_end_stream();
    if sender.respond(parts.status.as_u16(), count, reason.into_iter().chain(fields), end).is_err() {
        sender.fail(&StreamError::new(
            StreamErrorKind::NotAResponse,
            "the header of the response is too large",
        ));
        return None;
    }
    if end || opened.is_some() {
        return opened;
    }
    loop {
        let frame = poll_fn(|cx| {
            // While there is no room, nothing is read.
            ready!(sender.poll_room(cx));
            Pin::new(&mut body).poll_frame(cx)
        });
        match frame.await {
            Some(Ok(frame)) => {
                // Apps do not see trailer fields.
                let Ok(mut part) = frame.into_data() else { continue };
                let mut data = part.copy_to_bytes(part.remaining());
                if poll_fn(|cx| sender.poll_send(cx, &mut data, false)).await.is_err() {
                    return None;
                }
            }
            Some(Err(_)) => {
                let thrown = body.thrown();
                let message = "the response was cut off".to_owned();
                sender.fail(&StreamError { kind: StreamErrorKind::BodyFailed, message, thrown });
                return None;
            }
            None => {
                let _ = sender.end(&HeaderBlock::default());
                return None;
            }
        }
    }
}
