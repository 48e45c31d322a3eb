//! Entrypoints of other apps, and calls of their methods: as on Workers, within the limits of the app that is called.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client, process};

const SERVICES: &str = "services = { OTHER = 'other', PLAIN_DEFAULT = 'plain', \
    ADMIN = { app = 'other', entrypoint = 'Admin', props = { role = 'boss' } }, SUB = { app = 'other', entrypoint = 'Sub' }, \
    SILENT = { app = 'other', entrypoint = 'Silent' }, PLAIN = { app = 'other', entrypoint = 'plain', props = { a = 1 } } }";

const BINDINGS: &str = r#"(name = "OTHER", service = "other"), (name = "PLAIN_DEFAULT", service = "plain"),
    (name = "ADMIN", service = (name = "other", entrypoint = "Admin", props = (json = "{\"role\":\"boss\"}"))),
    (name = "SUB", service = (name = "other", entrypoint = "Sub")),
    (name = "SILENT", service = (name = "other", entrypoint = "Silent")),
    (name = "PLAIN", service = (name = "other", entrypoint = "plain", props = (json = "{\"a\":1}")))"#;

#[tokio::test]
async fn calls_of_another_app_are_what_they_are_on_workers() {
    let texts = [
        ("app", include_str!("calls/app.js")),
        ("other", include_str!("calls/other.js")),
        ("plain", include_str!("calls/plain.js")),
    ];
    let Some(theirs) = Workerd::serve_several(&texts, BINDINGS) else { return };
    let [app, other, plain] = texts.map(|(name, text)| App::new(name, text));
    let ours = TestSupervisor::plan().app(app.set(SERVICES)).app(other).app(plain).start().await;
    let [ours, theirs] = [ours.client("app").await, Client::afresh(theirs.address())];
    let (ours, theirs) = (ours.get("/").await.unwrap().json(), theirs.get("/").await.unwrap().json());
    let results = theirs.as_object().unwrap();
    assert!(results.len() > 150, "{theirs:#}");
    let differ = results.iter().filter(|(name, value)| ours[*name] != **value);
    let differ: Vec<_> = differ.map(|(name, value)| format!("{name}: {} for {value}", ours[name])).collect();
    assert!(differ.is_empty(), "{differ:#?}");
}

