//! Apps that use real packages from npm, at the versions in `tests/npm/package-lock.json`, driven over HTTP. Skipped with a
//! message if there is no npm to install them.

use bytes::Bytes;
use http_body_util::Full;
use nano_supervisor::api::AppState;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::harness::talker::{TEXT, Talker};
use crate::harness::{App, Client, Raw, npm, within};

/// Serves one of the apps with its own supervisor. Returns `None` if npm cannot be run.
async fn serve(file: &str, settings: &str) -> Option<TestSupervisor> {
    let folder = npm::installed()?;
    let entry = format!(
        "entry = 'apps/{file}'\nstart_timeout = '30s'\nwatchdog = '20s'\nhung_timeout = '1m'\n{settings}"
    );
    let supervisor = TestSupervisor::plan().app(App::at("app", &folder).set(&entry)).start().await;
    let app = supervisor.app("app").await;
    assert_eq!(app.state, AppState::Ready, "{:?}", supervisor.log.lines());
    Some(supervisor)
}

/// Posts JSON and returns status and JSON of the answer.
async fn post(client: &Client, path: &str, body: Value) -> (u16, Value) {
    let request = client.request("POST", path).header("content-type", "application/json");
    let reply =
        within(client.send(request.body(Full::new(Bytes::from(body.to_string()))).unwrap())).await.unwrap();
    (reply.status, reply.json())
}

#[tokio::test]
async fn hono_takes_websockets() {
    let Some(supervisor) = serve("hono_websocket.ts", "").await else { return };
    let mut talker = Talker::open(supervisor.address("app").await, "/rooms/tea");
    assert_eq!(talker.send(TEXT, "hello").hears(), "text tea: hello");
    assert_eq!(
        (talker.send(TEXT, "bye").hears(), talker.hears()),
        ("text tea: bye".into(), "close 4000 as asked".into())
    );
    assert_eq!(talker.close(4000, "as asked").hears(), "end");
    supervisor.log.line_with("left tea 4000").await;
    assert_eq!(supervisor.get("app", "/rooms/tea").await.text(), "a room");
}

