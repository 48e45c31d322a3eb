//! Apps that fetch from each other by `services`: as on Workers, within the limits of the one that answers, and without harm to the
//! one that asks.

mod as_on_workers;
mod calls;
mod changes;
mod draining;
mod hostile;
mod loopback;
mod stubs;
mod values;
mod websockets;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::admin::metrics;
use crate::harness::raw::Raw;
use crate::harness::{App, Client, free_address, process};

/// Fetches from the other app what its client asks for, and says how that failed.
const CALLER: &str = "export default { async fetch(request, env, ctx) {
  try {
    const response = await env.OTHER.fetch(request);
    return new Response(response.body, { status: response.status, headers: { ...Object.fromEntries(response.headers), 'x-by': 'caller' } });
  } catch (error) {
    return Response.json({ name: error.name, message: error.message, remote: error.remote }, { status: 299 });
  }
} }";

fn caller(name: &str, other: &str) -> App {
    App::new(name, CALLER).set(&format!("services = {{ OTHER = '{other}' }}"))
}

async fn both(other: App) -> (TestSupervisor, Client) {
    let supervisor = TestSupervisor::plan().app(caller("caller", "other")).app(other).start().await;
    let client = supervisor.client("caller").await;
    (supervisor, client)
}

fn error(message: &str) -> Value {
    json!({ "name": "Error", "message": message, "remote": true })
}

#[tokio::test]
async fn bodies_stream_both_ways_as_fast_as_they_are_read() {
    let other = "let given = 0;
      export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/echo') return new Response(request.body);
        if (pathname === '/given') return new Response(String(given));
        const chunk = new Uint8Array(16384);
        return new Response(new ReadableStream({
          pull(controller) {
            given += chunk.length;
            controller.enqueue(chunk);
            if (given >= 64 << 20) controller.close();
          },
        }));
      } }";
    let (supervisor, client) = both(App::new("other", other)).await;
    let sent: Vec<u8> = (0..5_000_000_u32).map(|number| (number % 251) as u8).collect();
    let reply = client.post("/echo", sent.clone()).await.unwrap();
    assert_eq!((reply.status, reply.body == sent), (200, true));
    // Nobody reads: what is under way is bounded, from the one app through the other to the client.
    let mut slow = Raw::narrow(supervisor.address("caller").await);
    slow.send("GET /flood HTTP/1.1\r\nhost: a\r\n\r\n");
    let given = async || client.get("/given").await.unwrap().text().parse::<usize>().unwrap();
    let mut last = 0;
    crate::until("the flood stands still", async || {
        let now = given().await;
        let stands = now > 0 && now == last;
        last = now;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        stands.then_some(())
    })
    .await;
    assert!(last < 16 << 20, "{last}");
    drop(slow);
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn whoever_gives_up_ends_the_work_of_the_other() {
    let caller = "export default { async fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (pathname === '/abort') {
        const controller = new AbortController();
        const got = env.OTHER.fetch('http://other/wait', { signal: controller.signal });
        await env.OTHER.fetch('http://other/waits');
        controller.abort();
        return new Response(await got.catch((error) => error.name));
      }
      if (pathname === '/cancel') {
        const { body } = await env.OTHER.fetch('http://other/stream');
        const reader = body.getReader();
        await reader.read();
        await reader.cancel();
        return new Response('cancelled');
      }
      return env.OTHER.fetch(request);
    } }";
    let other = "let waiting;
      let waits = new Promise((resolve) => waiting = resolve);
      export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/waits') { await waits; return new Response(); }
        if (pathname === '/wait') {
          waiting();
          await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
          console.log('aborted');
        }
        return new Response(new ReadableStream({
          start(controller) { controller.enqueue(new Uint8Array(10)); },
          cancel() { console.log('cancelled'); },
        }));
      } }";
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }");
    let supervisor = TestSupervisor::plan().app(caller).app(App::new("other", other)).start().await;
    let client = supervisor.client("caller").await;
    assert_eq!(client.get("/abort").await.unwrap().text(), "AbortError");
    supervisor.log.line_with("aborted").await;
    assert_eq!(client.get("/cancel").await.unwrap().text(), "cancelled");
    supervisor.in_flight("other", 0).await;
    // A client that goes takes the stream of both apps with it.
    let mut gone = Raw::connect(supervisor.address("caller").await);
    gone.send("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n");
    gone.up_to("\r\n\r\n");
    supervisor.in_flight("other", 1).await;
    drop(gone);
    supervisor.in_flight("other", 0).await;
    supervisor.in_flight("caller", 0).await;
}

