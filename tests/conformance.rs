//! The web platform inside a worker, held against the standards: ECMA-429 and those that it names.
//!
//! Each area is an app of its own, `AREA.js` beside this file: checks by name, which a worker runs when it is asked. What
//! does not hold and is known is in [`KNOWN`], with the reason.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::TestSupervisor;
use crate::harness::App;

macro_rules! areas {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("conformance/", $name, ".js")))),*]
    };
}

const AREAS: &[(&str, &str)] = areas![
    "abort",
    "blobs",
    "compression",
    "crypto",
    "data_urls",
    "encoding",
    "events",
    "exceptions",
    "fetch",
    "form_data",
    "global_events",
    "interfaces",
    "messaging",
    "mime",
    "performance",
    "streams",
    "structured_clone",
    "timers",
    "url",
    "url_data",
    "url_pattern",
    "websocket",
];

/// An area, a check in it, and why it does not hold.
const KNOWN: &[(&str, &str, &str)] = &[];

#[tokio::test]
async fn the_web_platform_is_what_the_standards_say() {
    let mut plan = TestSupervisor::plan();
    for (area, checks) in AREAS {
        let index = format!(
            "import checks from './{area}.js';
             import {{ report }} from './harness.js';
             export default {{ fetch: () => report(checks) }};"
        );
        let app = App::new(&area.replace('_', "-"), &index)
            .file(&format!("{area}.js"), checks)
            .file("harness.js", include_str!("conformance/harness.js"));
        let data = match *area {
            "url_data" => tables("url", &[("parsed", "urltestdata.json"), ("changed", "setters_tests.json")]),
            "data_urls" => tables("data-url", &[("urls", "data-urls.json"), ("base64", "base64.json")]),
            "mime" => {
                tables("data-url", &[("types", "mime-types.json"), ("more", "generated-mime-types.json")])
            }
            _ => String::new(),
        };
        plan = plan.app(app.file("data.js", &data));
    }
    let supervisor = plan.start().await;
    let mut table = String::new();
    let mut wrong = String::new();
    let (mut passed, mut total) = (0, 0);
    for (area, _) in AREAS {
        let reply = supervisor.get(&area.replace('_', "-"), "/").await;
        assert_eq!(reply.status, 200, "{area}: {}", reply.text());
        let results: Vec<(String, Option<String>)> = serde_json::from_slice(&reply.body).expect("results");
        let held = results.iter().filter(|(_, failure)| failure.is_none()).count();
        let _ = writeln!(table, "{area:18} {held:4}/{}", results.len());
        (passed, total) = (passed + held, total + results.len());
        for (check, failure) in &results {
            let known = KNOWN.iter().find(|(of, name, _)| of == area && name == check);
            match (failure, known) {
                (Some(failure), None) => {
                    let _ = writeln!(wrong, "{area}: {check}: {failure}");
                }
                (None, Some(_)) => {
                    let _ = writeln!(wrong, "{area}: {check} holds now; take it out of KNOWN");
                }
                _ => {}
            }
        }
    }
    eprintln!("{table}{:18} {passed:4}/{total}", "all");
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(total > 700, "only {total} checks ran");
}

#[tokio::test]
async fn aborting_a_fetch_tells_the_source_of_its_body_why() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch(request) {
           const url = new URL(request.url);
           if (url.pathname === '/upload') {
             const reader = request.body.getReader();
             await reader.read();
             return new Response(await reader.read().then(() => 'ended', () => 'cut off'));
           }
           const controller = new AbortController();
           let cancelled;
           const body = new ReadableStream({
             start(source) {
               source.enqueue(new Uint8Array(1));
             },
             pull() {
               setTimeout(() => controller.abort('stop'), 20);
               return new Promise(() => {});
             },
             cancel(reason) {
               cancelled = reason;
             },
           });
           const upload = fetch(new URL('/upload', url), { method: 'POST', body, duplex: 'half', signal: controller.signal });
           const ended = await upload.then(() => 'fulfilled', (reason) => reason);
           return Response.json({ ended, cancelled });
         } }",
    )
    .await;
    let reply = supervisor.client("app").await.get("/").await.unwrap();
    assert_eq!(reply.json(), serde_json::json!({ "ended": "stop", "cancelled": "stop" }));
}

#[tokio::test]
async fn a_redirect_keeps_the_bytes_of_its_location() {
    let supervisor = TestSupervisor::with(
        "export default { async fetch(request) {
           const url = new URL(request.url);
           if (url.pathname === '/end') return new Response(url.search);
           if (url.pathname === '/from') {
             // UTF-8, a byte that is none, and what is encoded already.
             return new Response(null, { status: 302, headers: { location: '/end?\\u00e2\\u0098\\u0083\\u00ff%e2%' } });
           }
           const response = await fetch(new URL('/from', url));
           return Response.json({ seen: await response.text(), url: new URL(response.url).search });
         } }",
    )
    .await;
    let reply = supervisor.client("app").await.get("/").await.unwrap();
    assert_eq!(reply.json(), serde_json::json!({ "seen": "?%E2%98%83%FF%e2%", "url": "?%E2%98%83%FF%e2%" }));
}

/// Tables that a crate's own tests use, as a module with a name for each. Empty where cargo does not keep the crate's source.
fn tables(of: &str, files: &[(&str, &str)]) -> String {
    let folder = source_of(of);
    if folder.is_none() {
        eprintln!("the source of the crate {of} is not there; its tables are left out");
    }
    let table = |(name, file): &(&str, &str)| {
        let text =
            folder.as_ref().and_then(|folder| fs::read_to_string(folder.join("tests").join(file)).ok());
        format!("export const {name} = {};\n", text.as_deref().unwrap_or("[]"))
    };
    files.iter().map(table).collect()
}

/// Where cargo has unpacked the crate of this name in Cargo.lock.
fn source_of(name: &str) -> Option<PathBuf> {
    let lock = include_str!("../Cargo.lock");
    let version = lock.split(&format!("name = \"{name}\"\nversion = \"")).nth(1)?.split('"').next()?;
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    let sources = fs::read_dir(home.join("registry/src")).ok()?;
    sources
        .filter_map(Result::ok)
        .map(|index| index.path().join(format!("{name}-{version}")))
        .find(|path| path.is_dir())
}