#[tokio::test]
async fn graphql_subscriptions_run_over_websockets() {
    let Some(supervisor) = serve("graphql_ws.ts", "").await else { return };
    let address = supervisor.address("app").await;
    // The client of the package.
    let ask = async |token: &str| {
        supervisor.get("app", &format!("/?at=ws://{address}/&token={token}")).await.json()
    };
    let counted: Vec<_> = (0..4).rev().map(|left| json!({ "countdown": left })).collect();
    assert_eq!(ask("right").await, json!(counted));
    assert_eq!(ask("wrong").await, json!({ "code": 4403, "reason": "Forbidden" }));
    // A client that does what it wants.
    let protocol = "Sec-WebSocket-Protocol: other, graphql-transport-ws\r\n";
    let mut talker = Talker::over(Raw::connect(address), "/room", protocol);
    assert!(talker.head.to_lowercase().contains("sec-websocket-protocol: graphql-transport-ws"));
    let heard = |talker: &mut Talker| -> Value {
        serde_json::from_str(talker.hears().strip_prefix("text ").unwrap()).unwrap()
    };
    let subscribe = |id: &str, query: &str| {
        json!({ "id": id, "type": "subscribe", "payload": { "query": query } }).to_string()
    };
    talker.send(TEXT, r#"{"type":"connection_init"}"#);
    assert_eq!(heard(&mut talker)["type"], "connection_ack");
    talker.send(TEXT, subscribe("query", "{ path }"));
    assert_eq!(heard(&mut talker)["payload"]["data"]["path"], "/room");
    assert_eq!(heard(&mut talker), json!({ "id": "query", "type": "complete" }));
    talker.send(TEXT, subscribe("long", "subscription { countdown(from: 1000000) }"));
    assert_eq!(heard(&mut talker)["payload"]["data"]["countdown"], 1_000_000);
    talker.send(TEXT, r#"{"id":"long","type":"complete"}"#);
    supervisor.log.line_with("counted from 1000000").await;
    assert_eq!(talker.send(TEXT, "nonsense").closing_code(), Some(4400));
}

#[tokio::test]
async fn hono_routes_validates_signs_and_streams() {
    let Some(supervisor) = serve("hono.tsx", "env = { SECRET = 'a secret of some length' }").await else {
        return;
    };
    let client = supervisor.client("app").await;
    let get = async |path: &str| within(client.get(path)).await.unwrap();

    assert_eq!(get("/").await.text(), "home");
    assert_eq!(get("/users/12?tag=a&tag=b").await.json(), json!({ "id": 12, "query": ["a", "b"] }));
    assert_eq!(get("/users/x").await.json(), json!({ "missing": "/users/x" }));
    assert_eq!(get("/nested/deep/a/b").await.text(), "a/b");
    assert_eq!(get("/teapot").await.status, 418);
    let broken = get("/broken").await;
    assert_eq!((broken.status, broken.json()), (500, json!({ "error": "broken on purpose" })));

    let css = get("/static/site.css").await;
    assert_eq!((css.text(), css.header("content-type")), ("body { margin: 0 }", "text/css"));
    let again = client.request("GET", "/static/site.css").header("if-none-match", css.header("etag"));
    let again = within(client.send(again.body(Full::<Bytes>::default()).unwrap())).await.unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));

    let (status, order) = post(&client, "/api/orders", json!({ "item": "tea" })).await;
    assert_eq!((status, order), (201, json!({ "item": "tea", "count": 1 })));
    let (status, refused) = post(&client, "/api/orders", json!({ "item": "t", "count": -1 })).await;
    assert_eq!((status, &refused["success"]), (400, &json!(false)));

    let form = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nada\r\n\
        --x\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\na\r\n\
        --x\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\nb\r\n\
        --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nin a file\r\n--x--\r\n";
    let request = client
        .request("POST", "/form")
        .header("content-type", "multipart/form-data; boundary=x")
        .header("origin", format!("http://{}", supervisor.address("app").await));
    let reply = within(client.send(request.body(Full::new(Bytes::from(form))).unwrap())).await.unwrap();
    assert_eq!(
        reply.json(),
        json!({ "name": "ada", "tags": ["a", "b"], "file": ["f.txt", "text/plain", "in a file"] })
    );

    assert_eq!(get("/private/me").await.status, 401);
    let token = get("/token").await;
    let request =
        client.request("GET", "/private/me").header("authorization", format!("Bearer {}", token.text()));
    let me = within(client.send(request.body(Full::<Bytes>::default()).unwrap())).await.unwrap();
    assert_eq!(me.json()["sub"], "ada");

    let cookies = get("/cookies").await;
    let set: Vec<_> = cookies
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(set.len(), 2, "{set:?}");
    let sent: Vec<_> = set.iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
    let request = client.request("GET", "/cookies").header("cookie", sent.join("; "));
    let reply = within(client.send(request.body(Full::<Bytes>::default()).unwrap())).await.unwrap();
    assert_eq!(reply.json(), json!({ "plain": "1", "signed": "two" }));

    let events: String = (0..3).map(|id| format!("event: tick\ndata: tick {id}\nid: {id}\n\n")).collect();
    assert_eq!(get("/sse").await.text(), events);
    assert_eq!(get("/words").await.text(), "one\ntwo\nthree\n");
    assert_eq!(
        get("/page").await.text(),
        "<html><h1 class=\"title\">&lt;Hono&gt;</h1><ul><li>1</li><li>2</li></ul><p>inside</p></html>"
    );
}

#[tokio::test]
async fn itty_router_routes() {
    let Some(supervisor) = serve("itty.js", "").await else { return };
    let client = supervisor.client("app").await;
    let get = async |path: &str| within(client.get(path)).await.unwrap();
    assert_eq!(get("/todos").await.json(), json!([{ "id": "1", "text": "write" }]));
    assert_eq!(get("/todos/9").await.json(), json!({ "status": 404, "error": "no todo 9" }));
    assert_eq!(get("/query?a=1&b=2&b=3").await.json(), json!({ "a": "1", "b": ["2", "3"] }));
    assert_eq!(get("/fail").await.json(), json!({ "status": 500, "error": "failed on purpose" }));
    assert_eq!(get("/nowhere").await.status, 404);
    assert_eq!(post(&client, "/todos", json!({ "id": "2", "text": "read" })).await.0, 201);
    let preflight = client
        .request("OPTIONS", "/todos")
        .header("origin", "https://example.com")
        .header("access-control-request-method", "POST");
    let reply = within(client.send(preflight.body(Full::<Bytes>::default()).unwrap())).await.unwrap();
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, "https://example.com"));
}