#[tokio::test]
async fn a_crash_is_an_error_in_the_caller_and_no_more() {
    let other = "export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/throw') throw new RangeError('too far');
        if (pathname === '/spin') for (;;);
        if (pathname === '/wait') { console.log('waits'); await new Promise(() => {}); }
        if (pathname === '/part') return new Response(new ReadableStream({
          start(controller) { controller.enqueue(new Uint8Array(10)); },
        }));
        return new Response('fine', { headers: { 'x-own': 'yes' } });
      } }";
    let other =
        App::new("other", other).set("watchdog = '500ms'\nrestart = { initial = '1ms', crash_loop = 100 }");
    let (supervisor, client) = both(other).await;
    let get = async |path: &str| client.get(path).await.unwrap();
    let fine = get("/").await;
    assert_eq!(
        (fine.status, fine.text(), fine.header("x-own"), fine.header("x-by")),
        (200, "fine", "yes", "caller")
    );
    let before = supervisor.worker("caller").await;
    let thrown = get("/throw").await;
    assert_eq!(thrown.status, 299);
    assert_eq!(thrown.json(), json!({ "name": "RangeError", "message": "too far", "remote": true }));
    let gone = "the app other gave no answer: The app was interrupted: it kept running too long.";
    assert_eq!(get("/spin").await.json(), error(gone));
    assert_eq!(get("/").await.text(), "fine");
    // Killed while it works at one request, and in the middle of an answer.
    let pid = supervisor.worker("other").await;
    let (waiting, _) = tokio::join!(get("/wait"), async {
        supervisor.log.line_with("waits").await;
        process::signal(pid, Signal::SIGKILL);
    });
    let died = "the app other gave no answer: The app crashed while it handled the request.";
    assert_eq!(waiting.json(), error(died));
    supervisor.replaced("other", pid).await;
    let mut part = Raw::connect(supervisor.address("caller").await);
    part.send("GET /part HTTP/1.1\r\nhost: a\r\n\r\n");
    part.up_to("\r\n\r\n");
    process::signal(supervisor.worker("other").await, Signal::SIGKILL);
    assert!(!part.rest().ends_with("0\r\n\r\n"), "the client takes the part for the whole");
    assert_eq!(get("/").await.text(), "fine");
    assert_eq!(supervisor.worker("caller").await, before);
    // The report of the crash names the request, as that of a client.
    let crashes = crate::harness::crashes(&supervisor, "other").to_string();
    assert!(crashes.contains("/spin"), "{crashes}");
}

#[tokio::test]
async fn of_two_fetches_in_one_request_only_the_one_that_ends_the_worker_is_told_of_the_limit() {
    let caller = "export default { async fetch(request, env) {
        const get = (path) => env.OTHER.fetch('http://other' + path).catch(({ message }) => message);
        const waits = get('/wait');
        await get('/waits');
        return Response.json(await Promise.all([waits, get('/spin?for=long')]));
      } }";
    let other = "let begun;
      const waits = new Promise((resolve) => begun = resolve);
      export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/waits') { await waits; return new Response(); }
        if (pathname === '/spin') for (;;);
        begun();
        await new Promise(() => {});
      } }";
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }");
    let other = App::new("other", other).set("watchdog = '500ms'");
    let supervisor = TestSupervisor::plan().app(caller).app(other).start().await;
    let why = |what| format!("the app other gave no answer: {what}");
    assert_eq!(
        supervisor.get("caller", "/").await.json(),
        json!([
            why("The app crashed while it handled the request."),
            why("The app was interrupted: it kept running too long."),
        ])
    );
}

