//! Development mode shows the details of an error to the client. Without it, no client sees them.

use hyper::header::ACCEPT;
use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;

use crate::TestSupervisor;
use crate::harness::{App, process};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

const FAILING: &str = "class Bad extends Error {}
async function inner() {
  await 0;
  throw new Bad('<script>alert(\"1\")</script> & more', { cause: new TypeError('the cause') });
}
export default { async fetch(request) {
  const { pathname, search } = new URL(request.url);
  switch (pathname) {
    case '/undefined': return undefined;
    case '/spin': for (;;);
    case '/fill': { const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length)); }
    case '/never': console.log('never answers', search); return new Promise(() => {});
    case '/fine': return new Response('fine');
  }
  await inner();
} }";

/// Requests a path of `app` with an `accept` header. Returns status, content type and body.
async fn ask(supervisor: &TestSupervisor, app: &str, path: &str, accept: &str) -> (u16, String, String) {
    let client = supervisor.client(app).await;
    let request = client.request("GET", path).header(ACCEPT, accept);
    let reply = client.send(request.body(http_body_util::Empty::new()).unwrap()).await.unwrap();
    (reply.status, reply.header("content-type").to_owned(), reply.text().to_owned())
}

#[tokio::test]
async fn a_browser_gets_a_page_and_programs_get_a_field() {
    let app = App::new("app", FAILING).set("development = true");
    let supervisor = TestSupervisor::plan().app(app).app(App::new("live", FAILING)).start().await;

    let (status, kind, page) = ask(&supervisor, "app", "/it's?x=%22&y", BROWSER).await;
    assert_eq!((status, &*kind), (500, "text/html; charset=utf-8"));
    for part in [
        "<!doctype html>\n<html lang=\"en\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "color-scheme: light dark",
        "prefers-color-scheme: dark",
        "<p class=\"soft\">500 Internal Server Error <code>handler_failed</code></p>\n<h1>The app failed to answer.</h1>",
        "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more</pre>",
        "<h2>Where</h2>\n<pre>    at inner (index.js:4:9)\n    4 |   throw new Bad(&#39;&lt;script&gt;",
        "\n      |         ^\n    at async Object.fetch (index.js:15:3)\n",
        "caused by TypeError: the cause\n    at inner (index.js:4:64)\n",
        "<dt>App</dt><dd><code>app</code></dd>",
        "<dt>Request</dt><dd><code>GET /it&#39;s?x=%22&amp;y</code></dd>",
        "<code>development = true</code>",
    ] {
        assert!(page.contains(part), "{part:?} in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("http"), "{page}");

    let client = supervisor.client("app").await;
    let request = client.request("GET", "/").header(ACCEPT, "application/json");
    let reply = client.send(request.body(http_body_util::Empty::new()).unwrap()).await.unwrap();
    let error = &reply.json()["error"];
    assert_eq!((reply.status, &error["code"]), (500, &"handler_failed".into()));
    assert_eq!(error["request_id"], reply.header("x-request-id"));
    let detail = error["detail"].as_str().unwrap();
    assert!(detail.starts_with("Uncaught Error") && detail.contains("at inner (index.js:4:9)"), "{detail}");
    assert!(detail.contains("\n    4 |   throw new Bad('<script>"), "{detail}");
    assert_eq!(
        (reply.header("cache-control"), reply.header("x-content-type-options")),
        ("no-store", "nosniff")
    );
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'; "));

    let (status, kind, text) = ask(&supervisor, "app", "/", "*/*").await;
    assert_eq!((status, &*kind), (500, "text/plain; charset=utf-8"));
    assert_eq!(text, format!("500 Internal Server Error\nThe app failed to answer.\n\n{detail}\n"));

    // The app's own answers are not changed, and an app without development mode shows no details of its errors.
    assert_eq!(ask(&supervisor, "app", "/fine", BROWSER).await.2, "fine");
    let bare = "500 Internal Server Error\nThe app failed to answer.\n".to_owned();
    for accept in [BROWSER, "*/*"] {
        let expected = (500, "text/plain; charset=utf-8".to_owned(), bare.clone());
        assert_eq!(ask(&supervisor, "live", "/", accept).await, expected);
    }
    let (_, _, body) = ask(&supervisor, "live", "/", "application/json").await;
    assert!(body.contains("\"code\":\"handler_failed\"") && !body.contains("detail"), "{body}");
    assert!(!body.contains("script"), "{body}");
}

#[tokio::test]
async fn every_answer_that_the_app_causes_says_why() {
    let slow = "await new Promise((done) => setTimeout(done, 60000))";
    let plan = TestSupervisor::plan()
        .app(App::new("app", FAILING).set("heap = '32MiB'\nrestart = { initial = '1ms', crash_loop = 100 }"))
        .app(App::new("late", FAILING).set("request_timeout = '300ms'"))
        .app(App::new("busy", FAILING).set("watchdog = '300ms'"))
        .app(
            App::new("loop", FAILING).set("restart = { initial = '1ms', crash_loop = 1, min_uptime = '1h' }"),
        )
        .app(App::new("syntax", "export default {\n  fetch() { return new Response('<x>' }\n}"))
        .app(App::new("slow", slow).set("queue_timeout = '50ms'\nstart_timeout = '1h'"));
    let supervisor = plan.flags(&["--dev"]).launch().await;
    for app in ["app", "late", "busy", "loop"] {
        supervisor.until(app, "is ready", |app| app.state == AppState::Ready).await;
    }
    supervisor.until("syntax", "has failed", |app| app.state == AppState::Failed).await;
    for (app, path, status, code, parts) in [
        (
            "app",
            "/undefined",
            500,
            "not_a_response",
            &["the fetch handler must return a Response, not undefined"][..],
        ),
        ("late", "/never", 504, "timed_out", &["300ms (`request_timeout`)"]),
        ("busy", "/spin", 504, "watchdog", &["JavaScript ran longer than `watchdog` allows"]),
        ("app", "/fill", 500, "out_of_memory", &["the V8 heap reached its limit"]),
        ("slow", "/", 503, "no_worker", &["no worker was ready within 50ms (`queue_timeout`)"]),
        (
            "syntax",
            "/",
            500,
            "not_loaded",
            &[
                "SyntaxError: missing ) after argument list",
                "at index.js:2:",
                "2 |   fetch() { return new Response(&#39;&lt;x&gt;&#39; }",
            ],
        ),
    ] {
        let (found, _, page) = ask(&supervisor, app, path, BROWSER).await;
        assert_eq!(found, status, "{page}");
        for part in
            [&format!("<code>{code}</code>")].into_iter().map(String::as_str).chain(parts.iter().copied())
        {
            assert!(page.contains(part), "{part:?} in {page}");
        }
    }

    // A worker that dies reports no error itself. The supervisor knows a moment later how it ended.
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    for app in ["app", "loop"] {
        let client = supervisor.client(app).await;
        let request = client.request("GET", &format!("/never?{app}")).header(ACCEPT, "application/json");
        let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
        let waiting = tokio::spawn(async move { client.send(request).await.unwrap() });
        // Wait until the worker has seen the request: otherwise it is not blamed.
        supervisor.log.record_with(&format!("never answers ?{app}")).await;
        process::signal(supervisor.worker(app).await, Signal::SIGKILL);
        let error = waiting.await.unwrap().json()["error"].clone();
        assert_eq!((&error["code"], &error["detail"]), (&"worker_died".into(), &"killed by SIGKILL".into()));
    }
    supervisor.until("loop", "has failed", |app| app.state == AppState::Failed).await;
    let (status, _, text) = ask(&supervisor, "loop", "/", "*/*").await;
    assert_eq!(status, 503);
    assert!(text.ends_with("it keeps crashing.\n\nkilled by SIGKILL\n"), "{text}");
}

#[tokio::test]
async fn a_supervisor_that_others_can_reach_warns() {
    let warning = "development mode shows errors";
    let plan = TestSupervisor::plan()
        .app(App::hello("open").set("development = true\nport = 0"))
        .app(App::hello("closed").set("development = true"))
        .app(App::hello("live").set("port = 0"));
    let supervisor = plan.start().await;
    let found = supervisor.log.record_with(warning).await;
    assert_eq!((&found["level"], &found["apps"]), (&"WARN".into(), &"open".into()));
    let local = TestSupervisor::plan().app(App::hello("closed")).flags(&["--development"]).start().await;
    assert!(!local.log.lines().iter().any(|line| line.contains(warning)));
}
