//! One client connection from its first byte to its last: hyper speaks HTTP/1 over it, within limits that follow from ours, and
//! [`http2`] what its name says.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use nano_protocol::message::RequestId;

use super::io::{ClientIo, ClientSocket, Transport};
use super::{Client, Peer, http2};
use crate::config::ServerSettings;
use crate::edge::listener::Closing;
use crate::edge::proxy::Proxy;
use crate::edge::proxy::body::ResponseBody;
use crate::edge::proxy::upload::RequestBody;
use crate::model::overdue::Overdue;
use crate::model::refusal::Refusal;

/// What a head may have beyond the limits of its parts: method, version, an absolute target, spaces.
pub(crate) const REST_OF_HEAD: usize = 4 * 1024;

/// The least buffer that hyper takes.
const LEAST_BUFFER: usize = 8 * 1024;

/// A connection that was let in.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Who answers.
    pub proxy: Rc<Proxy>,
    /// Its state.
    pub client: Rc<Client>,
    /// Whether the address it came through goes on.
    pub closing: Closing,
}

/// Who answers the requests of one connection.
#[derive(Debug)]
pub(crate) struct Answering {
    proxy: Rc<Proxy>,
    peer: Peer,
    /// Its state.
    pub client: Rc<Client>,
    is_closing: Rc<Cell<bool>>,
}

impl Answering {
    /// A request has been read; its answer.
    pub(crate) fn answer<B: RequestBody>(
        self: &Rc<Self>,
        request: Request<B>,
    ) -> impl Future<Output = Response<ResponseBody>> + use<B> {
        let (answering, serving) = (self.clone(), self.client.serve());
        async move { answering.proxy.answer(request, &answering.peer, serving).await }
    }
}

impl Connection {
    /// Serves it to its end.
    pub(crate) async fn serve<T: Transport>(self, transport: T, peer: Peer) {
        let Self { proxy, client, mut closing } = self;
        let mut io = ClientIo::new(transport, client.clone());
        let socket = io.socket();
        let opening = poll_fn(|cx| match client.poll_overdue(cx) {
            Poll::Ready(why) => Poll::Ready(Err(why)),
            Poll::Pending => io.poll_is_http2(cx).map(Ok),
        });
        let is_http2 = match opening.await {
            Ok(is_http2) => is_http2,
            Err(why) => return end(&client, socket, Some(why)).await,
        };
        let is_closing = closing.is_closing.clone();
        let answering = Rc::new(Answering { proxy, peer, client: client.clone(), is_closing });
        let overdue = match is_http2 {
            true => http2::serve(io, &answering, &mut closing).await,
            false => serve_http1(io, answering).await,
        };
        end(&client, socket, overdue).await;
    }
}

/// Serves a connection of HTTP/1 to its end; why it is ended, if that is not its client's doing. One whose listener goes away is
/// ended with its next answer, or by the sweep: hyper would close it at once, under the request that may be on its way.
async fn serve_http1<T: Transport>(io: ClientIo<T>, answering: Rc<Answering>) -> Option<Overdue> {
    let client = answering.client.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (answering, answer) = (answering.clone(), answering.answer(request));
        async move {
            let mut response = answer.await;
            if answering.is_closing.get() || answering.client.is_unclear() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder(&client.crowd.settings()).serve_connection(TokioIo::new(io), service));
    poll_fn(|cx| match client.poll_overdue(cx) {
        Poll::Ready(why) => Poll::Ready(Some(why)),
        // Errors are the client's: it went away, or it does not speak HTTP and has been told so.
        Poll::Pending => connection.as_mut().poll(cx).map(|_| None),
    })
    .await
}

