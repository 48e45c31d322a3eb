//! `fetch` to a real server: what is sent, what is returned, how it is cancelled, and what errors say.

mod failures;
mod flow;

use std::collections::BTreeMap;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{HeaderName, LOCATION};
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::harness::origin::{Answer, whole};
use crate::harness::{App, Origin};
use crate::{TestSupervisor, within};

/// An app that runs functions and answers with what each returned or threw, by name. The functions are called with
/// the URL of `origin` and with the request.
pub(crate) fn checks(origin: &str, functions: &str) -> App {
    App::new(
        "app",
        &format!(
            "const checks = {{ {functions} }};
             const told = (error) => error instanceof Error ? `${{error}}${{error.code ? ` [${{error.code}}]` : ''}}` : error;
             const never = () => new Promise((resolve) => setTimeout(resolve, 25_000, 'it never settles'));
             export default {{ async fetch(request, env) {{
               if (new URL(request.url).pathname === '/own') return new Response('from the app itself');
               const results = {{}};
               for (const name in checks) {{
                 try {{ results[name] = await Promise.race([checks[name](env.ORIGIN, request), never()]) }}
                 catch (error) {{ results[name] = told(error) }}
               }}
               return Response.json(results);
             }} }}"
        ),
    )
    .set(&format!("env = {{ ORIGIN = '{origin}' }}"))
}

