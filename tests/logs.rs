//! Logs: what apps print, with level, app and request id, optionally a line per request, as text and as JSON.

use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::harness::{App, Log, executable, process, run};
use crate::{TestSupervisor, until};

const TALKATIVE: &str = "console.log('loading');
export default { async fetch(request) {
  console.debug('debug', 1);
  console.log('log', { a: [1, 'two'] });
  console.info('info');
  await new Promise((resolve) => setTimeout(resolve, 5));
  console.warn('warn after an await');
  setTimeout(() => console.error('error in a timer'), 1);
  return new Response('x');
} }";

#[tokio::test]
async fn console_lines_carry_level_app_and_request_id() {
    let plan = TestSupervisor::plan().app(App::new("app", TALKATIVE)).flags(&["--log-level", "debug"]);
    let supervisor = plan.start().await;
    let id = supervisor.get("app", "/").await.header("x-request-id").to_owned();
    supervisor.log.record_with("error in a timer").await;
    for (message, level, of_request) in [
        ("loading", "INFO", false),
        ("debug 1", "DEBUG", true),
        ("log { a: [ 1, \"two\" ] }", "INFO", true),
        ("info", "INFO", true),
        ("warn after an await", "WARN", true),
    ] {
        let record = supervisor.log.records().into_iter().find(|record| record["message"] == message);
        let record = record.unwrap_or_else(|| panic!("no {message:?}"));
        assert_eq!(
            (&record["level"], &record["app"], &record["target"]),
            (&level.into(), &"app".into(), &"app".into())
        );
        assert_eq!(record.get("request_id"), of_request.then(|| id.clone().into()).as_ref(), "{message}");
    }
    // Lines that are printed after the answer have the request id as well.
    let late = supervisor.log.record_with("error in a timer").await;
    assert_eq!((&late["level"], &late["request_id"]), (&"ERROR".into(), &id.into()));
}

#[tokio::test]
async fn the_level_decides_what_is_logged() {
    let plan = TestSupervisor::plan().app(App::new("app", TALKATIVE)).flags(&["--log-level", "warn"]);
    let supervisor = plan.start().await;
    supervisor.get("app", "/").await;
    supervisor.log.record_with("error in a timer").await;
    let levels: Vec<_> = supervisor.log.records().into_iter().map(|record| record["level"].clone()).collect();
    assert!(levels.iter().all(|level| level == "WARN" || level == "ERROR"), "{levels:?}");
}