#[tokio::test]
async fn a_loop_ends() {
    let app = |name: &str, other: &str| {
        let code = format!(
            "export default {{ async fetch(request, env) {{
               const response = await env.OTHER.fetch(request);
               return new Response('{name} ' + await response.text(), {{ status: response.status }});
             }} }}"
        );
        App::new(name, &code).set(&format!("services = {{ OTHER = '{other}' }}"))
    };
    let plan = TestSupervisor::plan().app(app("a", "b")).app(app("b", "a")).app(app("self", "self"));
    let supervisor = plan.start().await;
    for (first, second) in [("a", "b"), ("self", "self")] {
        let reply = supervisor.get(first, "/").await;
        let whole = format!(
            "{}508 Loop Detected\nApps call each other in a loop.\n",
            format!("{first} {second} ").repeat(8) + &format!("{first} ")
        );
        assert_eq!((reply.status, reply.text()), (508, &*whole));
    }
}

#[tokio::test]
async fn a_loop_of_apps_that_answer_before_they_fetch_ends() {
    let code = "export default { fetch(request, env) {
        const { url } = request;
        setTimeout(async () => {
          const { status } = await env.SELF.fetch(url);
          if (status !== 200) console.log('ended with ' + status);
        }, 1);
        return new Response();
      } }";
    let supervisor =
        TestSupervisor::plan().app(App::new("self", code).set("services = { SELF = 'self' }")).start().await;
    assert_eq!(supervisor.get("self", "/").await.status, 200);
    supervisor.log.line_with("ended with 508").await;
}

#[tokio::test]
async fn many_large_answers_at_once_wait_until_the_caller_reads_them() {
    let caller = "export default { async fetch(request, env) {
        const what = new URL(request.url).pathname;
        const again = async () => {
          for (let i = 0; i < 3; i++) {
            try {
              await (await env.OTHER.fetch('http://other' + what)).text();
              got.answers++;
            } catch (error) {
              got.errors++;
            }
          }
        };
        const got = { answers: 0, errors: 0 };
        await Promise.all(Array.from({ length: 300 }, again));
        return Response.json(got);
      } }";
    let other = "const long = 'x'.repeat(8000);
      export default { fetch(request) {
        if (new URL(request.url).pathname === '/throw') throw new Error(long);
        return new Response('ok', { headers: { a: long, b: long, c: long } });
      } }";
    let plan = TestSupervisor::plan().set("log_level = 'warn'");
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }\nrequest_timeout = '10m'");
    let other = App::new("other", other).set("request_timeout = '10m'");
    let supervisor = plan.app(caller).app(other).start().await;
    let before = supervisor.worker("caller").await;
    assert_eq!(supervisor.get("caller", "/head").await.json(), json!({ "answers": 900, "errors": 0 }));
    assert_eq!(supervisor.get("caller", "/throw").await.json(), json!({ "answers": 0, "errors": 900 }));
    assert_eq!(supervisor.worker("caller").await, before);
}

#[tokio::test]
async fn the_limits_of_the_one_that_answers_hold() {
    let other = "export default { async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/wait') { console.log('waits'); await new Promise(() => {}); }
        return new Response('got ' + (await request.text()).length);
      } }";
    let limits = "max_in_flight = 1\nmax_body = '100B'\nrequest_timeout = '4s'";
    let (supervisor, client) = both(App::new("other", other).set(limits)).await;
    let waiting = tokio::spawn({
        let client = supervisor.client("caller").await;
        async move { client.get("/wait").await.unwrap().json() }
    });
    supervisor.log.line_with("waits").await;
    let refused = client.get("/").await.unwrap();
    assert_eq!(
        (refused.status, refused.text()),
        (503, "503 Service Unavailable\nThe app has too many requests in flight.\n")
    );
    let late = "the app other gave no answer: The app did not answer within its time limit.";
    assert_eq!(waiting.await.unwrap(), error(late));
    supervisor.in_flight("other", 0).await;
    assert_eq!(client.post("/", "x".repeat(100)).await.unwrap().text(), "got 100");
    assert_eq!(client.post("/", "x".repeat(101)).await.unwrap().status, 413);
    // Of unknown length.
    let mut chunked = Raw::connect(supervisor.address("caller").await);
    chunked.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    chunked.send(format!("65\r\n{}\r\n0\r\n\r\n", "x".repeat(0x65)));
    let rest = chunked.rest();
    assert!(rest.starts_with("HTTP/1.1 413 "), "{rest}");
}