/// Ends it, for this reason if it was not its client's.
async fn end<T: Transport>(client: &Client, socket: ClientSocket<T>, overdue: Option<Overdue>) {
    client.crowd.count_end(overdue);
    if overdue == Some(Overdue::Head) && !client.is_http2() {
        socket.last_word(&Refusal::RequestTimedOut.raw_response(RequestId(fastrand::u128(..))));
    }
    if client.leaves_unread() && overdue != Some(Overdue::Shed) {
        socket.linger().await;
    }
}

/// hyper with our limits.
fn builder(settings: &ServerSettings) -> http1::Builder {
    let head = settings.max_uri + settings.max_header + REST_OF_HEAD;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // The sweep keeps time, see `crowd`.
        .header_read_timeout(None)
        // The answer to a head that is no more than this is ours, and so is that to one beyond, see `io`. An answer, too, is
        // kept up to this for a client that does not take it.
        .max_buf_size(head.max(LEAST_BUFFER))
        // Not `pipeline_flush`: with it, hyper buffers without bound for a client that does not read.
        .max_headers(settings.max_headers);
    builder
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};
    use hyper::client::conn::{http1, http2};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::LocalSet;

    use super::*;
    use crate::edge::testing::Edge;

    /// More than windows and buffers hold.
    const LARGE: usize = 1 << 20;

    fn post(uri: &str) -> Request<Full<Bytes>> {
        let body = Full::new(Bytes::from(vec![b'x'; LARGE]));
        Request::post(uri).header("host", "app.example").body(body).unwrap()
    }

    async fn text(response: Response<Incoming>) -> String {
        assert!(response.status() == 200 && response.headers().contains_key("x-request-id"));
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
    }

    #[tokio::test]
    async fn requests_over_memory_reach_a_worker_and_are_answered() {
        let serve = async {
            let edge = Edge::new("");
            edge.worker(1);
            let (mut client, connection) = http1::handshake(TokioIo::new(edge.connect())).await.unwrap();
            let driven = tokio::spawn(connection);
            for target in ["/a", "/b"] {
                let answer = text(client.send_request(post(target)).await.unwrap()).await;
                assert_eq!(answer, format!("1: POST {target} {}", "x".repeat(LARGE)));
            }
            drop(client);
            driven.await.unwrap().unwrap();

            let io = TokioIo::new(edge.connect());
            let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            let both =
                ["http://app.example/c", "http://app.example/d"].map(|uri| client.send_request(post(uri)));
            let [first, second] = both.map(|answer| async { text(answer.await.unwrap()).await });
            let (first, second) = tokio::join!(first, second);
            assert_eq!(first, format!("1: POST /c {}", "x".repeat(LARGE)));
            assert_eq!(second, format!("1: POST /d {}", "x".repeat(LARGE)));
        };
        LocalSet::new().run_until(serve).await;
    }

    #[tokio::test]
    async fn what_is_no_request_is_answered_over_memory_however_it_is_cut() {
        let serve = async {
            let edge = Edge::new("");
            edge.worker(1);
            for (sent, answer, body) in [
                (&["nonsense\r\n\r\n"][..], "HTTP/1.1 400", "The request is not valid HTTP.\n"),
                (&["P", "RI * HTTP/1.1\r\n", "\r\n"], "HTTP/1.1 400", "The request is not valid HTTP.\n"),
                (
                    &["P", "UT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"],
                    "HTTP/1.1 200",
                    "1: PUT / ",
                ),
                (&["GET /short HTTP/1.0\r\n\r\n"], "HTTP/1.0 200", "1: GET /short "),
            ] {
                let mut client = edge.connect();
                for part in sent {
                    client.write_all(part.as_bytes()).await.unwrap();
                    // So that it is read by itself.
                    tokio::task::yield_now().await;
                }
                let mut said = String::new();
                client.read_to_string(&mut said).await.unwrap();
                assert!(said.starts_with(answer) && said.ends_with(body), "{sent:?}: {said}");
                assert!(said.contains("x-request-id: "), "{said}");
            }
        };
        LocalSet::new().run_until(serve).await;
    }
}