#[tokio::test]
async fn jose_signs_and_encrypts() {
    let Some(supervisor) = serve("jose.ts", "").await else { return };
    let reply = within(supervisor.get("app", "/")).await.json();
    for alg in ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let expected = json!(["admin", alg, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"]);
        assert_eq!(reply["signatures"][alg], expected, "{alg}");
    }
    for alg in ["dir", "A256KW", "RSA-OAEP-256", "ECDH-ES+A128KW"] {
        assert_eq!(reply["encryption"][alg], "kept", "{alg}");
    }
    assert_eq!(reply["keySet"], json!({ "kid": "one", "thumbprint": 43, "pem": true }));
}

#[tokio::test]
async fn packages_for_text_and_data_work() {
    let Some(supervisor) = serve("text.ts", "").await else { return };
    assert_eq!(
        within(supervisor.get("app", "/")).await.json(),
        json!({
            "marked": "<h1>Title</h1>\n<ul>\n<li><em>a</em></li>\n<li><code>b</code></li>\n</ul>\n",
            "nanoid": [21, "xxxxx"],
            "dates": ["2026-01-31", "2 Tage"],
            "xml": { "a": { "@_n": "1", "b": ["x", "y"] } },
            "built": "<a><b>x</b><b>y</b></a>",
            "superjson": ["2026-01-31T12:00:00.000Z", ["1", "2"], true],
            "uuid": [36, "fbf7c923-296c-5e7f-a5ee-489ba76054da", true, "00000000-0000-0000-0000-000000000000"],
            "valibot": [{ "email": "ada@example.com", "age": 18 }, false],
            "yaml": { "a": [1, 2], "b": { "c": "text" } },
        })
    );
}

#[tokio::test]
async fn packages_that_exist_as_commonjs_only_work() {
    let Some(supervisor) = serve("commonjs.js", "").await else { return };
    assert_eq!(
        within(supervisor.get("app", "/")).await.json(),
        json!({
            "lodash": ["oneTwo", [[1, 2], [3]], { "a": { "b": 1, "c": 2 } }, "4.18.1"],
            "fp": [2, 3],
            "debug": [true],
            "ms": [172_800_000, "1 minute"],
            "qs": [{ "a": { "b": "1", "c": "2" } }, "a[0]=1&a[1]=2"],
            "handlebars": "<li>&lt;one&gt;</li><li>two</li>",
            "bcrypt": [60, true, false],
        })
    );
}

#[tokio::test]
async fn preact_renders() {
    let Some(supervisor) = serve("preact.tsx", "").await else { return };
    assert_eq!(
        within(supervisor.get("app", "/")).await.text(),
        "<h1 style=\"color:red;\">&lt;Preact></h1><button data-theme=\"dark\" disabled>21/42</button><div><b>raw</b></div>"
    );
}

#[tokio::test]
async fn react_streams_what_was_suspended() {
    let Some(supervisor) = serve("react.tsx", "").await else { return };
    let reply = within(supervisor.get("app", "/")).await;
    assert_eq!(reply.header("x-build"), "production");
    let page = reply.text();
    let (waiting, late) = (page.find("<p>waiting</p>"), page.find("<p>late</p>"));
    assert!(page.contains("<h1>React</h1>") && waiting.is_some() && late > waiting, "{page}");
}

#[tokio::test]
async fn graphql_answers_queries_mutations_and_subscriptions() {
    let Some(supervisor) = serve("graphql.ts", "").await else { return };
    let client = supervisor.client("app").await;
    let ask = async |query: &str| post(&client, "/graphql", json!({ "query": query })).await.1;
    assert_eq!(
        ask("{ books(after: 1900) { title } }").await,
        json!({ "data": { "books": [{ "title": "Dune" }] } })
    );
    let added = ask("mutation { add(title: \"Emma\", year: 1815) { year } }").await;
    assert_eq!(added, json!({ "data": { "add": { "year": 1815 } } }));
    let masked = ask("{ fail }").await;
    assert_eq!(masked["errors"][0]["message"], "Unexpected error.", "{masked}");
    assert!(
        ask("{ nothing }").await["errors"][0]["message"].as_str().unwrap().contains("Cannot query field")
    );
    let subscription = client
        .request("POST", "/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream");
    let body = json!({ "query": "subscription { countdown(from: 2) }" }).to_string();
    let reply = within(client.send(subscription.body(Full::new(Bytes::from(body))).unwrap())).await.unwrap();
    for count in [2, 1, 0] {
        assert!(reply.text().contains(&format!("{{\"countdown\":{count}}}")), "{}", reply.text());
    }
}

#[tokio::test]
async fn packages_in_webassembly_work() {
    let Some(supervisor) = serve("wasm.ts", "").await else { return };
    assert_eq!(within(supervisor.get("app", "/sql")).await.json(), json!([3, "one-two"]));
    let image = within(supervisor.get("app", "/")).await;
    assert_eq!((image.status, image.header("x-size")), (200, "20x10"));
    assert!(image.body.starts_with(b"\x89PNG\r\n"), "{:?}", image.body);
}

#[tokio::test]
async fn clients_of_web_services_reach_them() {
    let upstream = TestSupervisor::with(
        "export default { async fetch(request) {
            const { pathname } = new URL(request.url);
            if (pathname === '/missing') return new Response('none', { status: 404 });
            if (pathname === '/v1/customers') return Response.json({ id: 'cus_1', object: 'customer', sent: await request.text() });
            return Response.json(request.body ? await request.json().catch(() => null) : null);
        } }",
    )
    .await;
    let env = format!("env = {{ UPSTREAM = 'http://{}' }}", upstream.address("app").await);
    let Some(supervisor) = serve("clients.ts", &env).await else { return };
    assert_eq!(
        within(supervisor.get("app", "/")).await.json(),
        json!({
            "axios": [200, { "from": "axios" }, 404],
            "ky": { "from": "ky" },
            "stripe": ["evt_1", "cus_1"],
            "aws": ["AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request", 200],
        })
    );
}

