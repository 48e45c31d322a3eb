//! The `env` of an app: it comes from the configuration, files of variables and secret files, and from nowhere else.

use std::fs;

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::TestSupervisor;
use crate::harness::{App, executable, process, run};

/// An app that answers with its env.
const SHOW: &str = "export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === '/import') {
      const imports = ['./.env', './.dev.vars'].flatMap((name) => [import(name), import(name, { with: { type: 'text' } })]);
      return Response.json((await Promise.allSettled(imports)).map(({ status }) => status));
    }
    return Response.json(env);
  },
}";

/// Every value that must not appear in any output.
const VALUES: [&str; 5] =
    ["value-of-env", "value-of-dev", "value-of-file", "value-of-dir", "value-of-secret"];

/// An app with one variable from each source, and one variable that several sources set.
fn everything() -> App {
    App::new("app", SHOW)
        .file("wrangler.toml", "[vars]\nVARS = { a = [1] }\nALL = 'vars'\nENV = 'vars'")
        .file(
            ".env",
            "ENV=value-of-env\nALL=x\nHOST=$SECRET_OF_THE_HOST${SECRET_OF_THE_HOST}$PATH\nREF=\"<${ENV}>\"",
        )
        .file(".dev.vars", "DEV='value-of-dev' # comment\nALL=x")
        .file("more/vars", "FILE=value-of-file\nALL=x")
        .file("mounted/DIR", "value-of-dir\n")
        .file("mounted/..data/DIR", "x")
        .file("mounted/ALL", "x")
        .file("key", "value-of-secret\n")
        .set("env_files = ['app/more/vars']")
        .set("env = { CONFIG = 1.5, ALL = 'x' }")
        .set("secrets_dir = 'app/mounted'")
        .set("secrets = { SECRET = 'app/key', ALL = 'app/key' }")
}

#[tokio::test]
async fn env_comes_from_every_source_and_not_from_the_host() {
    let supervisor = TestSupervisor::plan().app(everything()).start().await;
    let expected = json!({
        "VARS": { "a": [1] }, "ENV": "value-of-env", "DEV": "value-of-dev", "FILE": "value-of-file", "CONFIG": 1.5,
        "DIR": "value-of-dir", "SECRET": "value-of-secret", "ALL": "value-of-secret", "REF": "<value-of-env>",
        "HOST": "$SECRET_OF_THE_HOST${SECRET_OF_THE_HOST}$PATH",
    });
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
    // The files cannot be imported as modules, and no file of the folder is served.
    assert_eq!(supervisor.get("app", "/.env").await.json(), expected);
    assert_eq!(
        supervisor.get("app", "/import").await.json(),
        json!(["rejected", "rejected", "rejected", "rejected"])
    );
}

