//! `node:http`, `node:https` and `node:dns`: the same programs under workerd and here, how clients follow the rules for outbound
//! connections, and what limits servers.

use std::future::pending;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::harness::origin::{Answer, whole};
use crate::harness::workerd::Both;
use crate::harness::{App, Origin, until};
use crate::{TestSupervisor, within};

/// Returns what was received, as JSON.
fn told(method: &Method, url: &str, headers: &HeaderMap, body: &Bytes) -> Value {
    let mut fields = Map::new();
    for name in headers.keys() {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        fields.insert(name.to_string(), values.join(", ").into());
    }
    json!({ "method": method.as_str(), "url": url, "headers": fields, "body": String::from_utf8_lossy(body) })
}

/// Sends these parts, and then nothing more: without an end if `is_endless`.
fn parts(parts: &'static [&'static str], is_endless: bool) -> Answer {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        for part in parts {
            if sender.send_data(Bytes::from_static(part.as_bytes())).await.is_err() {
                return;
            }
        }
        if is_endless {
            pending::<()>().await;
        }
    });
    Response::new(body.boxed())
}

/// Answers as `node_http/client.js` expects it.
async fn answer(request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if path == "/hang" {
        pending::<()>().await;
    }
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let status = |status: StatusCode, text: &'static str| {
        let mut response = Response::new(whole(text));
        *response.status_mut() = status;
        response
    };
    match path {
        "/echo" => {
            let mut response = Response::new(whole(
                told(&head.method, &head.uri.to_string(), &head.headers, &body).to_string(),
            ));
            response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
            response
        }
        "/whole" if head.method == Method::HEAD => {
            let mut response = Response::new(whole(""));
            response.headers_mut().insert(CONTENT_LENGTH, 5.into());
            response
        }
        "/whole" => Response::new(whole(body)),
        "/parts" => parts(&["one ", "two ", "three"], false),
        "/stalls" => parts(&["one"], true),
        "/cut" => {
            let mut response = parts(&["one"], false);
            response.headers_mut().insert(CONTENT_LENGTH, 100.into());
            response
        }
        "/gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(b"in a small space").unwrap();
            let mut response = Response::new(whole(encoder.finish().unwrap()));
            response.headers_mut().insert(CONTENT_ENCODING, "gzip".parse().unwrap());
            response
        }
        "/moved" => {
            let mut response = status(StatusCode::FOUND, "moved");
            response.headers_mut().insert(LOCATION, "/echo".parse().unwrap());
            response
        }
        "/cookies" => {
            let mut response = Response::new(whole("cookies"));
            for cookie in ["a=1; Path=/", "b=2"] {
                response.headers_mut().append(SET_COOKIE, cookie.parse().unwrap());
            }
            response
        }
        "/nothing" => status(StatusCode::NO_CONTENT, ""),
        "/unchanged" => status(StatusCode::NOT_MODIFIED, ""),
        "/broken" => status(StatusCode::INTERNAL_SERVER_ERROR, "broken"),
        _ => status(StatusCode::NOT_FOUND, "none"),
    }
}

#[tokio::test]
async fn clients_are_as_on_workers() {
    let upstream = Origin::http(answer).await;
    let Some(both) = Both::serve(include_str!("node_http/client.js"), upstream.address).await else { return };
    both.assert_same_results(40).await;
}

#[tokio::test]
async fn servers_are_as_on_workers() {
    let upstream = Origin::http(answer).await;
    let Some(both) = Both::serve(include_str!("node_http/server.js"), upstream.address).await else { return };
    both.assert_same_results(50).await;
}

/// A server that answers by what is asked.
const SERVER: &str = r"
    import { httpServerHandler } from 'cloudflare:node';
    import { createServer } from 'node:http';
    createServer((req, res) => {
      if (req.url === '/hang') return;
      if (req.url === '/throw') throw new Error('thrown on purpose');
      if (req.url === '/echo') { res.setHeader('x-method', req.method); req.pipe(res); return; }
      res.writeHead(201, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] });
      res.end(`${req.method} ${req.url} ${req.headers['x-own']} ${req.socket.remoteAddress}`);
    }).listen(8080);
    export default httpServerHandler({ port: 8080 });
";

