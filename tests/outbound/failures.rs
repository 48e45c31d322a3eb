//! What is said when there is no answer, what is tried again, URLs without a network, and the rules of the app.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{checks, results};
use crate::harness::{App, Origin, free_address};

/// What a raw server answers, keeping the connection.
const KEPT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Reads the head of a request; nothing if the client has gone.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return String::new();
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_failed_fetch_says_what_happened_to_whom() {
    let closed = free_address();
    let origin = Origin::raw(|mut stream, _| async move {
        let answer = match head(&mut stream).await.split(' ').nth(1).unwrap_or_default() {
            "/part" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart",
            "/chunk" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nchunk\r\n",
            "/nonsense" => "SMTP is what I speak\r\n\r\n",
            _ => "",
        };
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/localhost.key")).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let secure = Origin::raw(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let _ = acceptor.accept(stream).await;
        }
    })
    .await;
    let plain = Origin::raw(|mut stream, _| async move {
        let _ = stream.write_all(KEPT).await;
        head(&mut stream).await;
    })
    .await;
    let functions = "
        async refused() { await fetch('http://CLOSED/path?secret=1') },
        async unknown() { await fetch('http://no-such-host.invalid/') },
        async dropped(origin) { await fetch(origin, { method: 'POST' }) },
        async part(origin) { const response = await fetch(`${origin}/part`); await response.text() },
        async chunk(origin) {
          const { body } = await fetch(`${origin}/chunk`);
          const reader = body.getReader();
          const { value } = await reader.read();
          return [new TextDecoder().decode(value), await reader.read().catch((error) => `${error}`)];
        },
        async nonsense(origin) { await fetch(`${origin}/nonsense`) },
        async untrusted() { await fetch('https://localhost:SECURE/') },
        async plainText() { await fetch('https://PLAIN/') },
        async blocked() { await fetch('http://127.0.0.1:25/') },
        async metadata() { await fetch('http://169.254.169.254/latest/meta-data') },
        async relative() { await fetch('/path') },
        async file() { await fetch('file:///etc/passwd') },
        async about() { await fetch('about:blank') },
        async ftp() { await fetch('ftp://127.0.0.1/') },
        async method(origin) { await fetch(origin, { method: 'CONNECT' }) },
        async header(origin) { await fetch(origin, { headers: { 'x-a': 'line\\nline' } }) },
        async getWithBody(origin) { await fetch(origin, { body: 'x' }) },
        async nothing() { await fetch() },
        async own(origin, request) { return (await fetch(new URL('/own', request.url))).text() }";
    let functions = functions
        .replace("CLOSED", &closed.to_string())
        .replace("PLAIN", &plain.address.to_string())
        .replace("SECURE", &secure.address.port().to_string());
    let found = results(checks(&format!("http://{}", origin.address), &functions)).await;
    let failed = |url: String, why: &str| format!("TypeError: fetch to {url} failed: {why}");
    let address = origin.address;
    let broken =
        format!("TypeError: the response from http://{address} broke off: connection closed too early");
    assert_eq!(
        found,
        json!({
            "refused": failed(format!("http://{closed}"), "connection refused [ECONNREFUSED]"),
            "unknown": failed(
                "http://no-such-host.invalid".into(),
                "the name no-such-host.invalid cannot be resolved (Name or service not known) [ENOTFOUND]"
            ),
            "dropped": failed(
                format!("http://{address}"), "the connection was closed before the response was complete [ECONNRESET]"
            ),
            "part": broken,
            "chunk": ["chunk", broken],
            "nonsense": failed(
                format!("http://{address}"), "the response is not valid HTTP: invalid HTTP version parsed [EPROTO]"
            ),
            "untrusted": failed(
                format!("https://localhost:{}", secure.address.port()),
                "its TLS certificate is not from an authority that this system trusts [UNABLE_TO_VERIFY_LEAF_SIGNATURE]"
            ),
            "plainText": failed(
                format!("https://{}", plain.address), "TLS: received corrupt message of type InvalidContentType [EPROTO]"
            ),
            "blocked": "TypeError: Fetch failed: Requests to port 25 are blocked",
            "metadata": "TypeError: fetch to http://169.254.169.254 was refused: 169.254.169.254 is link-local, \
                which apps may not reach; allow it with allow_net [EACCES]",
            "relative": "TypeError: Invalid URL: '/path'",
            "file": "TypeError: fetch reads no files; import them, or serve them as assets [ERR_INVALID_ARG_VALUE]",
            "about": "TypeError: fetch does not support about: URLs [ERR_INVALID_ARG_VALUE]",
            "ftp": "TypeError: fetch does not support ftp: URLs [ERR_INVALID_ARG_VALUE]",
            "method": "TypeError: Method is forbidden",
            "header": "TypeError: Invalid header value: \"line\nline\"",
            "getWithBody": "TypeError: Request with GET/HEAD method cannot have body",
            "nothing": "TypeError: Failed to execute 'fetch': 1 argument required, but only 0 present [ERR_MISSING_ARGS]",
            "own": "from the app itself",
        })
    );
}

