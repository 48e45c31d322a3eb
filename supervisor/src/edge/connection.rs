//! One client connection from its first byte to its last.
//!
//! - [`io`]: the transport that carries the connection, as hyper and h2 see it.
//! - [`http1`], [`http2`]: serve HTTP over it, within limits that follow from the configured ones.
//! - [`answering`]: answers its requests.
//! - [`discard`]: reads what nobody wants of an HTTP/1 request.
//! - [`websocket`]: what an HTTP/1 connection becomes when an app accepts a WebSocket.
//! - [`stream`]: one response over HTTP/2, which its client may read too slowly. [`windows`]: how much an HTTP/2 client
//!   may send before it is read.

pub(crate) mod answering;
pub(crate) mod discard;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod io;
pub(crate) mod stream;
pub(crate) mod websocket;
pub(crate) mod windows;

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use nano_protocol::message::RequestId;

use crate::edge::client::Client;
use crate::edge::client::peer::Peer;
use crate::edge::closing::Closing;
use crate::edge::proxy::Proxy;
use crate::model::overdue::Overdue;
use crate::model::refusal::Refusal;
use answering::Answering;
use io::{ClientIo, ClientSocket, Transport};

/// An admitted connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub proxy: Rc<Proxy>,
    pub client: Rc<Client>,
    /// Tells when the connection's listening address is closed.
    pub closing: Closing,
}

impl Connection {
    /// Serves the connection until it ends.
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
        let answering = Rc::new(Answering { proxy, peer, client: client.clone() });
        let overdue = match is_http2 {
            true => http2::serve(io, &answering, &mut closing).await,
            false => http1::serve(io, answering, &mut closing).await,
        };
        end(&client, socket, overdue).await;
    }
}

/// Counts the end of a connection, sends the last response, and reads input that must not stay unread. `overdue` is set
/// if we have closed the connection.
async fn end<T: Transport>(client: &Client, socket: ClientSocket<T>, overdue: Option<Overdue>) {
    client.admission().count_end(overdue);
    if overdue == Some(Overdue::Head) && !client.is_http2() {
        socket.last_word(&Refusal::RequestTimedOut.raw_response(RequestId(fastrand::u128(..))));
    }
    if client.leaves_unread() && overdue != Some(Overdue::Shed) {
        socket.linger().await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};
    use hyper::body::Incoming;
    use hyper::client::conn::{http1, http2};
    use hyper::{Request, Response};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::LocalSet;

    use crate::edge::testing::Edge;

    /// More bytes than all windows and buffers hold.
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
            let _worker = edge.worker(1);
            let (mut client, connection) =
                http1::handshake(TokioIo::new(edge.connect("http"))).await.unwrap();
            let driven = tokio::spawn(connection);
            for target in ["/a", "/b"] {
                let answer = text(client.send_request(post(target)).await.unwrap()).await;
                assert_eq!(answer, format!("1: POST http://app.example{target} {}", "x".repeat(LARGE)));
            }
            drop(client);
            driven.await.unwrap().unwrap();

            // The transport determines the scheme of the URLs.
            let io = TokioIo::new(edge.connect("https"));
            let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            let both =
                ["https://app.example/c", "https://app.example/d"].map(|uri| client.send_request(post(uri)));
            let [first, second] = both.map(|answer| async { text(answer.await.unwrap()).await });
            let (first, second) = tokio::join!(first, second);
            assert_eq!(first, format!("1: POST https://app.example/c {}", "x".repeat(LARGE)));
            assert_eq!(second, format!("1: POST https://app.example/d {}", "x".repeat(LARGE)));
        };
        LocalSet::new().run_until(serve).await;
    }

    #[tokio::test]
    async fn on_an_address_that_is_closed_a_new_connection_has_its_first_request_answered_and_ends() {
        let serve = async {
            let edge = Edge::new("");
            let _worker = edge.worker(1);
            edge.close();
            let io = TokioIo::new(edge.connect("http"));
            let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            let driven = tokio::spawn(connection);
            // Long enough for both sides to send all that they have to send.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            assert!(!driven.is_finished());
            let answer = text(client.send_request(post("http://app.example/")).await.unwrap()).await;
            assert_eq!(answer.len(), "1: POST http://app.example/ ".len() + LARGE);
            driven.await.unwrap().unwrap();
            let (mut client, connection) =
                http1::handshake(TokioIo::new(edge.connect("http"))).await.unwrap();
            let driven = tokio::spawn(connection);
            assert!(client.send_request(post("/")).await.unwrap().headers()["connection"] == "close");
            driven.await.unwrap().unwrap();
        };
        LocalSet::new().run_until(serve).await;
    }

    #[tokio::test]
    async fn what_is_no_request_is_answered_over_memory_however_it_is_cut() {
        let serve = async {
            let edge = Edge::new("");
            let _worker = edge.worker(1);
            for (sent, answer, body) in [
                (&["nonsense\r\n\r\n"][..], "HTTP/1.1 400", "The request is not valid HTTP.\n"),
                (&["P", "RI * HTTP/1.1\r\n", "\r\n"], "HTTP/1.1 400", "The request is not valid HTTP.\n"),
                (
                    &["P", "UT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"],
                    "HTTP/1.1 200",
                    "1: PUT http://a/ ",
                ),
                (&["GET /short HTTP/1.0\r\n\r\n"], "HTTP/1.0 200", "1: GET http://192.0.2.2/short "),
            ] {
                let mut client = edge.connect("http");
                for part in sent {
                    client.write_all(part.as_bytes()).await.unwrap();
                    // Yields, so that each part is read on its own.
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