/// Runs a program of two apps here and in workerd, and compares what came of each. `services` name entrypoints of the other one.
async fn as_on_workers(texts: [(&str, &str); 2], services: &[(&str, &str)], least: usize) {
    let of_workerd = |(name, entrypoint): &(&str, &str)| {
        format!(r#"(name = "{name}", service = (name = "other", entrypoint = "{entrypoint}"))"#)
    };
    let of_ours = |(name, entrypoint): &(&str, &str)| {
        format!("{name} = {{ app = 'other', entrypoint = '{entrypoint}' }}")
    };
    let bindings =
        services.iter().map(of_workerd).chain([r#"(name = "OTHER", service = "other")"#.to_owned()]);
    let Some(theirs) = Workerd::serve_several(&texts, &bindings.collect::<Vec<_>>().join(", ")) else {
        return;
    };
    let [app, other] = texts.map(|(name, text)| App::new(name, text));
    let services = services.iter().map(of_ours).chain(["OTHER = 'other'".to_owned()]);
    let app = app.set(&format!("services = {{ {} }}", services.collect::<Vec<_>>().join(", ")));
    let ours = TestSupervisor::plan().app(app).app(other).start().await;
    let [client, theirs] = [ours.client("app").await, Client::afresh(theirs.address())];
    let (found, theirs) = (client.get("/").await.unwrap().json(), theirs.get("/").await.unwrap().json());
    let results = theirs.as_object().unwrap();
    assert!(results.len() >= least, "{theirs:#}");
    let differ = results.iter().filter(|(name, value)| found[*name] != **value);
    let differ: Vec<_> = differ.map(|(name, value)| format!("{name}: {} for {value}", found[name])).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    // Every session has ended with the request.
    ours.in_flight("other", 0).await;
}

#[tokio::test]
async fn stubs_are_what_they_are_on_workers() {
    let texts = [("app", include_str!("calls/stubs.js")), ("other", include_str!("calls/stubs_other.js"))];
    as_on_workers(texts, &[("STUBS", "Stubs")], 80).await;
}

#[tokio::test]
async fn requests_responses_and_streams_cross_as_on_workers() {
    let texts = [("app", include_str!("calls/bodies.js")), ("other", include_str!("calls/bodies_other.js"))];
    as_on_workers(texts, &[("STUBS", "Stubs")], 30).await;
}

#[tokio::test]
async fn an_app_reaches_its_own_entrypoints_as_on_workers() {
    let texts = [
        ("app", include_str!("calls/exports.js")),
        ("other", "export default { fetch: () => new Response() }"),
    ];
    as_on_workers(texts, &[], 25).await;
}

/// Calls the method that the path names of the other app, with the query as the argument, and says what came of it.
const CALLER: &str = "export default { async fetch(request, env) {
  const { pathname, search } = new URL(request.url);
  try {
    return Response.json(await env.OTHER[pathname.slice(1)](search.slice(1)));
  } catch ({ name, message, remote }) {
    return Response.json({ name, message, remote });
  }
} }";

fn class(methods: &str) -> String {
    format!(
        "import {{ WorkerEntrypoint }} from 'cloudflare:workers';\nexport default class extends WorkerEntrypoint {{ {methods} }}"
    )
}

async fn both(other: App) -> (TestSupervisor, Client) {
    let caller = App::new("caller", CALLER).set("services = { OTHER = 'other' }");
    let supervisor = TestSupervisor::plan().app(caller).app(other).start().await;
    let client = supervisor.client("caller").await;
    (supervisor, client)
}

#[tokio::test]
async fn a_call_is_within_the_limits_of_the_app_that_is_called() {
    // It needs no fetch handler.
    let other = class(
        "spin() { for (;;); }
         wait() { return new Promise(() => {}); }
         long(size) { return 'x'.repeat(size); }
         count(text) { return text.length; }",
    );
    let settings = "watchdog = '2s'\nrestart = { initial = '1ms', crash_loop = 100 }\nrequest_timeout = '5s'\n\
                    max_body = '1KiB'\nmax_response = '10KiB'";
    let (supervisor, client) = both(App::new("other", &other).set(settings)).await;
    let get = async |path: &str| client.get(path).await.unwrap().json();
    assert_eq!(get("/count?abc").await, json!(3));
    let before = supervisor.worker("caller").await;
    let spun = get("/spin").await;
    let starts = |value: &Value, message: &str| value["message"].as_str().unwrap().starts_with(message);
    assert!(starts(&spun, "the app other gave no answer: ") && spun["remote"] == true, "{spun}");
    // The app that has called goes on, and the other one is there again.
    assert_eq!(get("/count?abcd").await, json!(4));
    assert_eq!(supervisor.worker("caller").await, before);
    for path in ["/wait".to_owned(), "/long?20000".to_owned(), format!("/count?{}", "x".repeat(2000))] {
        let failed = get(&path).await;
        assert!(
            starts(&failed, "the app other gave no answer: ") && failed["remote"] == true,
            "{path}: {failed}"
        );
    }
    assert_eq!(get("/long?5000").await, json!("x".repeat(5000)));
    supervisor.in_flight("other", 0).await;
}

#[tokio::test]
async fn a_few_bytes_take_no_memory_of_the_other_app() {
    let other = class("count(list) { return list.length; } holes(size) { return new Array(size); }");
    let caller = "export default { async fetch(request, env) {
      const size = +new URL(request.url).search.slice(1);
      const outcome = (call) => call.catch(({ name, message }) => `${name}: ${message}`);
      return Response.json([
        await outcome(env.OTHER.count(new Array(size))),
        await outcome(env.OTHER.holes(size).length),
        await outcome(env.OTHER.count(new ArrayBuffer(1, { maxByteLength: 8 }))),
      ]);
    } }";
    let caller = App::new("caller", caller).set("services = { OTHER = 'other' }");
    let supervisor = TestSupervisor::plan().app(caller).app(App::new("other", &other)).start().await;
    let client = supervisor.client("caller").await;
    let get = async |path: &str| client.get(path).await.unwrap().json();
    let buffer = "DataCloneError: A resizable ArrayBuffer could not be cloned.";
    assert_eq!(get("/?1000").await, json!([1000, 1000, buffer]));
    let why = "TypeError: the other app has sent arrays with more than 1048576 empty elements";
    assert_eq!(get("/?2000000").await, json!([why, why, buffer]));
}

#[tokio::test]
async fn calls_in_a_circle_end() {
    let code = class(
        "async fetch() { return Response.json(await this.deep(0)); }
         async deep(depth) {
           try { return await this.env.SELF.deep(depth + 1); } catch ({ message }) { return [depth, message]; }
         }",
    );
    let plan = TestSupervisor::plan().app(App::new("self", &code).set("services = { SELF = 'self' }"));
    let reply = plan.start().await.get("self", "/").await;
    let message = "the app self gave no answer: Apps call each other in a loop.";
    assert_eq!(reply.json(), json!([16, message]));
}

#[tokio::test]
async fn a_client_that_goes_takes_its_call_along() {
    let other = class("wait() { console.log('waits'); return new Promise(() => {}); }");
    let (supervisor, client) = both(App::new("other", &other)).await;
    let call = tokio::spawn(async move { client.get("/wait").await.map(|reply| reply.status) });
    supervisor.log.line_with("waits").await;
    supervisor.in_flight("other", 1).await;
    process::signal(supervisor.worker("caller").await, Signal::SIGKILL);
    supervisor.in_flight("other", 0).await;
    assert_eq!(call.await.unwrap().unwrap(), 500);
}

