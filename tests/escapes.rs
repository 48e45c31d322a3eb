//! Text from others moves no cursor, hides no text and reverses no line, wherever the command line or the log quotes it.

use std::fs;

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;

use crate::harness::{App, Client, folder, process, run};
use crate::{TestSupervisor, until};

/// One character of each kind: control characters of ASCII and beyond, text directions, line separators, invisible ones.
const HOSTILE: &str = "\x1b[2J\x07\x08\x7f\u{9b}31m\u{85}\u{202e}\u{2066}\u{2028}\u{2029}\u{200b}\u{feff}";

/// The same characters as a JavaScript literal.
const IN_SCRIPT: &str = "\\x1b[2J\\x07\\x08\\x7f\\u009b31m\\u0085\\u202e\\u2066\\u2028\\u2029\\u200b\\ufeff";

/// Checks that a terminal would execute none of the characters in `text`.
fn assert_harmless(what: &str, text: &str) {
    let obeyed = |char: &char| {
        (char.is_control() && !matches!(char, '\n' | '\t'))
            || matches!(*char, '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let found: Vec<_> = text.chars().filter(obeyed).collect();
    assert!(found.is_empty(), "{what}: {found:?} in {text:?}");
}

/// Checks the same, and that `text` shows the characters in escaped form.
fn assert_shown(what: &str, text: &str) {
    assert_harmless(what, text);
    assert!(text.contains("202e"), "{what}: {text:?}");
}

#[tokio::test]
async fn every_command_shows_what_terminals_obey() {
    let source = format!(
        "export default {{ fetch(request) {{
            if (request.url.includes('/crash')) {{ console.log('{IN_SCRIPT}'); setTimeout(() => {{ throw new Error('{IN_SCRIPT}') }}) }}
            return new Promise(() => {{}});
        }} }}"
    );
    let supervisor = TestSupervisor::plan()
        .app(App::new("app", &source).set("exit_on_unhandled_rejection = true"))
        .app(App::new("bad", &format!("throw new Error('{IN_SCRIPT}')")))
        .app(
            App::named("file")
                .file("README.md", "")
                .set(&format!("entry = \"{}\"", "\\u001b[2J\\u202e\\u009b.js")),
        )
        .start()
        .await;
    let socket = supervisor.socket().to_str().unwrap().to_owned();
    let command = |arguments: &[&str]| {
        let (_, text, errors) = run(supervisor.folder(), &[arguments, &["--control", &socket]].concat());
        format!("{text}{errors}")
    };
    let worker = supervisor.worker("app").await;
    let client = supervisor.client("app").await;
    let _ = client.get("/crash").await;
    supervisor.replaced("app", worker).await;
    process::signal(supervisor.worker("app").await, Signal::SIGKILL);
    for arguments in [
        &["status"][..],
        &["status", "bad"],
        &["status", "--json"],
        &["crashes"],
        &["crashes", "--json"],
        &["start", "bad"],
        &["restart", "bad"],
        &["start", "file"],
        &["logs"],
        &["logs", "--json"],
    ] {
        assert_shown(&arguments.join(" "), &command(arguments));
    }
    for arguments in [&["list"][..], &["reload"], &["reload", "--json"], &["health"]] {
        assert_harmless(&arguments.join(" "), &command(arguments));
    }
    assert_shown("start of none", &command(&["start", "\u{202e}x"]));
    // File names.
    let next = supervisor.folder().join(format!("next{HOSTILE}"));
    fs::create_dir(&next).unwrap();
    std::os::unix::fs::symlink("/etc", next.join(HOSTILE)).unwrap();
    assert_shown("deploy", &command(&["deploy", "app", next.to_str().unwrap()]));
    let (_, text, errors) =
        run(supervisor.folder(), &["check", "--app", "bad=bad:0", next.to_str().unwrap()]);
    assert_shown("check", &format!("{text}{errors}"));
    let (code, text, errors) = run(supervisor.folder(), &["serve", next.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert_shown("serve", &format!("{text}{errors}"));
}

#[tokio::test]
async fn lines_of_the_log_and_the_access_log_are_harmless_in_every_form() {
    for (form, format) in [("true", "text"), ("'combined'", "text"), ("'json'", "json"), ("true", "json")] {
        let source = format!("export default {{ fetch() {{ throw new Error('{IN_SCRIPT}') }} }}");
        let config = format!(
            "[server]\nlog_format = '{format}'\naccess_log = {form}\n[apps.app]\npath = 'app'\nport = 0\nhost = '127.0.0.1'"
        );
        let here = folder(&[("app/index.js", &source), ("nano.toml", &config)]);
        let arguments = ["serve", "--config", "nano.toml"].map(str::to_owned).to_vec();
        let supervisor = TestSupervisor::run(here, arguments).await;
        supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
        let client: Client = supervisor.client("app").await;
        let request = client.request("GET", "/x%1b[2J?\u{202e}".replace('\u{202e}', "%E2%80%AE").as_str());
        // Built from bytes, because a string cannot hold them in this form.
        let agent = hyper::header::HeaderValue::from_bytes("a\u{202e}\u{9b}b".as_bytes()).unwrap();
        let request = request.header("user-agent", agent.clone()).header("referer", agent);
        let body = http_body_util::Full::<bytes::Bytes>::default();
        assert_eq!(client.send(request.body(body).unwrap()).await.unwrap().status, 500);
        let lines = until("the request is in the log", async || {
            let lines = supervisor.log.lines();
            lines.iter().any(|line| line.contains("/x%1b[2J")).then_some(lines)
        })
        .await;
        for line in lines {
            assert_harmless(&format!("{form} {format}"), &line);
        }
    }
}
