//! `logs`: the latest lines of each app and of the supervisor, wherever the log is written, and new lines as they arrive.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{App, DEADLINE, Log, executable, run};
use crate::{TestSupervisor, until};

/// Prints the path at the level that the query names.
const PRINTS: &str = "export default { fetch(request) {
  const { pathname, search } = new URL(request.url);
  console[search.slice(1) || 'log'](pathname);
  return new Response('x');
} }";

/// Returns the exit code and the output of `logs` with these arguments.
fn logs(supervisor: &TestSupervisor, arguments: &[&str]) -> (i32, String) {
    let socket = supervisor.socket().to_str().unwrap();
    let (code, text, errors) =
        run(supervisor.folder(), &[&["logs"], arguments, &["--control", socket]].concat());
    (code, text + &errors)
}

/// Returns the messages that `logs` prints as JSON.
fn messages(supervisor: &TestSupervisor, arguments: &[&str]) -> Vec<String> {
    let (code, text) = logs(supervisor, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{text}");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    records.map(|record| record["message"].as_str().unwrap().to_owned()).collect()
}

fn printed(supervisor: &TestSupervisor, arguments: &[&str]) -> Vec<String> {
    messages(supervisor, arguments).into_iter().filter(|message| message.starts_with('/')).collect()
}

#[tokio::test]
async fn the_latest_lines_are_there_wherever_the_log_goes() {
    let plan = TestSupervisor::plan().app(App::new("a", PRINTS)).app(App::new("b", PRINTS));
    let supervisor = plan.set("log_file = '/dev/null'\naccess_log = true").start().await;
    for path in ["/1", "/2?warn", "/3?error"] {
        supervisor.get("a", path).await;
    }
    // A line of an app may come behind the answer.
    let printed_in_time = async |arguments: &[&str], expected: &str| {
        let last = async || (printed(&supervisor, arguments).last()? == expected).then_some(());
        until(&format!("{expected} is printed"), last).await;
    };
    printed_in_time(&["a"], "/3").await;
    supervisor.get("b", "/4").await;
    printed_in_time(&["b"], "/4").await;
    // Lines of the supervisor about an app are among that app's lines. Lines of the access log are not.
    let of_a = messages(&supervisor, &["a"]);
    assert_eq!(of_a.last().map(String::as_str), Some("/3"));
    assert!(of_a.iter().any(|message| message == "worker ready"), "{of_a:?}");
    assert!(!of_a.iter().any(|message| message == "request" || message == "/4"), "{of_a:?}");
    assert_eq!(printed(&supervisor, &[]), ["/1", "/2", "/3", "/4"]);
    assert!(messages(&supervisor, &[]).iter().any(|message| message == "listening"));
    assert_eq!(printed(&supervisor, &["--level", "warn"]), ["/2", "/3"]);
    assert_eq!(printed(&supervisor, &["a", "-n", "1"]), ["/3"]);
    assert_eq!(printed(&supervisor, &["--since", "1h"]), ["/1", "/2", "/3", "/4"]);
    assert_eq!(printed(&supervisor, &["--since", "2999-01-01T00:00:00Z"]), [""; 0]);

    // The text is the same as in the log, without colours unless the output is a terminal.
    let (code, text) = logs(&supervisor, &["a", "-n", "1"]);
    let (_, after) = text.split_once('Z').unwrap();
    let (_, id) = after.split_once("request_id=").unwrap();
    let id = id.split(' ').next().unwrap();
    let expected = format!(" ERROR app: app=a request_id={id} method=GET path=/3 /3\n");
    assert_eq!((code, after), (0, &*expected));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_answered_with_a_fix() {
    let supervisor = TestSupervisor::with(PRINTS).await;
    let expected = "nano-supervisor: there is no app \"none\"; there is: app\n";
    assert_eq!(logs(&supervisor, &["none"]), (1, expected.into()));
    let expected = "nano-supervisor: since=soon: write how long ago, such as 5m, or a time such as \
                    2026-01-31T12:00:00Z\n";
    assert_eq!(logs(&supervisor, &["--since", "soon"]), (1, expected.into()));
    let answer = ask(&supervisor, "POST /v1/logs HTTP/1.0");
    let mut lines = BufReader::new(answer).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.0 405 Method Not Allowed"));
}

/// Sends a request line over the control socket.
fn ask(supervisor: &TestSupervisor, line: &str) -> UnixStream {
    let mut socket = UnixStream::connect(supervisor.socket()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(socket, "{line}\r\nHost: localhost\r\n\r\n").unwrap();
    socket
}

/// Starts `logs --follow` and collects its output.
fn follow(supervisor: &TestSupervisor, arguments: &[&str]) -> (Child, Log) {
    let mut command = executable();
    command.args(["logs", "--follow", "--control"]).arg(supervisor.socket()).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = Log::default();
    log.collect(child.stdout.take().unwrap());
    log.collect(child.stderr.take().unwrap());
    (child, log)
}

#[tokio::test]
async fn whoever_follows_sees_what_comes() {
    let plan = TestSupervisor::plan().app(App::new("a", PRINTS)).app(App::new("b", PRINTS));
    let supervisor = plan.start().await;
    for number in 0..20 {
        supervisor.get("a", &format!("/before{number:02}")).await;
    }
    let printed = async || (printed(&supervisor, &["a"]).last()? == "/before19").then_some(());
    until("all are printed", printed).await;
    let (mut child, log) = follow(&supervisor, &["a"]);
    log.line_with("/before19").await;
    supervisor.get("b", "/other").await;
    supervisor.get("a", "/after").await;
    log.line_with("/after").await;
    let lines = log.lines();
    assert!(lines[0].contains("/before10") && lines.len() == 11, "{lines:?}");
    // The command ends with the supervisor and reports that.
    drop(supervisor);
    log.line_with("it has ended").await;
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[tokio::test]
async fn a_follower_that_does_not_read_loses_lines_and_holds_up_nothing() {
    let app = "export default { fetch(request) {
      for (let line = 0; line < 2000; line++) console.log('x'.repeat(1000));
      console.log('end of', new URL(request.url).pathname);
      return new Response('x');
    } }";
    let app = App::new("app", app).set("log_rate = '1GiB'");
    let supervisor = TestSupervisor::plan().app(app).set("log_memory = '16KiB'").start().await;
    let socket = ask(&supervisor, "GET /v1/logs?app=app&follow=true HTTP/1.1");
    let mut lines = BufReader::new(socket).lines().map(Result::unwrap);
    // The stream has started.
    lines.find(|line| line.contains("worker ready")).unwrap();
    // Far more than a socket buffers.
    for path in ["/1", "/2", "/3"] {
        assert_eq!(supervisor.get("app", path).await.status, 200);
        supervisor.log.line_with(&format!("end of {path}")).await;
    }
    let line = lines.find(|line| line.contains("lines: they came faster than they were read")).unwrap();
    let record: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&record["level"], &record["target"]), (&"WARN".into(), &"logs".into()));
    // After the gap, the stream continues.
    assert_eq!(supervisor.get("app", "/4").await.status, 200);
    lines.find(|line| line.contains("end of /4")).unwrap();
}