#[tokio::test]
async fn a_call_is_named_in_logs_and_counted() {
    let other = "import { WorkerEntrypoint } from 'cloudflare:workers';
      export class Admin extends WorkerEntrypoint { add(a) { console.log('adds'); return a; } fail() { throw new TypeError('no'); } }";
    let caller =
        App::new("caller", CALLER).set("services = { OTHER = { app = 'other', entrypoint = 'Admin' } }");
    let plan = TestSupervisor::plan().set("access_log = true").app(caller).app(App::new("other", other));
    let supervisor = plan.start().await;
    let reply = supervisor.get("caller", "/add?5").await;
    assert_eq!(reply.json(), json!("5"));
    let id = reply.header("x-request-id").to_owned();
    assert_eq!(supervisor.log.record_with("adds").await["request_id"], id);
    let line = crate::until("the call is in the access log", async || {
        let mut lines = supervisor.log.records();
        lines.retain(|line| line["message"] == "request" && line["app"] == "other");
        lines.pop()
    })
    .await;
    assert_eq!(
        (&line["request_id"], &line["method"], &line["target"]),
        (&json!(id), &json!("call"), &json!("/Admin/add"))
    );
    assert_eq!((&line["caller"], &line["status"]), (&json!("caller"), &json!(200)));
    assert_eq!(
        supervisor.get("caller", "/fail").await.json(),
        json!({ "name": "TypeError", "message": "no", "remote": true })
    );
    assert_eq!(supervisor.log.record_with("Uncaught TypeError: no").await["path"], "/Admin/fail");
}

#[tokio::test]
async fn an_entrypoint_that_there_is_not_is_named_with_those_that_there_are() {
    let other = "import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers';
      export class Admin extends WorkerEntrypoint {}
      export const plain = { hello() {} };
      export class Point {}
      export const settings = { a: 1 };
      export default { fetch: () => new Response('default') };";
    let caller = "export default { async fetch(request, env) {
        const tried = [];
        for (const work of [() => env.LOST.hello(), () => env.LOST.fetch('http://x/'), () => env.POINT.hello(), () => env.FILES.hello(),
          () => env.ASSETS.hello(), () => env.ADMIN.fetch('http://x/file.txt')]) {
          try { tried.push(await work()); } catch ({ message, remote }) { tried.push([message, remote]); }
        }
        return Response.json(tried);
      } }";
    let services = "services = { LOST = { app = 'other', entrypoint = 'Lost' }, POINT = { app = 'other', entrypoint = 'Point' }, \
                    FILES = 'files', ADMIN = { app = 'other', entrypoint = 'Admin' } }\n\
                    assets = { directory = 'public', binding = 'ASSETS' }";
    let caller = App::new("caller", caller).file("public/a.txt", "a").set(services);
    let other =
        App::new("other", other).file("public/file.txt", "a file").set("assets = { directory = 'public' }");
    let files = App::named("files")
        .file("wrangler.toml", "[assets]\ndirectory = 'public'")
        .file("public/index.html", "files");
    let supervisor = TestSupervisor::plan().app(caller).app(other).app(files).start().await;
    let lost = "The app has no entrypoint \"Lost\". It has Admin, plain.";
    let point =
        "The app has no entrypoint \"Point\" (Point does not extend WorkerEntrypoint). It has Admin, plain.";
    assert_eq!(
        supervisor.get("caller", "/").await.json(),
        json!([
            [lost, true],
            [lost, true],
            [point, true],
            ["the app files has static files alone", true],
            ["env.ASSETS is the static files of the app: there is nothing to call", true],
            // Files are those of the default entrypoint.
            ["Handler does not export a fetch() function.", true],
        ])
    );
}

#[tokio::test]
async fn check_names_an_entrypoint_that_there_is_not() {
    let other = "import { WorkerEntrypoint } from 'cloudflare:workers';
      export class Admin extends WorkerEntrypoint {}
      export default { fetch: () => new Response() };";
    let wrangler = "main = 'index.js'\n[[services]]\nbinding = 'A'\nservice = 'api'\nentrypoint = 'Admin'\n\
                    [[services]]\nbinding = 'B'\nservice = 'api'\nentrypoint = 'Lost'\nprops = { a = 1 }\n";
    let folder = crate::harness::folder(&[
        ("site/index.js", "export default { fetch: () => new Response() }"),
        ("site/wrangler.toml", wrangler),
        ("api/index.js", other),
        ("nano.toml", "[apps.site]\npath = 'site'\nport = 0\n[apps.api]\npath = 'api'\nport = 0\n"),
    ]);
    let check = |more: &[&str]| {
        crate::harness::run(folder.path(), &[&["check", "--config", "nano.toml"], more].concat())
    };
    let (code, output, _) = check(&[]);
    let warning = "site: warning: env.B is Lost of the app api, which exports no entrypoint of this name; it exports Admin; fix: \
                   export class Lost extends WorkerEntrypoint there, or name another one";
    assert!(code == 0 && output.contains(warning), "{output}");
    assert_eq!(output.matches("which exports no entrypoint").count(), 1, "{output}");
    let (code, output, _) = check(&["--strict"]);
    assert!(
        code != 0 && output.contains("site: lacks the bindings B, which fails a strict check"),
        "{output}"
    );
}
