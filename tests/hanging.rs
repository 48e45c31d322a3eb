//! Workers that never become ready and never fail: a later command does not wait for them.

use std::thread::JoinHandle;

use nano_supervisor::api::AppState;

use crate::deploy::{command, succeed, write};
use crate::harness::{App, process, raw, run};
use crate::{TestSupervisor, until};

/// Never finishes loading and never fails.
const HANGS: &str = "await new Promise((resolve) => setTimeout(resolve, 1e9)); export default {}";

const GOOD: &str = "export default { fetch: () => new Response('good') }";

/// Starts apps with a very long start timeout.
async fn patient() -> TestSupervisor {
    let plan = ["app", "other"]
        .into_iter()
        .fold(TestSupervisor::plan(), |plan, name| plan.app(App::hello(name).set("start_timeout = '1h'")));
    plan.set("state_dir = 'state'").start().await
}

/// Runs a command that waits for a worker of `app` which hangs. A worker that was replaced before may not have ended yet.
async fn hang(supervisor: &TestSupervisor, arguments: &[&str]) -> JoinHandle<(i32, String, String)> {
    let workers = || {
        let children = process::children(supervisor.pid()).into_iter();
        children.filter(|pid| process::name(*pid) == "nano:app").collect::<Vec<_>>()
    };
    let before = workers();
    let socket = supervisor.socket().to_str().unwrap();
    let arguments: Vec<_> =
        [arguments, &["--control", socket]].concat().into_iter().map(str::to_owned).collect();
    let folder = supervisor.folder().to_owned();
    let waits =
        std::thread::spawn(move || run(&folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>()));
    until("a further worker is on its way", async || {
        workers().iter().any(|pid| !before.contains(pid)).then_some(())
    })
    .await;
    waits
}

/// Checks that the command was told that a later one has replaced it.
fn superseded(waits: JoinHandle<(i32, String, String)>) {
    let (code, text, errors) = waits.join().unwrap();
    assert!(code == 1 && (text + &errors).contains("something else was asked for"), "{errors}");
}

#[tokio::test]
async fn a_deploy_is_given_up_for_what_is_asked_for_later_and_holds_up_nobody_else() {
    let supervisor = patient().await;
    write(&supervisor, "hangs/index.js", HANGS);
    write(&supervisor, "good/index.js", GOOD);
    let waits = hang(&supervisor, &["deploy", "app", "hangs"]).await;
    succeed(&supervisor, &["deploy", "other", "good"]);
    succeed(&supervisor, &["reload"]);
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
    succeed(&supervisor, &["deploy", "app", "good"]);
    superseded(waits);
    assert_eq!(supervisor.get("app", "/").await.text(), "good");

    let waits = hang(&supervisor, &["deploy", "app", "hangs"]).await;
    succeed(&supervisor, &["stop", "app"]);
    superseded(waits);
    assert_eq!(supervisor.app("app").await.state, AppState::Stopped);
    succeed(&supervisor, &["start", "app"]);

    let waits = hang(&supervisor, &["deploy", "app", "hangs"]).await;
    succeed(&supervisor, &["remove", "app"]);
    superseded(waits);
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");

    // A deploy uses its own configuration, so the reload that it replaces has changed nothing.
    write(&supervisor, "app/index.js", HANGS);
    let section = "[apps.app]";
    supervisor.rewrite(|config| config.replace(section, "[apps.app]\nenv = { WORD = 'next' }"));
    let waits = hang(&supervisor, &["reload"]).await;
    succeed(&supervisor, &["deploy", "app", "good"]);
    superseded(waits);
    assert_eq!(supervisor.get("app", "/").await.text(), "good");
    supervisor.rewrite(|config| config.replace("[apps.app]\nenv = { WORD = 'next' }", section));
    write(&supervisor, "app/index.js", GOOD);
    succeed(&supervisor, &["remove", "app"]);

    // The deploy's worker is ready, so the worker of the restart is no longer needed.
    write(&supervisor, "app/index.js", HANGS);
    let waits = hang(&supervisor, &["restart", "app", "--rolling"]).await;
    succeed(&supervisor, &["deploy", "app", "good"]);
    superseded(waits);
    assert_eq!(supervisor.get("app", "/").await.text(), "good");
    let (_, _, errors) = command(&supervisor, &["rollback", "app"]);
    assert!(errors.contains("`remove app` ends its deploys"), "{errors}");
}

#[tokio::test]
async fn a_reload_waits_for_an_app_alone_and_the_next_one_says_what_is_wanted_of_it() {
    let supervisor = patient().await;
    write(&supervisor, "app/index.js", HANGS);
    let section = "[apps.app]";
    supervisor.rewrite(|config| config.replace(section, "[apps.app]\nenv = { WORD = 'next' }"));
    let waits = hang(&supervisor, &["reload"]).await;
    // The waiting reload blocks no other change, neither of that app nor of another.
    write(&supervisor, "good/index.js", GOOD);
    succeed(&supervisor, &["deploy", "other", "good"]);
    assert_eq!(supervisor.get("other", "/").await.text(), "good");
    let before = supervisor.worker("app").await;
    supervisor.rewrite(|config| config.replace("[apps.app]\nenv = { WORD = 'next' }", section));
    succeed(&supervisor, &["reload"]);
    superseded(waits);
    assert_eq!((supervisor.worker("app").await, supervisor.app("app").await.problem), (before, None));

    // A worker that is merely slow runs with the configuration of the reload, and the waiting command is told.
    write(
        &supervisor,
        "app/index.js",
        &format!("await new Promise((resolve) => setTimeout(resolve, 1500)); {GOOD}"),
    );
    let next = "env = { WORD = 'next' }\nhosts = ['late.example']";
    supervisor.rewrite(|config| config.replace(section, &format!("{section}\n{next}")));
    assert_eq!(succeed(&supervisor, &["reload"]), "app: changed\n");
    let address = supervisor.address("app").await;
    let asked = |host: &str| {
        let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        raw::exchange(address, request)
    };
    assert!(asked("late.example").ends_with("good"));
    assert!(!asked("a.example").starts_with("HTTP/1.1 200"));
}