#[tokio::test]
async fn every_request_has_an_access_line_where_that_is_wanted() {
    let hello =
        App::new("app", "export default { fetch: (request) => new Response('hello', { status: 201 }) }");
    let supervisor = TestSupervisor::plan().app(hello.clone()).flags(&["--access-log"]).start().await;
    let reply = supervisor.get("app", "/path?query").await;
    let record = supervisor.log.record_with("\"target\":\"/path?query\"").await;
    for (field, expected) in [
        ("app", serde_json::json!("app")),
        ("client", "127.0.0.1".into()),
        ("method", "GET".into()),
        ("status", 201.into()),
        ("bytes", 5.into()),
        ("cut_off", false.into()),
        ("version", "HTTP/1.1".into()),
        ("request_id", reply.header("x-request-id").into()),
    ] {
        assert_eq!(record[field], expected, "{field} in {record}");
    }
    assert!(record["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{record}");

    let supervisor = TestSupervisor::plan().app(hello).start().await;
    supervisor.get("app", "/path?query").await;
    process::signal(supervisor.pid(), Signal::SIGTERM);
    supervisor.log.record_with("drained").await;
    assert!(!supervisor.log.lines().iter().any(|line| line.contains("/path?query")));
}

#[tokio::test]
async fn lines_for_people_have_no_colours_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.js"), TALKATIVE).unwrap();
    let mut command = executable();
    command.args(["serve", "--port", "0", "--host", "127.0.0.1"]).arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let log = Log::default();
    log.collect(child.stdout.take().unwrap());
    let line = log.line_with("loading").await;
    assert!(!line.contains('\x1b') && line.contains(" INFO ") && line.contains("loading"), "{line}");
    log.line_with("worker ready").await;
    process::signal(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn an_app_that_floods_the_log_holds_up_nobody() {
    let flood = "export default { fetch() {
      for (let line = 0; line < 50000; line++) console.log('line ' + line + ' ' + 'x'.repeat(200));
      return new Response('flooded');
    } }";
    // `log_rate` does not limit this app, only the speed at which the log can be written.
    let flood = App::new("flood", flood).set("log_rate = '1GiB'");
    let supervisor = TestSupervisor::plan().app(flood).app(App::hello("calm")).start().await;
    let client = supervisor.client("flood").await;
    // Until it floods faster than the log is written, whose loss of lines is reported.
    let lost = "log lines: they came faster than they could be written";
    until("lines are lost", async || {
        let client = client.clone();
        let flooding = tokio::spawn(async move { client.get("/").await.unwrap() });
        for _ in 0..50 {
            assert_eq!(supervisor.get("calm", "/").await.status, 200);
        }
        assert_eq!(flooding.await.unwrap().text(), "flooded");
        supervisor.log.lines().iter().any(|line| line.contains(lost)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_line_holds_cannot_forge_another() {
    let source = "export default { fetch() { console.log('one\\n{\"level\":\"ERROR\",\"message\":\"forged\"}'); return new Response('x'); } }";
    let supervisor = TestSupervisor::with(source).await;
    supervisor.get("app", "/").await;
    let record = supervisor.log.record_with("forged").await;
    assert_eq!(record["level"], "INFO");
    assert!(record["message"].as_str().unwrap().starts_with("one\n"));
}

#[tokio::test]
async fn what_an_app_prints_as_text_cannot_pass_for_a_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let source =
        "console.log('one\\n2026-01-01T00:00:00.000000Z ERROR nano_supervisor: forged\\r\\x1b[1A\\n\\nlast');
      export default { fetch: () => new Response('x') }";
    std::fs::write(folder.path().join("index.js"), source).unwrap();
    let mut command = executable();
    command.args(["serve", "--port", "0", "--host", "127.0.0.1"]).arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let log = Log::default();
    log.collect(child.stdout.take().unwrap());
    log.line_with("    last").await;
    log.line_with("worker ready").await;
    process::signal(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines = log.lines();
    let first =
        lines.iter().position(|line| line.contains(" INFO app: app=") && line.ends_with(" one")).unwrap();
    let expected =
        ["    2026-01-01T00:00:00.000000Z ERROR nano_supervisor: forged\\r\\x1b[1A", "    ", "    last"];
    for (line, expected) in lines[first + 1..].iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} in {lines:#?}");
    }
}

#[tokio::test]
async fn an_app_has_a_level_of_its_own_or_that_of_the_supervisor() {
    let app = |name: &str| App::new(name, TALKATIVE);
    let plan = TestSupervisor::plan().set("log_level = 'info'").app(app("plain"));
    let plan = plan.app(app("quiet").set("log_level = 'warn'")).app(app("open").set("log_level = 'debug'"));
    let supervisor = plan.start().await;
    let levels = async |name: &str| {
        let before = supervisor.log.records().len();
        supervisor.get(name, "/").await;
        let errors = || {
            let records = supervisor.log.records().split_off(before);
            let of_app = records
                .into_iter()
                .filter(|record| record["request_id"].is_string() && record["app"] == name);
            let levels: Vec<_> = of_app.map(|record| record["level"].as_str().unwrap().to_owned()).collect();
            levels.contains(&"ERROR".to_owned()).then(|| levels.join(" "))
        };
        until("its last line is there", async || errors()).await
    };
    assert_eq!(levels("plain").await, "INFO INFO WARN ERROR");
    assert_eq!(levels("quiet").await, "WARN ERROR");
    assert_eq!(levels("open").await, "DEBUG INFO INFO WARN ERROR");
    let workers = [supervisor.worker("plain").await, supervisor.worker("quiet").await];

    // A reload changes the levels of running apps and replaces no worker for it.
    supervisor.rewrite(|config| config.replace("log_level = 'warn'", "").replace("'info'", "'debug'"));
    let (code, text, errors) =
        run(supervisor.folder(), &["reload", "--control", supervisor.socket().to_str().unwrap()]);
    assert_eq!((code, &*text, &*errors), (0, "quiet: changed\n", ""));
    assert_eq!(levels("plain").await, "DEBUG INFO INFO WARN ERROR");
    assert_eq!(levels("quiet").await, "DEBUG INFO INFO WARN ERROR");
    assert_eq!([supervisor.worker("plain").await, supervisor.worker("quiet").await], workers);

    // The supervisor's own lines use the supervisor's level, which a reload changes as well.
    supervisor.rewrite(|config| config.replacen("'debug'", "'error'", 1));
    run(supervisor.folder(), &["reload", "--control", supervisor.socket().to_str().unwrap()]);
    // What comes behind these lines was logged after the reload.
    levels("plain").await;
    let before = supervisor.log.records().len();
    run(supervisor.folder(), &["restart", "open", "--control", supervisor.socket().to_str().unwrap()]);
    assert_eq!(levels("open").await, "DEBUG INFO INFO WARN ERROR");
    let records = supervisor.log.records().split_off(before);
    assert!(records.iter().all(|record| record["target"] == "app"), "{records:?}");
}