#[tokio::test]
async fn a_server_answers_the_requests_of_the_app() {
    let supervisor = TestSupervisor::with(SERVER).await;
    let client = supervisor.client("app").await;
    let request = client.request("GET", "/a?b=c").header("x-own", "1").body(Empty::<Bytes>::new()).unwrap();
    let reply = within(client.send(request)).await.unwrap();
    assert_eq!((reply.status, reply.text()), (201, "GET /a?b=c 1 127.0.0.1"));
    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 2);
    let body = Bytes::from(vec![b'x'; 3 << 20]);
    let request = client.request("POST", "/echo").body(Full::new(body.clone())).unwrap();
    let reply = within(client.send(request)).await.unwrap();
    assert_eq!((reply.status, reply.header("x-method")), (200, "POST"));
    assert_eq!(reply.body, body);
    let head = client.request("HEAD", "/a").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(within(client.send(head)).await.unwrap().status, 201);
    let thrown = within(client.get("/throw")).await.unwrap();
    assert_eq!(thrown.status, 500);
    supervisor.log.line_with("thrown on purpose").await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_bound_by_the_time_limit_of_requests() {
    let app = App::new("app", SERVER).set("request_timeout = '1s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    assert_eq!(within(client.get("/hang")).await.unwrap().status, 504);
    // A machine that pauses may let the time of this one pass as well.
    until("another request is answered", async || {
        (within(client.get("/after")).await.unwrap().status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn clients_and_names_follow_the_rules_of_outbound_connections() {
    let upstream = Origin::http(answer).await;
    let fetch = r"
        import http from 'node:http';
        import https from 'node:https';
        import dns from 'node:dns';
        import { lookup, resolveMx, reverse, Resolver } from 'node:dns/promises';
        const told = (error) => `${error.message} [${error.code}]`;
        const asked = (request) => new Promise((resolve) => request.on('error', (error) => resolve(told(error))).on('response', (response) => { response.resume(); resolve(response.statusCode); }));
        export default { async fetch(request, env) { return Response.json({
          http: await asked(http.get(`${env.UP}/echo`)),
          https: await asked(https.get(env.UP.replace('http:', 'https:'))),
          guarded: await asked(http.get('http://169.254.169.254/')),
          lookup: await lookup('Denied.Example.').catch(told),
          escaped: await resolveMx('\\100enied.example').catch(told),
          callback: await new Promise((resolve) => dns.lookup('denied.example', { all: true }, (error) => resolve(told(error)))),
          mx: await resolveMx('denied.example').catch(told),
          below: await new Resolver().resolveTxt('a.below.example').catch(told),
          reverse: await reverse('127.0.0.1').catch(told),
          arpa: await new Resolver().resolvePtr('1.0.0.127.in-addr.arpa').catch(told),
          local: await lookup('localhost', { all: true }),
          family: await lookup('localhost', 6),
          address: await lookup('192.0.2.1'),
        }); } };";
    let settings = format!(
        "env = {{ UP = 'http://{}' }}\ndeny_net = ['127.0.0.0/8', 'denied.example', '*.below.example']",
        upstream.address
    );
    let supervisor = TestSupervisor::plan().app(App::new("app", fetch).set(&settings)).start().await;
    let results = within(supervisor.get("app", "/")).await.json();
    let refused = |name: &str, scheme: &str| {
        let expected = format!(
            "fetch to {scheme}://{0} was refused: {0} is denied by deny_net [EACCES]",
            upstream.address
        );
        assert_eq!(results[name], json!(expected));
    };
    refused("http", "http");
    refused("https", "https");
    let guarded = results["guarded"].as_str().unwrap();
    assert!(guarded.contains("link-local") && guarded.ends_with("[EACCES]"), "{guarded}");
    let denied = |call: &str, name: &str, what: &str| {
        json!(format!("{call} EACCES {name}: {what} is denied by deny_net [EACCES]"))
    };
    assert_eq!(results["lookup"], denied("getaddrinfo", "Denied.Example.", "denied.example"));
    assert_eq!(results["callback"], denied("getaddrinfo", "denied.example", "denied.example"));
    assert_eq!(results["mx"], denied("queryMx", "denied.example", "denied.example"));
    assert_eq!(results["below"], denied("queryTxt", "a.below.example", "a.below.example"));
    assert_eq!(results["reverse"], denied("queryPtr", "127.0.0.1", "127.0.0.1"));
    assert_eq!(results["arpa"], denied("queryPtr", "1.0.0.127.in-addr.arpa", "127.0.0.1"));
    // An escape does not hide a name from the rules.
    assert!(results["escaped"].as_str().unwrap().ends_with("[EBADNAME]"), "{results:#}");
    // The names of this host are known without a name server.
    let local = json!([{ "address": "127.0.0.1", "family": 4 }, { "address": "::1", "family": 6 }]);
    assert_eq!(results["local"], local);
    assert_eq!(results["family"], json!({ "address": "::1", "family": 6 }));
    assert_eq!(results["address"], json!({ "address": "192.0.2.1", "family": 4 }));
    assert_eq!(upstream.connections(), 0);
}
