//! The examples of the README are run as they are. `.ci/run` runs its first two commands.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::harness::{EXECUTABLE, Log, executable, process};
use crate::until;

/// Returns the blocks of the README in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("README.md");
    let text = fs::read_to_string(readme).unwrap();
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| Some(block.strip_prefix(language)?.strip_prefix('\n')?.to_owned())).collect()
}

/// Returns every command of the README that begins with the executable's name, without its comment.
fn commands() -> Vec<String> {
    let commands = blocks("sh").join("\n");
    let commands = commands.lines().filter(|line| line.starts_with("nano-supervisor "));
    commands.map(|line| line.split('#').next().unwrap().trim().to_owned()).collect()
}

/// Creates a folder for the README's commands.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let app = &blocks("js")[0];
    for path in ["my-app", "blog", "shop", "apps/blog"] {
        fs::create_dir_all(folder.path().join(path)).unwrap();
        fs::write(folder.path().join(path).join("index.js"), app).unwrap();
    }
    fs::write(folder.path().join("nano.toml"), &blocks("toml")[0]).unwrap();
    folder
}

/// Starts one command with the executable under test in place of the installed one.
fn start(folder: &Path, command: &str) -> std::process::Child {
    let arguments = command.split_whitespace().skip(1).filter(|word| *word != "&");
    let mut command = executable();
    command.env("XDG_RUNTIME_DIR", folder).current_dir(folder).args(arguments);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Returns whether a command talks to a running supervisor.
fn asks(command: &str) -> bool {
    [" status", " reload", " restart ", " logs "].iter().any(|verb| command.contains(verb))
}

#[tokio::test]
async fn every_command_does_what_it_says() {
    let folder = folder();
    let commands = commands();
    assert_eq!(commands.len(), 10, "{commands:?}");
    for command in &commands {
        let mut child = start(folder.path(), command);
        let log = Log::default();
        log.collect(child.stdout.take().unwrap());
        if command.ends_with('&') {
            // The commands after this one talk to this supervisor.
            log.line_with("worker ready").await;
            for question in commands.iter().filter(|other| asks(other)) {
                let answered =
                    async || start(folder.path(), question).wait().unwrap().success().then_some(());
                until(&format!("{question} succeeds"), answered).await;
            }
        } else if asks(command) {
            let _ = child.wait().unwrap();
            continue;
        }
        if command.contains(" serve ") {
            log.line_with("worker ready").await;
            process::signal(child.id(), Signal::SIGTERM);
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{command} ({EXECUTABLE}): {:?}", log.lines());
    }
}

#[tokio::test]
async fn the_app_in_ten_lines_works() {
    let app = &blocks("js")[0];
    assert!(app.lines().count() <= 10, "{app}");
    let app = crate::harness::App::new("app", app).set("env = { GREETING = 'hello' }");
    let supervisor = crate::TestSupervisor::plan().app(app).start().await;
    let expected = serde_json::json!({ "pathname": "/path", "greeting": "hello" });
    assert_eq!(supervisor.get("app", "/path").await.json(), expected);
    assert_eq!(supervisor.client("app").await.post("/", "body").await.unwrap().text(), "body");
    supervisor.log.record_with("served /path").await;
}