#[tokio::test]
async fn a_worker_has_so_many_fetches_open_and_no_more() {
    let caller = "export default { async fetch(request, env) {
        const one = () => env.OTHER.fetch('http://other/wait').then((response) => response.text(), (error) => error.message);
        const counts = {};
        for (const text of await Promise.all(Array.from({ length: 1100 }, one))) counts[text] = (counts[text] ?? 0) + 1;
        return Response.json(counts);
      } }";
    let other = "let go;
      const waits = new Promise((resolve) => go = resolve);
      export default { async fetch(request) {
        if (new URL(request.url).pathname === '/go') go(); else await waits;
        return new Response('answered');
      } }";
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }");
    let admin = free_address();
    let plan = TestSupervisor::plan().set(&format!("admin = '{admin}'"));
    let supervisor = plan.app(caller).app(App::new("other", other)).start().await;
    let client = supervisor.client("caller").await;
    let (counts, _) = tokio::join!(client.get("/"), async {
        supervisor.until("other", "has as many as there may be", |app| app.in_flight >= 1023).await;
        supervisor.get("other", "/go").await;
    });
    // One more stream keeps the connection open.
    let why = "env.OTHER.fetch: 1024 fetches from bindings are open already";
    assert_eq!(counts.unwrap().json(), json!({ "answered": 1023, why: 77 }));
    crate::until("the refusals are counted", async || {
        let counts = metrics(&Client::afresh(admin)).await;
        (counts["nano_limit_broken_total{app=\"caller\",limit=\"fetches\"}"] == 77.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_app_of_files_answers_as_clients_are_answered() {
    let files = App::named("files")
        .file("wrangler.toml", "[assets]\ndirectory = 'public'")
        .file("public/about.html", "about");
    let supervisor = TestSupervisor::plan().app(caller("caller", "files")).app(files).start().await;
    let client = supervisor.client("caller").await;
    let about = client.get("/about").await.unwrap();
    assert_eq!(
        (about.status, about.text(), about.header("content-type")),
        (200, "about", "text/html; charset=utf-8")
    );
    assert_eq!(client.get("/nowhere").await.unwrap().status, 404);
}

#[tokio::test]
async fn the_id_and_the_trace_of_a_request_go_on() {
    let other = "export default { fetch: (request) => { console.warn('called'); return Response.json(Object.fromEntries(request.headers)); } }";
    let admin = free_address();
    let server = "access_log = true\notlp_endpoint = 'http://127.0.0.1:9'\ntrace_sample = 1.0";
    let plan = TestSupervisor::plan().set(&format!("{server}\nadmin = '{admin}'"));
    let supervisor = plan.app(caller("caller", "other")).app(App::new("other", other)).start().await;
    let reply = supervisor.get("caller", "/path?q").await;
    let id = reply.header("x-request-id").to_owned();
    let seen = reply.json();
    assert_eq!(seen["x-request-id"], id);
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    let trace = seen["traceparent"].as_str().unwrap().to_owned();
    assert_eq!((trace.len(), trace.ends_with("-00")), (55, false));
    let warned = supervisor.log.record_with("called").await;
    assert_eq!((&warned["app"], &warned["request_id"]), (&json!("other"), &json!(id)));
    let lines = crate::until("both requests are in the access log", async || {
        let mut lines = supervisor.log.records();
        lines.retain(|line| line["message"] == "request");
        (lines.len() == 2).then_some(lines)
    })
    .await;
    let text = |line: &Value, name: &str| line[name].clone();
    let of =
        |app: &str| lines.iter().find(|line| text(line, "app") == app).unwrap_or_else(|| panic!("{lines:?}"));
    let (asked, answered) = (of("caller"), of("other"));
    for line in [asked, answered] {
        assert_eq!(
            (text(line, "request_id"), text(line, "target"), text(line, "status")),
            (json!(id), json!("/path?q"), json!(200))
        );
    }
    assert_eq!((text(answered, "caller"), text(answered, "client")), (json!("caller"), Value::Null));
    assert_eq!((text(asked, "caller"), text(asked, "client")), (Value::Null, json!("127.0.0.1")));
    crate::until("the fetch is counted", async || {
        let counts = metrics(&Client::afresh(admin)).await;
        let of = |app: &str| counts[&format!("nano_fetches_total{{app=\"{app}\"}}")];
        assert_eq!(of("other"), 0.0);
        (of("caller") == 1.0).then_some(())
    })
    .await;
}
