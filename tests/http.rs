//! HTTP as in RFC 9110 and 9112: versions, framing, connections, and which parts of a head are passed on.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Response;

use crate::TestSupervisor;
use crate::harness::origin::whole;
use crate::harness::{App, Client, Origin, Raw, free_address, raw};

/// Answers with the method, URL, header fields and body of the request.
const MIRROR: &str = "export default { async fetch(request) {
  return Response.json({
    method: request.method, url: request.url, headers: [...request.headers], body: await request.text(),
  });
} }";

/// Returns a header field that an app saw, by name.
fn field(seen: &serde_json::Value, name: &str) -> Option<String> {
    let fields = seen["headers"].as_array().unwrap();
    fields.iter().find(|field| field[0] == name).map(|field| field[1].as_str().unwrap().to_owned())
}

/// Parses the JSON body of a raw answer.
fn json(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a head").1).expect("a body of JSON")
}

#[tokio::test]
async fn connections_are_kept_and_requests_may_be_pipelined() {
    let supervisor = TestSupervisor::with(
        "export default { fetch: (request) => new Response(new URL(request.url).pathname) }",
    )
    .await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    for path in ["/1", "/2"] {
        connection.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
        assert!(connection.up_to("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(connection.exactly(2), path.as_bytes());
    }
    let requests: String =
        (0..50).map(|number| format!("GET /{number:02} HTTP/1.1\r\nhost: x\r\n\r\n")).collect();
    connection.send(requests);
    for number in 0..50 {
        connection.up_to("\r\n\r\n");
        assert_eq!(connection.exactly(3), format!("/{number:02}").as_bytes());
    }
    let last = connection.send("GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").rest();
    assert!(last.contains("connection: close\r\n") && last.ends_with("\r\n\r\n/last"), "{last}");
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let supervisor = TestSupervisor::with(MIRROR).await;
    let address = supervisor.address("app").await;
    let answer = raw::exchange(address, "GET /old HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert_eq!(json(&answer)["url"], format!("http://{address}/old"));
}

#[tokio::test]
async fn http_2_with_prior_knowledge_carries_many_requests_on_one_connection() {
    let supervisor = TestSupervisor::with(MIRROR).await;
    let address = supervisor.address("app").await;
    let client = Client::new(address, true);
    let requests: Vec<_> = (0..100)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                client.post(&format!("/{number}"), format!("body {number}")).await.unwrap()
            })
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        let seen = request.await.unwrap().json();
        assert_eq!(seen["url"], format!("http://{address}/{number}"));
        assert_eq!(seen["body"], format!("body {number}"));
        assert_eq!(field(&seen, "host"), Some(address.to_string()));
    }
}

#[tokio::test]
async fn ipv6_and_ipv4_are_served_by_default() {
    let port = free_address().port();
    let supervisor =
        TestSupervisor::plan().app(App::hello("app").set(&format!("port = {port}"))).start().await;
    assert_eq!(supervisor.app("app").await.listen, format!("[::]:{port}"));
    for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let answer = Client::new(address.parse().unwrap(), false).get("/").await.unwrap();
        assert_eq!(answer.text(), "hello from app");
    }
}

#[tokio::test]
async fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    let supervisor = TestSupervisor::with(MIRROR).await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    connection.send("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\nconnection: close\r\n\r\n");
    assert_eq!(connection.up_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    let answer = connection.send("body").rest();
    let seen = json(&answer);
    assert_eq!(seen["body"], "body");
    assert_eq!(field(&seen, "expect"), None);
}

#[tokio::test]
async fn head_has_the_head_of_get_and_no_body() {
    let supervisor = TestSupervisor::with(
        "export default { fetch: () => new Response('twelve bytes', { headers: { 'x-own': 'yes' } }) }",
    )
    .await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    // On a connection that is kept open, a body would be taken for the next head.
    for _ in 0..2 {
        let head = connection.send("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n").up_to("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("content-length: 12\r\n") && head.contains("x-own: yes\r\n"), "{head}");
    }
}

#[tokio::test]
async fn statuses_without_a_body_have_none() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           const status = Number(new URL(request.url).pathname.slice(1));
           return new Response(null, { status });
         } }",
    )
    .await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    for status in [204, 304, 204] {
        let head = connection.send(format!("GET /{status} HTTP/1.1\r\nhost: x\r\n\r\n")).up_to("\r\n\r\n");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(!head.contains("transfer-encoding") && !head.contains("content-length"), "{head}");
    }
}

