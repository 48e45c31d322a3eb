//! Serves HTTP/2 connections with h2 itself, since hyper fixes a connection's windows when it begins.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::ext::Protocol;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use hyper::body::{Body, Frame};
use hyper::header::{CONTENT_LENGTH, DATE};
use hyper::{Method, Request, Response};
use nano_protocol::Chunk;

use super::answering::Answering;
use super::io::{ClientIo, Transport};
use super::stream;
use super::websocket::carry;
use super::websocket::socket_stream::{Incoming, SocketStream};
use super::windows::{Window, Windows};
use crate::config::ServerSettings;
use crate::edge::admission::{Admitted as _, longest_head};
use crate::edge::client::Client;
use crate::edge::closing::Closing;
use crate::edge::proxy::body::ResponseBody;
use crate::edge::proxy::headers;
use crate::edge::proxy::part::BodyPart;
use crate::model::overdue::Overdue;

/// Bytes that a header field counts in addition to its name and value (RFC 9113, 10.5.1).
const FIELD: usize = 32;

/// The most streams of one connection at once.
const STREAMS: u32 = 128;

/// What frames of bodies and of WebSockets that wait in h2 may fall short of 256 bytes each, all together, before it ends the connection.
/// In one turn of reading, some 500 messages of WebSockets may come, and before the next one they are taken.
const SHORT_FRAMES: usize = 160 * 1024;

/// Bytes that h2 buffers of one response for a client that does not read.
const SEND_BUFFER: usize = 64 * 1024;

/// Serves a connection until it ends. Returns the reason if we have closed it.
pub(crate) async fn serve<T: Transport>(
    io: ClientIo<T>,
    answering: &Rc<Answering>,
    closing: &mut Closing,
) -> Option<Overdue> {
    let client = &answering.client;
    let admission = client.admission();
    let windows = Rc::new(Windows::new(admission.total().clone(), admission.buffers_of(client.slot())));
    let mut handshake = pin!(builder(&admission.settings()).handshake::<_, BodyPart>(io));
    let shaken = poll_fn(|cx| match client.poll_overdue(cx) {
        Poll::Ready(why) => Poll::Ready(Err(Some(why))),
        Poll::Pending => handshake.as_mut().poll(cx).map_err(|_| None),
    });
    let mut connection = match shaken.await {
        Ok(connection) => connection,
        Err(why) => return why,
    };
    let (is_closing, closing_sockets) = (closing.is_closing.clone(), closing.clone());
    let mut stopped = pin!(closing.stop.changed());
    let (mut is_told, mut has_begun, mut has_said_goodbye) = (false, false, false);
    poll_fn(|cx| {
        let overdue = client.poll_overdue(cx).map(Some);
        // The first poll registers the waker. From then on, `is_closing` is read instead, which costs requests nothing.
        if !std::mem::replace(&mut is_told, true) {
            let _ = stopped.as_mut().poll(cx);
        }
        let mut is_over = overdue.is_ready();
        loop {
            // The first request may already be on its way, and some clients drop it when they receive GOAWAY. If none
            // comes, the sweep closes the connection.
            is_over |= is_closing.get() && has_begun;
            if is_over && !std::mem::replace(&mut has_said_goodbye, true) {
                connection.graceful_shutdown();
            }
            windows.tell(cx, &mut connection, admission.now());
            match connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, mut respond)))) => match with_window(request, &windows) {
                    Some((request, incoming)) => {
                        has_begun = true;
                        // Boxed, because each future around it would be twice as large.
                        let answer = Box::pin(answering.answer(request, std::convert::identity));
                        let incoming = incoming.map(|incoming| (incoming, closing_sockets.clone()));
                        tokio::task::spawn_local(stream::run(
                            send(answer, respond, client.clone(), incoming),
                            client.clone(),
                        ));
                    }
                    None => {
                        // The client knows that this request was not begun, and repeats it on another connection.
                        respond.send_reset(Reason::REFUSED_STREAM);
                        if !has_said_goodbye {
                            admission.count_end(Some(Overdue::Shed));
                        }
                        is_over = true;
                    }
                },
                // Errors are the client's: it has disconnected, or it does not speak HTTP/2 and was told so.
                Poll::Ready(Some(Err(_)) | None) if overdue.is_pending() => return Poll::Ready(None),
                // GOAWAY has told the client which of its requests were accepted.
                Poll::Ready(_) | Poll::Pending => return overdue,
            }
        }
    })
    .await
}