#[tokio::test]
async fn html_is_taken_apart_and_h3_routes() {
    let Some(supervisor) = serve("html.ts", "").await else { return };
    let client = supervisor.client("app").await;
    assert_eq!(
        within(client.get("/titles")).await.unwrap().json(),
        json!({
            "texts": ["one!", "two & three"],
            "html": "<li class=\"a\" id=\"first\">one!</li><li>two &amp; three</li>",
        })
    );
    assert_eq!(within(client.get("/user/ada")).await.unwrap().text(), "hello ada");
    let (_, echoed) = post(&client, "/echo?x=1", json!({ "a": 1 })).await;
    assert_eq!(echoed, json!({ "body": { "a": 1 }, "query": { "x": "1" } }));
}

#[tokio::test]
async fn streams_of_node_work_in_a_handler() {
    let Some(supervisor) = serve("node_streams.js", "").await else { return };
    assert_eq!(
        within(supervisor.get("app", "/")).await.json(),
        json!({
            "seen": ["A", "B"],
            "packaged": ["x", "y"],
            "once": [42],
            "hash": "ba7816bf8f01cfea",
            "buffer": "aMOpbGxv",
            "promisified": 42,
        })
    );
    let upper = within(supervisor.client("app").await.post("/upper", "shout")).await.unwrap();
    assert_eq!(upper.text(), "SHOUT");
}

#[tokio::test]
async fn packages_sign_and_encrypt_with_the_keys_of_node() {
    let Some(supervisor) = serve("signatures.js", "").await else { return };
    let of = async |path: &str| supervisor.get("app", path).await.json();
    let tokens = of("/jsonwebtoken").await;
    for algorithm in ["HS256", "RS256", "ES256", "ES384", "ES512"] {
        assert_eq!(tokens[algorithm], json!({ "a": 1 }), "{algorithm}");
        if algorithm != "HS256" {
            assert_eq!(tokens[format!("{algorithm} changed")], "invalid signature", "{algorithm}");
        }
    }
    assert_eq!(of("/jose").await, json!([{ "a": 1 }, { "a": 1 }]));
    assert_eq!(of("/push").await, json!(["aes128gcm", true, "hello\u{2}"]));
    let expected = json!({
        "verified": true, "same": true, "decrypted": "secret", "opened": "text", "passphrase": true, "back": true,
        "certificate": ["CN=forge.example.com", true],
    });
    assert_eq!(of("/forge").await, expected);
}