#[tokio::test]
async fn an_app_keeps_as_much_as_log_memory_says_and_pushes_out_no_other() {
    let app = "for (let line = 0; line < 500; line++) console.log('line', line, 'x'.repeat(100));
      export default { fetch: () => new Response('x') }";
    let plan = TestSupervisor::plan().app(App::new("loud", app)).app(App::new("calm", PRINTS));
    let supervisor = plan.set("log_memory = '16KiB'").start().await;
    supervisor.get("calm", "/calm").await;
    until("it is printed", async || (printed(&supervisor, &["calm"]) == ["/calm"]).then_some(())).await;
    let (code, text) = logs(&supervisor, &["loud", "--json"]);
    assert!(code == 0 && text.len() <= 16 << 10 && text.len() > 4 << 10, "{} bytes", text.len());
    assert!(text.contains("line 499 ") && !text.contains("line 10 "), "{text}");
    assert_eq!(printed(&supervisor, &["calm"]), ["/calm"]);
    assert!(messages(&supervisor, &[]).iter().any(|message| message == "listening"));
    // A reload raises the amount that is kept.
    supervisor.rewrite(|config| config.replace("'16KiB'", "'1MiB'"));
    run(supervisor.folder(), &["reload", "--control", supervisor.socket().to_str().unwrap()]);
    run(supervisor.folder(), &["restart", "loud", "--control", supervisor.socket().to_str().unwrap()]);
    assert!(messages(&supervisor, &["loud"]).len() > 500);
}