#[tokio::test]
async fn values_show_nowhere() {
    let plan = TestSupervisor::plan().app(everything()).flags(&["--log-level", "trace", "--access-log"]);
    let supervisor = plan.start().await;
    let answer = supervisor.get("app", "/").await;
    assert!(VALUES.iter().all(|value| answer.text().contains(value)), "{}", answer.text());
    let first = supervisor.worker("app").await;
    process::signal(first, Signal::SIGKILL);
    let second = supervisor.replaced("app", first).await.pid.unwrap();

    let mut shown = serde_json::to_string(&supervisor.status().await).unwrap();
    for pid in [supervisor.pid(), second] {
        shown += &process::environment(pid);
        shown += &process::command_line(pid);
    }
    let check = |what: &str| {
        let config = supervisor.folder().join("nano.toml");
        let output = executable().args(["check", "--config"]).arg(config).output().unwrap();
        assert_eq!(output.status.success(), what == "fine", "{output:?}");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    shown += &check("fine");
    // Messages about broken files do not show the values either.
    let env = supervisor.folder().join("app/.env");
    for (broken, part) in [
        ("value-of-env\n", "app/.env:1: is no line of the form NAME=value"),
        ("A=1\nENV='value-of-env\n", "app/.env:2: ENV: has a quote that is not closed"),
    ] {
        fs::write(&env, broken).unwrap();
        let text = check("broken");
        assert!(text.contains(part), "{text}");
        shown += &text;
    }
    assert_eq!(restart(&supervisor), 1);
    let failed = supervisor.until("app", "has failed", |app| app.state == AppState::Failed).await;
    assert!(failed.last_exit.as_ref().unwrap().contains("ENV: has a quote that is not closed"), "{failed:?}");
    shown += &serde_json::to_string(&supervisor.status().await).unwrap();
    shown += &supervisor.log.lines().join("\n");
    assert!(shown.contains("trace") && shown.contains("has a quote that is not closed"), "{shown}");
    for value in VALUES {
        assert!(!shown.contains(value), "{value} in {shown}");
    }
}

/// Restarts the app and returns the exit code of the command.
fn restart(supervisor: &TestSupervisor) -> i32 {
    let socket = supervisor.socket().to_str().unwrap();
    run(supervisor.folder(), &["restart", "app", "--control", socket]).0
}

#[tokio::test]
async fn a_restart_picks_up_what_has_changed_and_nothing_runs_without_it() {
    let app = App::new("app", SHOW).file("key", "first\n").set("secrets = { KEY = 'app/key' }");
    let app = app.set("restart = { slow_retry = '100ms', initial = '1ms' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!({ "KEY": "first" }));
    let key = supervisor.folder().join("app/key");
    fs::write(&key, "second").unwrap();
    assert_eq!(restart(&supervisor), 0);
    assert_eq!(supervisor.get("app", "/").await.json(), json!({ "KEY": "second" }));

    fs::remove_file(&key).unwrap();
    assert_eq!(restart(&supervisor), 1);
    let failed = supervisor.until("app", "has failed", |app| app.state == AppState::Failed).await;
    let why = failed.last_exit.unwrap();
    assert!(
        why.contains("nano.toml:")
            && why.contains("apps.app.secrets.KEY: ")
            && why.contains("there is no such file"),
        "{why}"
    );
    assert_eq!(supervisor.get("app", "/").await.status, 500);
    fs::write(&key, "third").unwrap();
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!({ "KEY": "third" }));
}

#[tokio::test]
async fn a_worker_in_the_place_of_another_has_what_that_had_whatever_the_files_say_by_then() {
    let app = App::new("app", SHOW)
        .file(".env", "A=first")
        .file("wrangler.toml", "[vars]\nB = 'first'")
        .file("key", "first")
        .set("secrets = { KEY = 'app/key' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let first = json!({ "A": "first", "B": "first", "KEY": "first" });
    let folder = supervisor.folder().join("app");
    let same_after_a_crash = async || {
        let worker = supervisor.worker("app").await;
        process::signal(worker, Signal::SIGKILL);
        supervisor.replaced("app", worker).await;
        assert_eq!(supervisor.get("app", "/").await.json(), first);
    };
    fs::write(folder.join(".env"), "A=second").unwrap();
    same_after_a_crash().await;
    fs::write(folder.join(".env"), "A='second").unwrap();
    fs::write(folder.join("wrangler.toml"), "[vars").unwrap();
    fs::remove_file(folder.join("key")).unwrap();
    same_after_a_crash().await;
    // If the files are broken, neither a reload nor a rolling restart changes anything.
    let socket = supervisor.socket().to_str().unwrap();
    let (reload, roll) = (["reload"], ["restart", "app", "--rolling"]);
    for command in [&reload[..], &roll] {
        assert_eq!(run(supervisor.folder(), &[command, &["--control", socket]].concat()).0, 1);
        same_after_a_crash().await;
    }
    fs::write(folder.join(".env"), "A=third").unwrap();
    fs::write(folder.join("wrangler.toml"), "[vars]\nB = 'third'").unwrap();
    fs::write(folder.join("key"), "third").unwrap();
    assert_eq!(run(supervisor.folder(), &["reload", "--control", socket]).0, 0);
    let third = json!({ "A": "third", "B": "third", "KEY": "third" });
    assert_eq!(supervisor.get("app", "/").await.json(), third);
}

#[test]
fn an_unreadable_source_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("app")).unwrap();
    fs::write(folder.path().join("app/index.js"), SHOW).unwrap();
    let config = "[apps.app]\npath = 'app'\nport = 0\nenv_files = ['none']\nsecrets_dir = 'nowhere'\n\
                  secrets = { KEY = '/none' }\nprops = { big = 9007199254740993 }";
    fs::write(folder.path().join("nano.toml"), config).unwrap();
    std::os::unix::fs::symlink("../nano.toml", folder.path().join("app/.env")).unwrap();
    for command in ["serve", "check"] {
        let output = executable()
            .current_dir(folder.path())
            .args([command, "--strict", "--config", "nano.toml"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        for line in [
            "nano.toml:4: apps.app.env_files: none: there is no such file; fix: create it, or correct the path",
            "nano.toml:5: apps.app.secrets_dir: nowhere: there is no such file; fix: create it, or correct the path",
            "nano.toml:6: apps.app.secrets.KEY: there is no such file; fix: create it, or correct the path",
            "nano.toml:7: apps.app.props: JavaScript has no exact number 9007199254740993; fix: write it as text",
            "app/.env: leads out of the app's folder, to ",
            "5 problems",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }
}
