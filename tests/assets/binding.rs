//! What a worker fetches from its static files by `env.ASSETS`, beside the worker that Cloudflare has published for them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{large, send};
use crate::TestSupervisor;
use crate::deploy::succeed_meanwhile;
use crate::harness::client::Reply;
use crate::harness::raw::Raw;
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client};

const HTML: &str = "text/html; charset=utf-8";

const FILES: [(&str, &str, &str); 6] = [
    ("/index.html", "home", HTML),
    ("/404.html", "not found", HTML),
    ("/about.html", "about", HTML),
    ("/docs/index.html", "docs", HTML),
    ("/app.js", "script of some length", "text/javascript; charset=utf-8"),
    ("/\u{e9}t\u{e9}.txt", "summer", "text/plain; charset=utf-8"),
];

/// Fetches in every way that there is. What it says of each is the same on Workers.
const WORKER: &str = r#"
  const NAMES = ["cache-control", "content-range", "content-type", "etag", "location"];
  const seen = async (got) => {
    const response = await got;
    const headers = NAMES.map((name) => [name, response.headers.get(name)]).filter(([, value]) => value !== null);
    return [response.status, response.url, response.redirected, headers, await response.text()];
  };
  export default {
    async fetch(request, env) {
      const { ASSETS } = env;
      const { pathname } = new URL(request.url);
      if (pathname !== "/try") return ASSETS.fetch(request);
      const at = (path) => `http://files.example${path}`;
      const { headers } = await ASSETS.fetch(at("/app.js"));
      const tag = headers.get("etag");
      const failed = async (run) => {
        try {
          await run();
          return "no error";
        } catch (error) {
          return error.constructor.name;
        }
      };
      return Response.json({
        kind: [typeof ASSETS, Object.prototype.toString.call(ASSETS), ASSETS.constructor.name, typeof globalThis.Fetcher],
        text: await seen(ASSETS.fetch(at("/app.js"))),
        url: await seen(ASSETS.fetch(new URL(at("/about")))),
        request: await seen(ASSETS.fetch(new Request(at("/docs/")))),
        init: await seen(ASSETS.fetch(new Request(at("/app.js"), { method: "POST" }), { method: "GET" })),
        secure: await seen(ASSETS.fetch("https://other.example:81/%C3%A9t%C3%A9.txt?q#f")),
        head: await seen(ASSETS.fetch(at("/app.js"), { method: "HEAD" })),
        post: await seen(ASSETS.fetch(at("/app.js"), { method: "POST", body: "x" })),
        postNowhere: await seen(ASSETS.fetch(at("/nowhere"), { method: "POST", body: "x" })),
        notModified: await seen(ASSETS.fetch(at("/app.js"), { headers: { "if-none-match": tag } })),
        modified: await seen(ASSETS.fetch(at("/app.js"), { headers: { "if-none-match": '"x"' } })),
        followed: await seen(ASSETS.fetch(at("/about.html"))),
        manual: await seen(ASSETS.fetch(at("/about.html"), { redirect: "manual" })),
        rule: await seen(ASSETS.fetch(at("/old?x"), { redirect: "manual" })),
        ruled: await seen(ASSETS.fetch(at("/old"))),
        missing: await seen(ASSETS.fetch(at("/missing"))),
        relative: await failed(() => ASSETS.fetch("/app.js")),
        nothing: await failed(() => ASSETS.fetch()),
        foreign: await failed(() => { const { fetch } = ASSETS; return fetch(at("/app.js")); }),
        aborted: await failed(() => ASSETS.fetch(at("/app.js"), { signal: AbortSignal.abort() })),
        env: JSON.stringify(env),
      });
    },
  };
"#;

/// What differs by name only: the hosts.
fn seen(reply: &Reply, address: std::net::SocketAddr) -> Value {
    let names = ["location", "content-type", "cache-control", "etag"];
    let fields: Vec<_> = names.map(|name| reply.header(name).replace(&address.to_string(), "HOST")).into();
    json!([reply.status, fields, reply.text()])
}

fn site() -> App {
    FILES
        .iter()
        .fold(App::new("app", WORKER), |app, (path, text, _)| app.file(&format!("public{path}"), text))
}

#[tokio::test]
async fn a_worker_fetches_files_as_on_workers() {
    let redirects = json!({
        "version": 1,
        "staticRules": { "/old": { "status": 301, "to": "/about", "lineNumber": 1 } },
        "rules": {},
    });
    for (html, not_found) in [
        ("auto-trailing-slash", "404-page"),
        ("none", "single-page-application"),
        ("force-trailing-slash", "none"),
    ] {
        let config =
            json!({ "html_handling": html, "not_found_handling": not_found, "redirects": redirects });
        let Some(theirs) = Workerd::assets_below(WORKER, &FILES, &config) else { return };
        let app = site().file("public/_redirects", "/old /about 301\n").set(&format!(
            "assets = {{ directory = 'public', html_handling = '{html}', not_found_handling = '{not_found}', \
             run_worker_first = true, binding = 'ASSETS' }}"
        ));
        let ours = TestSupervisor::plan().app(app).start().await;
        let addresses = [ours.address("app").await, theirs.address()];
        let [ours, theirs] = addresses
            .map(async |address| send(&Client::new(address, false), "GET", "/try", &[]).await.json());
        let (ours, theirs) = (ours.await, theirs.await);
        let theirs = theirs.as_object().unwrap();
        let differ = theirs.iter().filter(|(name, value)| ours[*name] != **value);
        let differ: Vec<_> =
            differ.map(|(name, value)| format!("{name}: {} for {value}", ours[name])).collect();
        assert!(differ.is_empty(), "with {html} and {not_found}: {differ:#?}");
        // The worker passes on what clients ask for.
        for (method, path, headers) in [
            ("GET", "/", &[][..]),
            ("GET", "/about", &[("if-none-match", "\"x\"")]),
            ("HEAD", "/about", &[]),
            ("GET", "/about.html", &[]),
            ("GET", "/nowhere", &[("sec-fetch-mode", "navigate")]),
            ("POST", "/about", &[]),
        ] {
            let [ours, theirs] = addresses.map(async |address| {
                seen(&send(&Client::new(address, false), method, path, headers).await, address)
            });
            assert_eq!(ours.await, theirs.await, "{method} {path} with {html} and {not_found}");
        }
    }
}