#[tokio::test]
async fn a_request_is_repeated_only_if_that_can_do_no_harm() {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    // Every first connection of a pair answers one request, and takes a second one before it closes without an answer.
    let origin = Origin::raw(move |mut stream, number| {
        let count = count.clone();
        async move {
            for turn in 0.. {
                if head(&mut stream).await.is_empty() {
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
                if number % 2 == 0 && turn == 1 {
                    return;
                }
                stream.write_all(KEPT).await.unwrap();
            }
        }
    })
    .await;
    let found = results(checks(
        &format!("http://{}", origin.address),
        "async get(origin) {
           const first = await (await fetch(origin)).text();
           return [first, await (await fetch(origin)).text()];
         },
         // The connection that answered the repeated request is told to go, so that the next one begins a new pair.
         async close(origin) { return (await fetch(origin, { headers: { connection: 'close' } })).text() },
         async post(origin) {
           const first = await (await fetch(origin)).text();
           const second = await fetch(origin, { method: 'POST' }).catch((error) => error.code);
           return [first, second];
         }",
    ))
    .await;
    assert_eq!(found, json!({ "get": ["ok", "ok"], "close": "ok", "post": ["ok", "ECONNRESET"] }));
    assert_eq!((requests.load(Ordering::Relaxed), origin.connections()), (6, 3));
}

#[tokio::test]
async fn data_and_blob_urls_need_no_network() {
    let found = results(checks(
        "",
        "async text() {
           const response = await fetch('data:,a%20b%C3%BC#fragment');
           const { status, statusText, type, url } = response;
           return [status, statusText, type, url, response.headers.get('content-type'), await response.text()];
         },
         async base64() {
           const response = await fetch('data:image/x;charset=utf-8;base64,aGk=');
           return [...response.headers, await response.text()];
         },
         async head() { const response = await fetch('data:,x', { method: 'HEAD' }); return [response.status, response.body] },
         async noComma() { await fetch('data:text/plain') },
         async noBase64() { await fetch('data:;base64,*') },
         async blob() {
           const url = URL.createObjectURL(new Blob(['blob'], { type: 'text/x' }));
           const response = await fetch(url);
           const found = [response.status, response.url === url, ...response.headers, await response.text()];
           URL.revokeObjectURL(url);
           return [...found, await fetch(url).catch((error) => `${error}`)];
         },
         async post() {
           await fetch(URL.createObjectURL(new Blob()), { method: 'POST' });
         }",
    ))
    .await;
    assert_eq!(
        found,
        json!({
            "text": [200, "OK", "basic", "data:,a%20b%C3%BC", "text/plain;charset=US-ASCII", "a bü"],
            "base64": [["content-type", "image/x;charset=utf-8"], "hi"],
            "head": [200, null],
            "noComma": "TypeError: the data: URL is not valid: there is no comma [ERR_INVALID_ARG_VALUE]",
            "noBase64": "TypeError: the data: URL is not valid: this is not Base64 [ERR_INVALID_ARG_VALUE]",
            "blob": [
                200, true, ["content-length", "4"], ["content-type", "text/x"], "blob",
                "TypeError: the URL names no blob, or one that has been revoked"
            ],
            "post": "TypeError: a blob: URL can be fetched with GET, not with POST",
        })
    );
}

#[tokio::test]
async fn what_loads_may_fetch() {
    let origin = Origin::http(super::echo).await;
    let app = App::new(
        "app",
        &format!(
            "const {{ method }} = await (await fetch('http://{}')).json();
             export default {{ fetch: () => Response.json(method) }}",
            origin.address
        ),
    );
    assert_eq!(results(app).await, "GET");
}

/// What an app with these settings says of `/` at `origin`, under both names of its address.
async fn reached(origin: &Origin, settings: &str) -> serde_json::Value {
    let app = checks(
        &format!("http://{}", origin.address),
        "async address(origin) { return (await fetch(origin)).status },
         async name(origin) { return (await fetch(origin.replace('127.0.0.1', 'localhost'))).status },
         async socket(origin) {
           const socket = new WebSocket(origin);
           return new Promise((resolve) => socket.onerror = ({ message }) => resolve(message.includes('was refused')));
         },
         async events(origin) {
           const events = new EventSource(origin);
           return new Promise((resolve) => events.onerror = ({ message }) => resolve(message.includes('was refused')));
         }",
    );
    results(app.set(settings)).await
}

#[tokio::test]
async fn the_rules_of_the_app_decide_what_it_reaches() {
    let origin = Origin::http(super::echo).await;
    let port = origin.address.port();
    let open = json!({ "address": 200, "name": 200, "socket": false, "events": false });
    assert_eq!(reached(&origin, "").await, open);
    assert_eq!(reached(&origin, &format!("allow_net = ['127.0.0.0/8', '[::1]:{port}']")).await, open);
    let refused = |what: &str, why: &str| {
        format!("TypeError: fetch to http://{what}:{port} was refused: {what}:{port}{why} [EACCES]")
    };
    assert_eq!(
        reached(&origin, &format!("allow_net = ['localhost:{port}']")).await,
        json!({
            "address": refused("127.0.0.1", " is not among what allow_net allows"), "name": 200, "socket": true,
            "events": true
        })
    );
    assert_eq!(
        reached(&origin, "deny_net = ['127.0.0.0/8', '::1']").await,
        json!({
            "address": refused("127.0.0.1", " is denied by deny_net"),
            "name": refused("localhost", " (127.0.0.1) is denied by deny_net"), "socket": true, "events": true
        })
    );
    assert_eq!(
        reached(&origin, "allow_net = []").await,
        json!({
            "address": refused("127.0.0.1", " is not among what allow_net allows"),
            "name": refused("localhost", " is not among what allow_net allows"), "socket": true, "events": true
        })
    );
}