#[tokio::test]
async fn a_known_length_is_announced_and_an_unknown_one_is_chunked() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           switch (new URL(request.url).pathname) {
             case '/text': return new Response('text');
             case '/empty': return new Response();
             case '/wrong': return new Response('text', { headers: { 'content-length': '99' } });
             case '/stream': return new Response(new ReadableStream({ async start(controller) {
               controller.enqueue(new TextEncoder().encode('stream'));
               await new Promise((resolve) => setTimeout(resolve, 50));
               controller.close();
             } }));
           }
         } }",
    )
    .await;
    let mut connection = Raw::connect(supervisor.address("app").await);
    let mut get = |path: &str, end: &str| {
        connection.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).up_to(end).to_lowercase()
    };
    for path in ["/text", "/wrong"] {
        let answer = get(path, "\r\n\r\ntext");
        assert!(answer.contains("content-length: 4\r\n") && !answer.contains("chunked"), "{answer}");
    }
    assert!(get("/empty", "\r\n\r\n").contains("content-length: 0\r\n"));
    let answer = get("/stream", "\r\n0\r\n\r\n");
    assert!(
        answer.contains("transfer-encoding: chunked\r\n") && !answer.contains("content-length"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_length_that_the_app_makes_up_is_not_said() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           const path = new URL(request.url).pathname;
           const later = (text) => new ReadableStream({ async start(controller) {
             await new Promise((resolve) => setTimeout(resolve, 50));
             controller.enqueue(new TextEncoder().encode(text));
             controller.close();
           } });
           const init = { headers: { 'content-length': '5' } };
           switch (path) {
             case '/none': return new Response(null, init);
             case '/text': return new Response('0123456789', init);
             case '/short': return new Response(new Blob(['012']).stream(), init);
             case '/long': return new Response(new Blob(['0123456789']).stream(), init);
             case '/later-short': return new Response(later('012'), init);
             case '/later-long': return new Response(later('0123456789'), init);
             case '/right': return new Response(later('01234'), init);
           }
           return new Response('next');
         } }",
    )
    .await;
    let address = supervisor.address("app").await;
    let client = supervisor.client("app").await;
    let next = "GET /next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for (path, body) in [
        ("/none", ""),
        ("/text", "0123456789"),
        ("/short", "012"),
        ("/long", "0123456789"),
        ("/later-short", "012"),
        ("/later-long", "0123456789"),
        ("/right", "01234"),
    ] {
        let reply = client.get(path).await.unwrap();
        assert_eq!((reply.status, reply.text()), (200, body), "{path}");
        let answer = raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n{next}"));
        assert!(answer.ends_with("\r\n\r\nnext"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn chunked_request_bodies_arrive_whole() {
    let supervisor = TestSupervisor::with(MIRROR).await;
    let answer = raw::exchange(
        supervisor.address("app").await,
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         4\r\nWiki\r\n5\r\npedia\r\n0\r\nx-trailer: 1\r\n\r\n",
    );
    assert_eq!(json(&answer)["body"], "Wikipedia");
}

#[tokio::test]
async fn hop_by_hop_fields_stay_on_their_hop() {
    let supervisor = TestSupervisor::with(
        "export default { fetch: (request) => Response.json({ headers: [...request.headers] }, { headers: {
           'connection': 'keep-alive, x-private', 'keep-alive': 'timeout=9', 'upgrade': 'x', 'x-public': 'yes',
           'transfer-encoding': 'gzip', 'proxy-authenticate': 'Basic', 'x-request-id': 'mine' } }) }",
    )
    .await;
    let answer = raw::exchange(
        supervisor.address("app").await,
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close, X-Named\r\nx-named: 1\r\nx-kept: 2\r\nkeep-alive: 3\r\n\
         te: trailers\r\nupgrade: h2c\r\nproxy-connection: 4\r\nproxy-authorization: 5\r\n\r\n",
    );
    let seen = json(&answer);
    for gone in
        ["connection", "x-named", "keep-alive", "te", "upgrade", "proxy-connection", "proxy-authorization"]
    {
        assert_eq!(field(&seen, gone), None, "{gone}");
    }
    assert_eq!(field(&seen, "x-kept").as_deref(), Some("2"));
    let head = answer.split_once("\r\n\r\n").unwrap().0;
    for gone in ["keep-alive", "upgrade", "gzip", "proxy-authenticate", "mine"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    assert!(head.contains("x-public: yes"), "{head}");
}

#[tokio::test]
async fn repeated_fields_and_cookies_survive_in_both_directions() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           const response = Response.json({ headers: [...request.headers] });
           response.headers.append('set-cookie', 'a=1');
           response.headers.append('set-cookie', 'b=2');
           return response;
         } }",
    )
    .await;
    let answer = raw::exchange(
        supervisor.address("app").await,
        "GET / HTTP/1.1\r\nhost: x\r\nx-many: 1\r\nx-many: 2\r\nx-latin: caf\u{e9}\r\nconnection: close\r\n\r\n",
    );
    assert!(answer.contains("set-cookie: a=1\r\n") && answer.contains("set-cookie: b=2\r\n"), "{answer}");
    let seen = json(&answer);
    assert_eq!(field(&seen, "x-many").as_deref(), Some("1, 2"));
}