#[tokio::test]
async fn what_is_fetched_goes_on_compressed_and_in_any_length() {
    let script: String = (0..500).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "console.log({number});");
        text
    });
    let worker = "export default { async fetch(request, { FILES }) {
      const url = new URL(request.url);
      if (url.pathname === '/length') {
        const text = await (await FILES.fetch(new URL('/app.js', url), request)).text();
        return new Response(String(text.length));
      }
      if (url.pathname === '/cancel') {
        const { body } = await FILES.fetch(new URL('/large.txt', url));
        const reader = body.getReader();
        const { value } = await reader.read();
        await reader.cancel();
        return new Response(String(value.length > 0));
      }
      if (url.pathname === '/all') {
        const all = Array.from({ length: 100 }, () => FILES.fetch(new URL('/large.txt', url)));
        const texts = await Promise.all(all.map(async (got) => (await got).text()));
        return new Response(String(texts.every((text) => text === texts[0] && text.length > 1e5)));
      }
      return FILES.fetch(request);
    } }";
    let app = App::new("app", worker)
        .file(
            "wrangler.toml",
            "main = 'index.js'\n[assets]\ndirectory = 'public'\nbinding = 'FILES'\nrun_worker_first = true",
        )
        .file("public/app.js", &script)
        .file("public/large.txt", &large());
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let coded = send(&client, "GET", "/app.js", &[("accept-encoding", "gzip")]).await;
    assert_eq!((coded.status, coded.header("content-encoding")), (200, "gzip"));
    assert!(coded.body.len() < script.len() / 4, "{}", coded.body.len());
    assert_eq!(coded.header("content-length"), coded.body.len().to_string());
    let plain = send(&client, "GET", "/app.js", &[]).await;
    assert_eq!((plain.text(), plain.header("content-length")), (&*script, &*script.len().to_string()));
    // JavaScript reads it decoded.
    let length = send(&client, "GET", "/length", &[("accept-encoding", "gzip")]).await;
    assert_eq!(length.text(), script.len().to_string());
    // As on Workers, it decodes no Zstandard, so that it gets none.
    for accepted in ["zstd", "gzip, zstd"] {
        let length = send(&client, "GET", "/length", &[("accept-encoding", accepted)]).await;
        assert_eq!(length.text(), script.len().to_string(), "{accepted}");
    }
    let coded = send(&client, "GET", "/app.js", &[("accept-encoding", "br;q=0.1, zstd")]).await;
    assert_eq!((coded.status, coded.header("content-encoding")), (200, "br"));
    // Workers leave ranges to what lies before them; here the file has them.
    let part = send(&client, "GET", "/app.js", &[("range", "bytes=8-10")]).await;
    assert_eq!((part.status, part.text()), (206, "log"));
    let range = format!("bytes {}-", script.len());
    assert_eq!(send(&client, "GET", "/app.js", &[("range", &range.replace(' ', "="))]).await.status, 416);
    let text = large();
    let whole = send(&client, "GET", "/large.txt", &[]).await;
    assert_eq!((whole.text() == text, whole.header("content-length")), (true, &*text.len().to_string()));
    for path in ["/cancel", "/all"] {
        assert_eq!(send(&client, "GET", path, &[]).await.text(), "true", "{path}");
    }
    // A client that reads nothing of a long file holds it up, and nobody else.
    let mut slow = Raw::narrow(supervisor.address("app").await);
    slow.send("GET /large.txt HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(send(&client, "GET", "/large.txt", &[]).await.text(), text);
}

#[tokio::test]
async fn files_are_fetched_where_there_is_no_client() {
    let worker = "let said = {};
      const read = async (env) => (await env.ASSETS.fetch('http://x/about')).text();
      const early = read((await import('cloudflare:workers')).env).catch((error) => error.message);
      let healthy;
      export default {
        async fetch(request, env, ctx) {
          const { pathname } = new URL(request.url);
          if (pathname === '/up') healthy = await read(env).catch((error) => error.message);
          if (pathname === '/later') {
            ctx.waitUntil(new Promise((done) => setTimeout(done, 1)).then(() => read(env)).then((text) => console.log('later: ' + text)));
          }
          return Response.json({ early: await early, healthy });
        },
        async scheduled(event, env) { console.log('scheduled: ' + await read(env)); },
      }";
    let app = App::new("app", worker)
        .file("public/about.html", "about")
        .set("assets = { directory = 'public', binding = 'ASSETS', run_worker_first = true }")
        .set("health_path = '/up'\ncrons = ['0 0 1 1 *']");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let why = "env.ASSETS.fetch: there is no answer before the worker takes requests: while the app loads, or in a health check";
    assert_eq!(supervisor.get("app", "/").await.json(), json!({ "early": why, "healthy": why }));
    supervisor.get("app", "/later").await;
    supervisor.log.line_with("later: about").await;
    succeed_meanwhile(&supervisor, &["trigger", "app"]).await;
    supervisor.log.line_with("scheduled: about").await;
}