fn builder(settings: &ServerSettings) -> h2::server::Builder {
    let head = longest_head(settings) + FIELD * settings.max_headers;
    let mut builder = h2::server::Builder::new();
    builder
        // Larger than configured, so that the proxy can answer requests whose head is too large, unless it is far too
        // large.
        .max_header_list_size(u32::try_from(2 * head).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        // For WebSockets (RFC 8441).
        .enable_connect_protocol()
        .max_send_buffer_size(SEND_BUFFER)
        .data_frame_budget(SHORT_FRAMES);
    builder
}

/// Adds the request's body, or what follows if it asks for a WebSocket. Returns `None` if no window can be promised for it.
fn with_window(
    request: Request<RecvStream>,
    windows: &Rc<Windows>,
) -> Option<(Request<Uploaded>, Option<Incoming>)> {
    let (mut parts, stream) = request.into_parts();
    if parts.method == Method::CONNECT
        && parts.extensions.get::<Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket")
    {
        // From here on, it is the request that HTTP/1.1 has for it.
        parts.method = Method::GET;
        let window = windows.open_lasting()?;
        return Some((Request::from_parts(parts, Uploaded(None)), Some(Incoming { stream, window })));
    }
    let body = match stream.is_end_stream() {
        true => Uploaded(None),
        false => Uploaded(Some((stream, windows.open(headers::length(&parts.headers))?))),
    };
    Some((Request::from_parts(parts, body), None))
}

/// The body of a request, if it has one. Bytes that are read of it are returned to the client as window.
#[derive(Debug)]
struct Uploaded(Option<(RecvStream, Window)>);

impl Body for Uploaded {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let Some((stream, window)) = &mut self.0 else { return Poll::Ready(None) };
        match ready!(stream.poll_data(cx)) {
            Some(Ok(bytes)) => {
                window.read(bytes.len());
                let _ = stream.flow_control().release_capacity(bytes.len());
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => {
                let trailers = ready!(stream.poll_trailers(cx)).map(|fields| fields.map(Frame::trailers));
                Poll::Ready(trailers.transpose())
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|(stream, _)| stream.is_end_stream())
    }
}

/// Sends the response to one request, unless the client cancels it before. If it is the beginning of a WebSocket, carries that.
async fn send(
    mut answer: impl Future<Output = Response<ResponseBody>> + Unpin,
    mut respond: SendResponse<BodyPart>,
    client: Rc<Client>,
    incoming: Option<(Incoming, Closing)>,
) {
    let answered = poll_fn(|cx| match Pin::new(&mut answer).poll(cx) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending => respond.poll_reset(cx).map(|_| None),
    });
    let Some(response) = answered.await else { return };
    let (mut head, mut body) = response.map(Some).into_parts();
    head.headers.entry(DATE).or_insert_with(|| client.admission().date());
    if let Some((incoming, mut closing)) = incoming
        && let Some(opened) = body.as_mut().and_then(ResponseBody::take_socket)
    {
        match respond.send_response(Response::from_parts(head, ()), false) {
            Ok(outgoing) => {
                let stream = SocketStream::new(incoming, outgoing, client.clone());
                let carried = carry::carry(stream, Bytes::new(), opened, &client, &mut closing).await;
                if let (_, Some(stream)) = carried {
                    stream.finish();
                }
            }
            Err(_) => respond.send_reset(Reason::INTERNAL_ERROR),
        }
        return;
    }
    let body_under_way = body.take_if(|body| !body.is_end_stream());
    if let Some(length) = body_under_way.as_ref().and_then(|body| body.size_hint().exact()) {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    let head = Response::from_parts(head, ());
    match (respond.send_response(head, body_under_way.is_none()), body_under_way) {
        (Ok(stream), Some(body)) => Sending { stream, body, waiting: None }.run().await,
        (Ok(_), None) => {}
        (Err(_), _) => respond.send_reset(Reason::INTERNAL_ERROR),
    }
}

/// A response body that is being sent.
struct Sending {
    stream: SendStream<BodyPart>,
    body: ResponseBody,
    /// The next part, which waits for window, and whether it is the last one.
    waiting: Option<(BodyPart, bool)>,
}

impl Sending {
    async fn run(mut self) {
        // This only fails when the client has disconnected or has cancelled the stream.
        let _ = poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        loop {
            if let Poll::Ready(reason) = self.stream.poll_reset(cx)? {
                return Poll::Ready(Err(reason.into()));
            }
            if self.waiting.is_some() && self.stream.capacity() == 0 {
                match ready!(self.stream.poll_capacity(cx)) {
                    Some(capacity) => _ = capacity?,
                    None => return Poll::Ready(Ok(())),
                }
                continue;
            }
            if let Some((part, is_last)) = self.waiting.take() {
                self.stream.send_data(part, is_last)?;
                if is_last {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(part) => {
                        // Reserves one byte, to be told of any capacity: what is reserved is withheld from the other
                        // streams.
                        self.stream.reserve_capacity(1);
                        self.waiting = Some((part, self.body.is_end_stream()));
                    }
                    Err(frame) => {
                        self.stream.reserve_capacity(0);
                        let trailers = frame.into_trailers().unwrap_or_default();
                        return Poll::Ready(self.stream.send_trailers(trailers));
                    }
                },
                Some(Err(_)) => {
                    self.stream.send_reset(Reason::INTERNAL_ERROR);
                    return Poll::Ready(Ok(()));
                }
                None => return Poll::Ready(self.stream.send_data(BodyPart::new(Chunk::default()), true)),
            }
        }
    }
}