#[tokio::test]
async fn values_of_header_fields_are_bytes_in_both_directions() {
    let supervisor = TestSupervisor::with(
        "export default { fetch(request) {
           const codes = [...request.headers.get('x-own')].map((character) => character.charCodeAt(0));
           const headers = new Headers({ 'x-own': request.headers.get('x-own'), 'x-latin': 'caf\\u00e9' });
           let wide;
           try { headers.set('x-wide', 'caf\\u0113\\u010a'); } catch (error) { wide = error.name; }
           try { new Response('', { headers: { 'x-wide': '\\ud83d\\ude00' } }); } catch (error) { wide += error.name; }
           return Response.json({ codes, wide, set: headers.get('x-wide') }, { headers });
         } }",
    )
    .await;
    let address = supervisor.address("app").await;
    for (sent, codes) in [
        (&b"caf\xe9"[..], &[99, 97, 102, 0xe9][..]),
        ("caf\u{e9}".as_bytes(), &[99, 97, 102, 0xc3, 0xa9]),
        (b"\x80\xff", &[0x80, 0xff]),
    ] {
        let mut connection = Raw::connect(address);
        connection
            .send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-own: ")
            .send(sent)
            .send("\r\n\r\n");
        let mut answer = connection.rest_as_bytes();
        let body =
            answer.split_off(answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4);
        let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(seen, serde_json::json!({ "codes": codes, "wide": "TypeErrorTypeError", "set": null }));
        let has = |line: &[u8]| answer.windows(line.len()).any(|window| window == line);
        assert!(has(&[b"x-own: ", sent, b"\r\n"].concat()) && has(b"x-latin: caf\xe9\r\n"), "{answer:?}");
    }
}

#[tokio::test]
async fn both_directions_stream_at_the_same_time() {
    let supervisor =
        TestSupervisor::with("export default { fetch: (request) => new Response(request.body) }").await;
    for http2 in [false, true] {
        let client = Client::new(supervisor.address("app").await, http2);
        let (sender, body) = http_body_util::channel::Channel::<Bytes, std::convert::Infallible>::new(1);
        let request = client.request("POST", "/").body(body).unwrap();
        let (response, mut sender) = tokio::join!(client.begin(request), async {
            let mut sender = sender;
            sender.send_data("first".into()).await.unwrap();
            sender
        });
        let mut answer = response.unwrap().into_body();
        let next = async |answer: &mut hyper::body::Incoming| {
            answer.frame().await.expect("a frame").unwrap().into_data().unwrap()
        };
        assert_eq!(next(&mut answer).await, "first");
        // The answer to the first chunk arrives before the second chunk is sent.
        sender.send_data("second".into()).await.unwrap();
        assert_eq!(next(&mut answer).await, "second");
        drop(sender);
        assert!(
            answer.frame().await.is_none_or(|frame| frame.unwrap().data_ref().is_none_or(Bytes::is_empty))
        );
    }
}

#[tokio::test]
async fn idle_connections_and_slow_heads_are_closed() {
    // Each limit alone: a connection that is about to be used must not come to the other one.
    let plan = TestSupervisor::plan().app(App::hello("app"));
    let supervisor = plan.set("idle_timeout = '300ms'").start().await;
    let mut idle = Raw::connect(supervisor.address("app").await);
    idle.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").up_to("hello from app");
    assert_eq!(idle.rest(), "");
    let plan = TestSupervisor::plan().app(App::hello("app"));
    let slow = plan.set("header_read_timeout = '300ms'").start().await;
    let mut connection = Raw::connect(slow.address("app").await);
    // It may be refused before this is sent.
    connection.try_send("GET / HTTP/1.1\r\nhost: x\r\nx-slow:");
    let answer = connection.rest();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    for method in ["GET", "PUT"] {
        let client = supervisor.client("app").await;
        let body = if method == "GET" { Full::default() } else { Full::<Bytes>::from("x") };
        let reply = client.send(client.request(method, "/").body(body).unwrap()).await.unwrap();
        assert_eq!(reply.status, 200, "{method}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let plan = TestSupervisor::plan().app(App::hello("app")).set("max_connections = 2\nio_threads = 1");
    let supervisor = plan.start().await;
    let address = supervisor.address("app").await;
    let request = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut kept: Vec<Raw> = (0..2).map(|_| Raw::connect(address)).collect();
    for connection in &mut kept {
        connection.send(request).up_to("hello from app");
    }
    let mut third = Raw::connect(address);
    third.send(request);
    drop(kept.pop());
    third.up_to("hello from app");
}

#[tokio::test]
async fn fields_that_an_upstream_means_for_its_own_connection_go_no_further() {
    let upstream = Origin::http(async |_| {
        let answer = Response::builder().header("connection", "X-Hop, close, content-length");
        let answer = answer.header("connection", "x-other").header("x-hop", "1").header("x-other", "2");
        answer.header("x-kept", "3").body(whole("hello")).unwrap()
    })
    .await;
    let app = App::new("app", "export default { fetch: (_, env) => fetch(env.UP) }");
    let app = app.set(&format!("env = {{ UP = 'http://{}' }}", upstream.address));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    for http2 in [false, true] {
        let reply = Client::new(supervisor.address("app").await, http2).get("/").await.unwrap();
        assert_eq!((reply.status, reply.text(), reply.header("x-kept")), (200, "hello", "3"));
        for name in ["x-hop", "x-other"] {
            assert!(!reply.headers.contains_key(name), "{name}: {:?}", reply.headers);
        }
    }
}