/// Returns the results of these functions by name.
pub(crate) async fn results(app: App) -> Value {
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let reply = within(supervisor.client("app").await.get("/")).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Answers with what it was sent.
async fn echo(request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let headers: BTreeMap<_, _> =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let sent = json!({
        "method": head.method.as_str(), "target": head.uri.to_string(), "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    Response::new(whole(sent.to_string()))
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(whole(body));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

#[tokio::test]
async fn requests_are_sent_as_they_are_written() {
    let origin = Origin::http(echo).await;
    let url = format!("http://{}", origin.address);
    let found = results(checks(
        &url,
        "async plain(origin) { return (await fetch(`${origin}/path?query=1#fragment`)).json() },
         async text(origin) { return (await fetch(origin, { method: 'post', body: 'text ü' })).json() },
         async bytes(origin) {
           const body = new Uint8Array([104, 105]);
           return (await fetch(new Request(origin, { method: 'PUT', body, headers: { 'X-Own': 'a' } }))).json();
         },
         async nothing(origin) { return (await fetch(origin, { method: 'POST' })).json() },
         async stream(origin) {
           const body = new Blob(['stre', 'am']).stream();
           return (await fetch(origin, { method: 'POST', body, duplex: 'half' })).json();
         },
         async sized(origin) {
           const body = new Blob(['sized']).stream().pipeThrough(new TransformStream());
           return (await fetch(origin, { method: 'POST', body, headers: { 'content-length': '3' } })).json();
         },
         async form(origin) {
           const body = new FormData();
           body.set('name', 'value');
           const sent = await (await fetch(origin, { method: 'POST', body })).json();
           return [sent.headers['content-type'].split(';')[0], sent.body.includes('name=\"name\"\\r\\n\\r\\nvalue\\r\\n')];
         },
         async headers(origin) {
           const headers = { host: 'other.example', cookie: 'a=b', referer: 'c', 'user-agent': 'd', accept: 'e',
             'accept-language': 'f', 'accept-encoding': 'identity', 'transfer-encoding': 'chunked', origin: 'g' };
           return (await (await fetch(origin, { headers })).json()).headers;
         },
         async credentials(origin) {
           const { headers } = await (await fetch(origin.replace('//', '//user:pa%20ss@'))).json();
           return headers.authorization;
         },
         async options(origin) {
           const { status } = await fetch(origin, { keepalive: true, cache: 'no-store', credentials: 'include',
             mode: 'cors', referrer: '', referrerPolicy: 'no-referrer', integrity: '', priority: 'low' });
           return status;
         }",
    ))
    .await;
    let headers = |more: &[(&str, &str)]| {
        let host = origin.address.to_string();
        let mut all = json!({
            "accept": "*/*", "accept-encoding": "gzip, br", "accept-language": "*", "host": host,
            "user-agent": "nano-supervisor",
        });
        for (name, value) in more {
            all[name] = (*value).into();
        }
        all
    };
    let text = ("content-type", "text/plain;charset=UTF-8");
    assert_eq!(
        found,
        json!({
            "plain": { "method": "GET", "target": "/path?query=1", "headers": headers(&[]), "body": "" },
            "text": { "method": "POST", "target": "/", "headers": headers(&[text, ("content-length", "7")]), "body": "text ü" },
            "bytes": { "method": "PUT", "target": "/", "headers": headers(&[("x-own", "a"), ("content-length", "2")]), "body": "hi" },
            "nothing": { "method": "POST", "target": "/", "headers": headers(&[("content-length", "0")]), "body": "" },
            "stream": { "method": "POST", "target": "/", "headers": headers(&[("transfer-encoding", "chunked")]), "body": "stream" },
            "sized": { "method": "POST", "target": "/", "headers": headers(&[("transfer-encoding", "chunked")]), "body": "sized" },
            "form": ["multipart/form-data", true],
            "headers": {
                "host": origin.address.to_string(), "cookie": "a=b", "referer": "c", "user-agent": "d", "accept": "e",
                "accept-language": "f", "accept-encoding": "identity", "origin": "g",
            },
            "credentials": "Basic dXNlcjpwYSBzcw==",
            "options": 200,
        })
    );
    assert_eq!(origin.connections(), 1, "one connection is kept for one request after the other");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn respond(request: Request<Incoming>) -> Answer {
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(b"deflated").unwrap();
    let brotli = [b"\x8b\x02\x80".as_slice(), b"brotli", b"\x03"].concat();
    match request.uri().path() {
        "/plain" => {
            let mut plain = answer(
                201,
                &[("x-a", "1"), ("x-a", "2"), ("set-cookie", "c=1"), ("set-cookie", "d=2")],
                "plain",
            );
            plain.extensions_mut().insert(hyper::ext::ReasonPhrase::from_static(b"As You Like"));
            plain
        }
        "/gzip" => answer(200, &[("content-encoding", "GZip")], gzip("zipped")),
        "/part" => {
            answer(206, &[("content-encoding", "gzip"), ("content-range", "bytes 0-1/9")], &b"\x1f\x8b"[..])
        }
        "/members" => answer(200, &[("content-encoding", "gzip")], [gzip("two "), gzip("members")].concat()),
        "/deflate" => answer(200, &[("content-encoding", "deflate")], deflate.finish().unwrap()),
        "/brotli" => answer(200, &[("content-encoding", "br")], brotli),
        "/zipped-nothing" => answer(200, &[("content-encoding", "gzip")], ""),
        "/not-zipped" => answer(200, &[("content-encoding", "gzip")], "text that is not zipped at all"),
        "/no-content" => answer(204, &[], ""),
        "/not-modified" => answer(304, &[("etag", "\"1\"")], ""),
        "/teapot" => answer(418, &[], "tea"),
        _ => answer(404, &[], "no"),
    }
}

#[tokio::test]
async fn responses_are_what_the_server_answered() {
    let origin = Origin::http(respond).await;
    let found = results(checks(
        &format!("http://{}", origin.address),
        "async plain(origin) {
           const response = await fetch(`${origin}/plain#fragment`);
           const { status, statusText, ok, type, redirected, bodyUsed } = response;
           return [status, statusText, ok, type, redirected, bodyUsed, response.url === `${origin}/plain`,
             response.headers.get('x-a'), response.headers.getSetCookie(), await response.text(), response.bodyUsed];
         },
         async immutable(origin) { (await fetch(`${origin}/plain`)).headers.set('x-a', '3') },
         async copied(origin) {
           const response = await fetch(`${origin}/plain`);
           const copy = new Response(response.body, response);
           copy.headers.set('x-a', '3');
           return [copy.status, copy.headers.get('x-a'), await copy.text()];
         },
         async gzip(origin) {
           const response = await fetch(`${origin}/gzip`);
           return [response.headers.get('content-encoding'), await response.text()];
         },
         async members(origin) { return (await fetch(`${origin}/members`)).text() },
         async deflate(origin) { return [...(await (await fetch(`${origin}/deflate`)).bytes()).slice(0, 1)] },
         async brotli(origin) { return (await fetch(`${origin}/brotli`)).text() },
         async zippedNothing(origin) { return (await fetch(`${origin}/zipped-nothing`)).text() },
         async part(origin) {
           const response = await fetch(`${origin}/part`, { headers: { range: 'bytes=0-1' } });
           return response.bytes().catch((error) => error.message.split(' cannot be ')[1]);
         },
         async identity(origin) {
           return (await fetch(`${origin}/gzip`, { headers: { 'accept-encoding': 'identity' } })).text();
         },
         async notZipped(origin) { return (await fetch(`${origin}/not-zipped`)).text() },
         async empty(origin) {
           const bodies = [];
           for (const path of ['no-content', 'not-modified']) bodies.push((await fetch(`${origin}/${path}`)).body);
           const head = await fetch(`${origin}/plain`, { method: 'HEAD' });
           return [...bodies, head.status, head.headers.get('content-length'), head.body, await head.text()];
         },
         async teapot(origin) { const { ok, status } = await fetch(`${origin}/teapot`); return [ok, status] },
         async twice(origin) { const response = await fetch(`${origin}/plain`); await response.text(); await response.text() },
         async cloned(origin) {
           const response = await fetch(`${origin}/plain`);
           const copy = response.clone();
           return [await response.text(), await copy.text()];
         }",
    ))
    .await;
    let not_zipped = found["notZipped"].as_str().unwrap().to_owned();
    let expected = format!("TypeError: the response from http://{} cannot be decompressed: ", origin.address);
    assert!(not_zipped.starts_with(&expected), "{not_zipped}");
    assert_eq!(
        found,
        json!({
            "plain": [
                201, "As You Like", true, "basic", false, false, true, "1, 2", ["c=1", "d=2"], "plain", true
            ],
            "immutable": "TypeError: Cannot change headers: headers are immutable",
            "copied": [201, "3", "plain"],
            "gzip": ["GZip", "zipped"],
            "members": "two members",
            "deflate": [0x78],
            "brotli": "brotli",
            "zippedNothing": "",
            "part": "decompressed: unexpected end of file",
            "identity": "zipped",
            "notZipped": not_zipped,
            "empty": [null, null, 201, "5", null, ""],
            "teapot": [false, 418],
            "twice": "TypeError: the body has been read already",
            "cloned": ["plain", "plain"],
        })
    );
}

#[tokio::test]
async fn an_app_can_be_a_proxy_in_one_line() {
    let origin = Origin::http(|request: Request<Incoming>| async move {
        match request.uri().path() {
            "/echo" => echo(request).await,
            _ => respond(request).await,
        }
    })
    .await;
    let index = "export default { fetch(request, env) {
        const { pathname } = new URL(request.url);
        return pathname === '/echo' ? fetch(new Request(env.ORIGIN + pathname, request)) : fetch(env.ORIGIN + pathname, request);
    } }";
    let app = App::new("app", index).set(&format!("env = {{ ORIGIN = 'http://{}' }}", origin.address));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let sent = within(client.post("/echo", "x".repeat(200_000))).await.unwrap().json();
    assert_eq!(
        (&sent["method"], &sent["headers"]["host"]),
        (&json!("POST"), &json!(origin.address.to_string()))
    );
    assert_eq!(sent["headers"]["content-length"], "200000", "{:?}", sent["headers"]);
    assert_eq!(sent["body"].as_str().unwrap().len(), 200_000);
    for (path, status, body, coding) in [
        ("/gzip", 200, gzip("zipped"), "GZip"),
        ("/plain", 201, b"plain".to_vec(), ""),
        ("/no-content", 204, Vec::new(), ""),
        ("/nowhere", 404, b"no".to_vec(), ""),
    ] {
        let reply = within(client.get(path)).await.unwrap();
        assert_eq!(
            (reply.status, &reply.body[..], reply.header("content-encoding")),
            (status, &body[..], coding),
            "{path}"
        );
    }
    let cookies: Vec<_> =
        within(client.get("/plain")).await.unwrap().headers.get_all("set-cookie").iter().cloned().collect();
    assert_eq!(cookies, ["c=1", "d=2"]);
}

/// `/302/path` redirects to `/path`, `/to?URL` to any URL, and `/loop` to itself.
async fn redirect(request: Request<Incoming>) -> Answer {
    let target = request.uri().to_string();
    let (status, location) = match target[1..].split(['/', '?']).next().unwrap() {
        "echo" => return echo(request).await,
        "loop" => (302, target.as_str()),
        "to" => (302, target.split_once('?').unwrap().1),
        "nowhere" => return answer(302, &[], "no Location"),
        status => (status.parse().unwrap(), &target[status.len() + 1..]),
    };
    answer(status, &[(LOCATION.as_str(), location)], "")
}

#[tokio::test]
async fn redirects_are_followed_as_the_standard_says() {
    let origin = Origin::http(redirect).await;
    let other = Origin::http(redirect).await;
    let functions = "
        async methods(origin) {
          const sent = [];
          for (const status of [301, 302, 303, 307, 308]) {
            for (const method of ['POST', 'PUT']) {
              const response = await fetch(`${origin}/${status}/echo`, { method, body: 'body' });
              const { method: then, body, headers } = await response.json();
              sent.push(`${status} ${method} ${then} ${body} ${headers['content-type'] ?? ''}`);
            }
          }
          return sent;
        },
        async url(origin) {
          const response = await fetch(`${origin}/302/301/echo#fragment`);
          return [response.redirected, response.url.replace(origin, '')];
        },
        async origins(origin) {
          const headers = { authorization: 'secret', cookie: 'secret', 'x-kept': 'kept' };
          const names = ({ headers }) => ['authorization', 'cookie', 'x-kept'].map((name) => headers[name] ?? null);
          const same = await fetch(`${origin}/302/echo`, { headers });
          const cross = await fetch(`${origin}/to?OTHER/echo`, { headers });
          return [names(await same.json()), names(await cross.json())];
        },
        async manual(origin) {
          const { status, type, headers, redirected } = await fetch(`${origin}/302/echo`, { redirect: 'manual' });
          return [status, type, headers.get('location'), redirected];
        },
        async error(origin) { await fetch(`${origin}/302/echo`, { redirect: 'error' }) },
        async loop(origin) { await fetch(`${origin}/loop`) },
        async nowhere(origin) { return (await fetch(`${origin}/nowhere`)).status },
        async scheme(origin) { await fetch(`${origin}/to?data:,text`) },
        async stream(origin) {
          await fetch(`${origin}/307/echo`, { method: 'POST', body: new Blob(['x']).stream().pipeThrough(new TransformStream()) });
        },
        async streamToGet(origin) {
          const body = new Blob(['x']).stream().pipeThrough(new TransformStream());
          const { method } = await (await fetch(`${origin}/303/echo`, { method: 'POST', body })).json();
          return method;
        },
        async metadata(origin) { await fetch(`${origin}/to?http://169.254.169.254/latest/meta-data`) },
        async metadataAgain(origin) { await fetch(`${origin}/302/to?http://[::ffff:169.254.169.254]/`) },
        ";
    let functions = functions.replace("OTHER", &format!("http://{}", other.address));
    let found = results(checks(&format!("http://{}", origin.address), &functions)).await;
    let text = "text/plain;charset=UTF-8";
    let network_error = |why: &str| format!("TypeError: Fetch failed: {why}");
    assert_eq!(
        found,
        json!({
            "methods": [
                "301 POST GET  ", format!("301 PUT PUT body {text}"), "302 POST GET  ", format!("302 PUT PUT body {text}"),
                "303 POST GET  ", "303 PUT GET  ", format!("307 POST POST body {text}"), format!("307 PUT PUT body {text}"),
                format!("308 POST POST body {text}"), format!("308 PUT PUT body {text}"),
            ],
            "url": [true, "/echo"],
            "origins": [["secret", "secret", "kept"], [null, null, "kept"]],
            "manual": [302, "basic", "/echo", false],
            "error": network_error("Encountered redirect while redirect mode is set to 'error'"),
            "loop": network_error("Maximum number of redirects (20) reached"),
            "nowhere": 302,
            "scheme": network_error("Can not redirect to a non HTTP(s) url"),
            "stream": network_error("Can not redeliver a streaming request body after a redirect"),
            "streamToGet": "GET",
            "metadata": "TypeError: fetch to http://169.254.169.254 was refused: 169.254.169.254 is link-local, \
                which apps may not reach; allow it with allow_net [EACCES]",
            "metadataAgain": "TypeError: fetch to http://[::ffff:a9fe:a9fe] was refused: ::ffff:169.254.169.254 is \
                link-local, which apps may not reach; allow it with allow_net [EACCES]",
        })
    );
}

#[tokio::test]
async fn a_trace_goes_on_with_what_its_request_asks_for() {
    let origin = Origin::http(echo).await;
    let url = format!("http://{}", origin.address);
    let app = "export default { async fetch(request, env) {
      const seen = async (...input) => {
        const { headers } = await (await fetch(...input)).json();
        return [headers.traceparent ?? null, headers.tracestate ?? null];
      };
      await null;
      return Response.json({
        plain: await seen(env.ORIGIN), own: await seen(env.ORIGIN, { headers: { Traceparent: 'own' } }),
        request: await seen(new Request(env.ORIGIN, { method: 'POST', body: 'x' })),
        app: request.headers.get('traceparent'), wrong: await fetch('nonsense').catch((error) => error.name),
      });
    } }";
    let app = App::new("app", app).set(&format!("env.ORIGIN = '{url}'"));
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = client.request("GET", "/").header("traceparent", trace).header("tracestate", "a=1");
    let found =
        client.send(request.body(http_body_util::Full::<Bytes>::default()).unwrap()).await.unwrap().json();
    assert_eq!(
        found,
        json!({
            "plain": [trace, "a=1"], "own": ["own", null], "request": [trace, "a=1"], "app": trace,
            "wrong": "TypeError",
        })
    );
    let found = client.get("/").await.unwrap().json();
    assert_eq!(found["plain"], json!([null, null]));
}
