//! Log files are appended to, rotated when they are full, and reopened after others have moved them. Their failures never stop
//! an app from being served.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::harness::{App, run};
use crate::{TestSupervisor, until};

const PRINTS: &str = "export default { fetch(request) { console.log(new URL(request.url).pathname); return new Response('x'); } }";

/// Waits until a file contains `text` and returns all of the file.
async fn file_with(path: &Path, text: &str) -> String {
    until(&format!("{} has {text:?}", path.display()), async || {
        fs::read_to_string(path).ok().filter(|all| all.contains(text))
    })
    .await
}

#[tokio::test]
async fn lines_go_to_the_file_and_are_appended_to_it() {
    let plan =
        TestSupervisor::plan().app(App::new("app", PRINTS)).set("log_file = 'nano.log'\naccess_log = true");
    let supervisor = plan.start().await;
    supervisor.get("app", "/one").await;
    let path = supervisor.folder().join("nano.log");
    // The app's lines and the access log go to the same file as the other lines, in no particular order.
    file_with(&path, "\"message\":\"/one\"").await;
    file_with(&path, "\"message\":\"request\"").await;
    let text = file_with(&path, "worker ready").await;
    assert!(supervisor.log.lines().is_empty(), "{:?}", supervisor.log.lines());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "{mode:o}");

    // Another supervisor appends to the same file.
    let before = text.len();
    let file = path.to_str().unwrap();
    let second =
        TestSupervisor::plan().app(App::new("app", PRINTS)).flags(&["--log-file", file]).start().await;
    second.get("app", "/two").await;
    let text = file_with(&path, "\"message\":\"/two\"").await;
    assert!(text.len() > before && text.contains("\"message\":\"/one\""), "{text}");
}

#[tokio::test]
async fn a_full_file_is_put_aside_and_no_line_is_lost() {
    const LINES: usize = 300;
    let flood = format!(
        "for (let line = 0; line < {LINES}; line++) console.log(`line ${{line}}.`);
         export default {{ fetch: () => new Response('x') }}"
    );
    let settings = "log_file = 'nano.log'\nlog_max_size = '4KiB'\nlog_keep = 1000";
    let supervisor = TestSupervisor::plan().app(App::new("app", &flood)).set(settings).start().await;
    let path = supervisor.folder().join("nano.log");
    let aside = |number: usize| path.with_added_extension(number.to_string());
    let kept = || (1..).take_while(|number| aside(*number).exists()).count();
    let texts = || {
        let files = (1..=kept()).rev().map(aside).chain([path.clone()]);
        files.map(|file| fs::read_to_string(file).unwrap_or_default()).collect::<Vec<_>>()
    };
    // The last line that is written, to whichever file.
    until("all is written", async || texts().concat().contains("worker ready").then_some(())).await;
    assert!(kept() > 3, "{}", kept());
    let texts = texts();
    assert!(texts.iter().all(|text| text.len() <= 4096 && text.ends_with('\n')), "{texts:#?}");
    let all = texts.concat();
    let lines = all.lines().filter(|line| line.contains("\"message\":\"line "));
    let numbers: Vec<usize> = lines
        .map(|line| line.split("\"line ").nth(1).unwrap().split('.').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (0..LINES).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_so_many_files_are_kept() {
    let flood = "for (let line = 0; line < 500; line++) console.log(`line ${line}`);
         export default { fetch: () => new Response('x') }";
    let settings = "log_file = 'nano.log'\nlog_max_size = '4KiB'\nlog_keep = 2";
    let supervisor = TestSupervisor::plan().app(App::new("app", flood)).set(settings).start().await;
    let names = || {
        let names = fs::read_dir(supervisor.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| name.starts_with("nano.log"));
        names.sort();
        names
    };
    // The last line that is written, to whichever file.
    let is_last = |name: &String| {
        let text = fs::read_to_string(supervisor.folder().join(name));
        text.is_ok_and(|text| text.contains("worker ready"))
    };
    until("all is written", async || names().iter().any(is_last).then_some(())).await;
    assert_eq!(names(), ["nano.log", "nano.log.1", "nano.log.2"]);
}

#[tokio::test]
async fn files_that_were_moved_away_are_made_anew_at_a_signal() {
    let settings = "log_file = 'nano.log'\naccess_log_file = 'access.log'\naccess_log = 'combined'";
    let supervisor = TestSupervisor::plan().app(App::new("app", PRINTS)).set(settings).start().await;
    let path = |name: &str| supervisor.folder().join(name);
    supervisor.get("app", "/before").await;
    file_with(&path("access.log"), "/before").await;
    file_with(&path("nano.log"), "\"message\":\"/before\"").await;
    for name in ["nano.log", "access.log"] {
        fs::rename(path(name), path(name).with_added_extension("moved")).unwrap();
    }
    supervisor.signal(Signal::SIGUSR1);
    // Both files are created at once, not with the next line.
    for name in ["nano.log", "access.log"] {
        until(&format!("{name} is there again"), async || path(name).exists().then_some(())).await;
    }
    supervisor.get("app", "/after").await;
    file_with(&path("access.log"), "/after").await;
    file_with(&path("nano.log"), "\"message\":\"/after\"").await;
    for name in ["nano.log.moved", "access.log.moved"] {
        let text = fs::read_to_string(path(name)).unwrap();
        assert!(text.contains("/before") && !text.contains("/after"), "{name}: {text}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.js"), PRINTS).unwrap();
    let (code, _, errors) = run(folder.path(), &["serve", ".", "--port", "0", "--log-file", "none/nano.log"]);
    let path = folder.path().canonicalize().unwrap().join("none/nano.log");
    let expected = format!(
        "nano-supervisor: log file {}: No such file or directory (os error 2); fix: create its folder first\n",
        path.display()
    );
    assert_eq!((code, errors), (1, expected));
    let (code, _, errors) = run(folder.path(), &["serve", ".", "--port", "0", "--access-log-file", "."]);
    assert_eq!(code, 2);
    assert!(errors.contains("--access-log-file .: is a folder; fix: name a file"), "{errors}");
}

#[tokio::test]
async fn a_disk_that_is_full_stops_nothing_and_is_said_once() {
    // Every write to this device fails as on a full disk.
    let plan = TestSupervisor::plan().app(App::new("app", PRINTS)).flags(&["--log-file", "/dev/full"]);
    let mut supervisor = plan.start().await;
    for _ in 0..10 {
        assert_eq!(supervisor.get("app", "/").await.status, 200);
    }
    supervisor.log.line_with("cannot be written").await;
    supervisor.signal(Signal::SIGTERM);
    assert!(supervisor.ended().await.success());
    let expected = "nano-supervisor: log file /dev/full: cannot be written; lines are lost until that has changed: \
                    No space left on device (os error 28)";
    assert_eq!(supervisor.log.lines(), [expected]);
}

#[tokio::test]
async fn what_cannot_change_while_it_runs_is_said() {
    let supervisor =
        TestSupervisor::plan().app(App::new("app", PRINTS)).set("log_file = 'nano.log'").start().await;
    supervisor.rewrite(|config| config.replace("'nano.log'", "'other.log'\nlog_keep = 1"));
    let arguments = ["reload", "--control", supervisor.socket().to_str().unwrap()];
    let (code, text, _) = run(supervisor.folder(), &arguments);
    let note = |field: &str| format!("server.{field} takes effect when the supervisor is restarted\n");
    assert!(code == 0 && text.ends_with(&(note("log_file") + &note("log_keep"))), "{text}");
    assert!(!supervisor.folder().join("other.log").exists());
}
