//! Each line names its app before the text, and an error names its request. An error that repeats is not logged each time.

use std::process::Stdio;

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;

use crate::harness::{App, Log, executable, process};
use crate::{TestSupervisor, until};

const FAULTY: &str = "export default { async fetch(request, env, ctx) {
  const { pathname } = new URL(request.url);
  console.log('plain');
  if (pathname === '/throws') throw new Error('thrown');
  if (pathname === '/logs') { await 1; console.error('logged'); }
  if (pathname === '/later') ctx.waitUntil(new Promise((_, no) => setTimeout(() => no(new Error('later')), 20)));
  if (pathname === '/nobody') (async () => { await 1; throw new Error('for nobody'); })();
  if (pathname === '/timer') setTimeout(() => { throw new Error('in a timer'); }, 10);
  if (pathname === '/rejects') setTimeout(() => Promise.reject(new Error('rejected')), 10);
  if (pathname === '/spins') for (;;);
  return new Response('x');
} }";

#[tokio::test]
async fn an_error_names_app_request_method_and_path() {
    let app = App::new("app", FAULTY).set("watchdog = '1s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    for (path, text) in [
        ("/throws?x=1", "Uncaught Error: thrown"),
        ("/logs", "logged"),
        ("/later", "Uncaught (in waitUntil) Error: later"),
        ("/nobody?x", "Uncaught (in promise) Error: for nobody"),
        ("/timer", "Uncaught Error: in a timer"),
        ("/rejects", "Uncaught (in promise) Error: rejected"),
        ("/spins", "longer than `watchdog` allows"),
    ] {
        let reply = client.post(path, "body").await.unwrap();
        let record = supervisor.log.record_with(text).await;
        assert_eq!(
            (&record["app"], &record["request_id"], &record["method"], &record["path"]),
            (
                &"app".into(),
                &reply.header("x-request-id").into(),
                &"POST".into(),
                &path.split('?').next().into()
            ),
            "{record}"
        );
        let line = supervisor.log.line_with(text).await;
        assert!(
            line.find("\"path\"") < line.find("\"message\"")
                && line.find("\"app\"") < line.find("\"method\""),
            "{line}"
        );
        // A line that is not an error has fewer fields.
        let plain = supervisor.log.record_with("plain").await;
        assert!(plain["request_id"].is_string() && plain["method"].is_null(), "{plain}");
    }
}

#[tokio::test]
async fn as_text_it_stands_before_what_the_app_says() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("shop");
    std::fs::create_dir(&app).unwrap();
    std::fs::write(
        app.join("index.js"),
        "export default { fetch() { throw new Error('app=blog method=GET') } }",
    )
    .unwrap();
    let mut command = executable();
    command
        .args(["serve", "--port", "0", "--host", "127.0.0.1", "--control", "x.sock", "shop"])
        .current_dir(&folder);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let log = Log::default();
    log.collect(child.stdout.take().unwrap());
    log.line_with("worker ready").await;
    let listen = nano_supervisor::api::client::status(&folder.path().join("x.sock"))
        .await
        .unwrap()
        .apps
        .remove(0)
        .listen;
    let answer = crate::harness::raw::exchange(
        listen.parse().unwrap(),
        "GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    let line = log.line_with("Uncaught Error: app=blog").await;
    let expected =
        format!("ERROR app: app=shop request_id={id} method=GET path=/a Uncaught Error: app=blog method=GET");
    assert!(line.ends_with(&expected), "{line}");
    process::signal(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn why_an_app_does_not_load_is_said_once() {
    let app = App::new("app", "throw new Error('no way')").set("restart = { slow_retry = '100ms' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    supervisor.until("app", "was tried often", |app| app.failed_starts > 9).await;
    supervisor.log.line_with("no way").await;
    let lines = supervisor.log.lines();
    let told = lines.iter().filter(|line| line.contains("no way")).count();
    assert_eq!(told, 1, "{lines:#?}");
    // A repeated failure is logged at growing intervals.
    supervisor.log.record_with("\"times\":8").await;
    let still = supervisor
        .log
        .records()
        .into_iter()
        .filter(|record| record["message"].as_str().unwrap().starts_with("app still fails"));
    let times: Vec<_> = still.map(|record| record["times"].as_u64().unwrap()).collect();
    assert!(times.starts_with(&[2, 4, 8]), "{times:?}");

    // A different reason is logged at once.
    std::fs::write(supervisor.folder().join("app/index.js"), "throw new Error('another')").unwrap();
    supervisor.log.record_with("another").await;
    std::fs::write(
        supervisor.folder().join("app/index.js"),
        "export default { fetch: () => new Response('x') }",
    )
    .unwrap();
    until("it is mended", async || (supervisor.app("app").await.state == AppState::Ready).then_some(()))
        .await;
}
