//! An app that cannot run with its configuration affects no other app. It has failed, reports why, and is tried again, while all
//! others are served.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;

use crate::harness::{App, folder, free_address, run};
use crate::{TestSupervisor, until};

fn control(supervisor: &TestSupervisor, arguments: &[&str]) -> (i32, String, String) {
    let socket = supervisor.socket().to_str().unwrap();
    run(supervisor.folder(), &[arguments, &["--control", socket]].concat())
}

fn write(supervisor: &TestSupervisor, path: &str, text: &str) {
    let path = supervisor.folder().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Retries so fast that a test need not wait.
const SOON: &str = "restart = { slow_retry = '1s' }";

#[tokio::test]
async fn at_the_start_a_bad_app_has_failed_with_its_reason_and_the_others_are_served() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let colliding = free_address().port();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("good"))
        .app(App::hello("dotenv").file(".env", "A=1\nB='torn\n"))
        .app(App::hello("wrangler").file("wrangler.toml", "main = 'gone.js'"))
        .app(App::named("empty").file("README.md", ""))
        .app(App::at("gone", Path::new("/nowhere/at/all")))
        .app(App::hello("secret").set("secrets = { KEY = '/nowhere/key' }"))
        .app(App::hello("folder").set("secrets_dir = '/nowhere/keys'"))
        .app(App::hello("typed").set("max_in_flight = 'many'"))
        .app(App::hello("unknown").set("heapp = '1GiB'"))
        .app(App::hello("bounds").set("heap = '1B'"))
        .app(App::hello("taken").set(&format!("host = '127.0.0.1'\nport = {port}")))
        .app(App::hello("first").set(&format!("host = '127.0.0.1'\nport = {colliding}")))
        .app(App::hello("second").set(&format!("host = '127.0.0.1'\nport = {colliding}")))
        .start()
        .await;
    assert_eq!(supervisor.get("good", "/").await.text(), "hello from good");
    assert_eq!(supervisor.get("first", "/").await.text(), "hello from first");
    for (app, parts) in [
        ("dotenv", &["dotenv/.env:2: B: ", "; fix: "][..]),
        ("wrangler", &["wrangler.toml:1: main: there is no file", "gone.js"]),
        ("empty", &["has no entry module"]),
        ("gone", &["apps.gone.path: there is no folder /nowhere/at/all; fix: create it"]),
        ("secret", &["apps.secret.secrets.KEY: there is no such file"]),
        ("folder", &["apps.folder.secrets_dir: ", "/nowhere/keys"]),
        ("typed", &["nano.toml:", "apps.typed.max_in_flight: "]),
        ("unknown", &["apps.unknown.heapp: unknown field; fix: did you mean `heap`?"]),
        ("bounds", &["apps.bounds.heap: 1B is too small; fix: choose a value from "]),
        ("taken", &["cannot listen on 127.0.0.1:", "for app taken", "fix: stop what uses it"]),
        ("second", &["apps.second.port: 127.0.0.1:", "is also where app first listens; fix: "]),
    ] {
        let found = supervisor.app(app).await;
        let why = found.problem.unwrap_or_default();
        assert_eq!(found.state, AppState::Failed, "{app}: {why}");
        assert!(parts.iter().all(|part| why.contains(part)), "{app}: {why}");
        assert!(found.last_exit.unwrap_or_default().contains(parts[0]), "{app}");
    }
    // An app that has an address answers there with an error.
    for app in ["dotenv", "typed"] {
        let reply = supervisor.get(app, "/").await;
        assert!(
            reply.status >= 500 && reply.text().contains("could not be loaded"),
            "{}: {}",
            reply.status,
            reply.text()
        );
    }
    let (code, text, _) = control(&supervisor, &["status"]);
    assert!(code == 0 && text.contains("dotenv/.env:2: B: "), "{text}");
    // `start` reports at once why the app does not start.
    let (code, _, errors) = control(&supervisor, &["start", "bounds"]);
    assert!(code == 1 && errors.contains("apps.bounds.heap: 1B is too small"), "{errors}");
    // A worker that never ran counts as no crash.
    let (_, crashes, _) = control(&supervisor, &["crashes"]);
    assert_eq!(crashes, "no worker has crashed\n");
}

#[tokio::test]
async fn it_is_tried_again_by_itself_and_at_once_when_told() {
    let taken = TcpListener::bind(free_address()).unwrap();
    let port = taken.local_addr().unwrap().port();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("dotenv").set(SOON).file(".env", "A"))
        .app(App::named("late").set(SOON).file("README.md", ""))
        .app(App::hello("taken").set(SOON).set(&format!("host = '127.0.0.1'\nport = {port}")))
        .app(App::hello("told").file(".env", "A"))
        .app(App::hello("other").file(".env", "A=1"))
        .start()
        .await;
    let other = supervisor.worker("other").await;
    write(&supervisor, "other/.env", "A=2");
    write(&supervisor, "dotenv/.env", "A=1");
    write(&supervisor, "late/index.js", "export default { fetch: () => new Response('here now') }");
    drop(taken);
    for app in ["dotenv", "late", "taken"] {
        let found = supervisor.until(app, "is ready", |app| app.state == AppState::Ready).await;
        assert_eq!(found.problem, None, "{app}");
    }
    assert_eq!(supervisor.get("late", "/").await.text(), "here now");
    assert_eq!(supervisor.get("taken", "/").await.text(), "hello from taken");
    // The retries do not touch another app, whose changed file was not reloaded.
    assert_eq!((supervisor.worker("other").await, supervisor.app("other").await.problem), (other, None));
    assert_eq!(supervisor.app("told").await.state, AppState::Failed);
    write(&supervisor, "told/.env", "A=1");
    let (code, text, errors) = control(&supervisor, &["start", "told"]);
    assert!(code == 0 && text.starts_with("told: ready"), "{text}{errors}");
}

#[tokio::test]
async fn at_a_reload_it_goes_on_as_it_was_until_it_can_be_what_it_is_to_be() {
    let port = free_address().port();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app").set(SOON).set(&format!("host = '127.0.0.1'\nport = {port}\nheap = '64MiB'")))
        .app(App::hello("other"))
        .start()
        .await;
    let (worker, other) = (supervisor.worker("app").await, supervisor.worker("other").await);
    // The app gets an invalid heap, and a new app claims the address that the first one still has.
    supervisor.rewrite(|config| {
        let config = config.replace("heap = '64MiB'", "heap = '1B'").replace(&port.to_string(), "0");
        format!("{config}\n[apps.newcomer]\npath = 'other'\nhost = '127.0.0.1'\nport = {port}\n{SOON}")
    });
    let (code, text, errors) = control(&supervisor, &["reload"]);
    assert_eq!(code, 1, "{text}{errors}");
    assert!(
        text.contains("app: goes on as before: ") && text.contains("apps.app.heap: 1B is too small"),
        "{text}"
    );
    assert!(text.contains("newcomer: cannot be run: ") && text.contains("where app app listens"), "{text}");
    assert_eq!((supervisor.worker("app").await, supervisor.worker("other").await), (worker, other));
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
    let found = supervisor.app("app").await;
    assert_eq!(found.state, AppState::Ready);
    assert!(found.problem.unwrap().contains("1B is too small"));
    supervisor.until("newcomer", "has failed", |app| app.state == AppState::Failed).await;
    // A restart would end a healthy worker, since the new configuration is invalid.
    let (code, _, errors) = control(&supervisor, &["restart", "app"]);
    assert!(code == 1 && errors.contains("goes on as it was"), "{errors}");
    assert_eq!(supervisor.worker("app").await, worker);
    // A syntax error in the file belongs to no app in particular, so nothing changes.
    let good = fs::read_to_string(supervisor.folder().join("nano.toml")).unwrap();
    supervisor.rewrite(|config| config + "\n[apps.torn\n");
    let (code, _, errors) = control(&supervisor, &["reload"]);
    assert!(code == 1 && errors.contains("syntax: "), "{errors}");
    supervisor.rewrite(|_| good.replace("heap = '1B'", "heap = '65MiB'"));
    let found = supervisor.until("app", "lives by it", |app| app.problem.is_none()).await;
    assert_ne!(found.pid, Some(worker));
    supervisor.until("newcomer", "has the address", |app| app.state == AppState::Ready).await;
    assert_eq!(supervisor.get("newcomer", "/").await.text(), "hello from other");
    assert_eq!(supervisor.worker("other").await, other);
}

#[tokio::test]
async fn at_an_upgrade_it_is_left_behind_only_if_it_had_failed_before() {
    let mut supervisor =
        TestSupervisor::plan().app(App::hello("good")).app(App::hello("bad").file(".env", "A")).start().await;
    let upgraded = |supervisor: &TestSupervisor| control(supervisor, &["upgrade"]);
    let (code, text, errors) = upgraded(&supervisor);
    assert_eq!(code, 0, "{errors}");
    let next = text.trim().rsplit(' ').next().unwrap().parse().unwrap();
    supervisor.succeeded_by(next).await;
    assert_eq!(supervisor.get("good", "/").await.text(), "hello from good");
    assert_eq!(supervisor.app("bad").await.state, AppState::Failed);
    write(&supervisor, "good/.env", "A");
    let (code, _, errors) = upgraded(&supervisor);
    assert!(code == 1 && errors.contains("not ready there: good is failed: "), "{errors}");
    assert_eq!(supervisor.get("good", "/").await.text(), "hello from good");
}

#[tokio::test]
async fn a_strict_supervisor_serves_all_or_nothing() {
    let here = folder(&[
        ("good/index.js", "export default { fetch: () => new Response('x') }"),
        ("bad/index.js", ""),
        ("bad/.env", "A"),
        ("nano.toml", "[apps.good]\npath = 'good'\nport = 0\n[apps.bad]\npath = 'bad'\nport = 0"),
    ]);
    let (code, _, errors) = run(here.path(), &["serve", "--strict", "--config", "nano.toml"]);
    assert!(code == 2 && errors.contains("bad/.env:1: "), "{code} {errors}");
    let config = fs::read_to_string(here.path().join("nano.toml")).unwrap();
    fs::write(here.path().join("nano.toml"), format!("[server]\nstrict = true\n{config}")).unwrap();
    assert_eq!(run(here.path(), &["serve", "--config", "nano.toml"]).0, 2);
    // An app that is named alone on the command line must be able to run.
    assert_eq!(run(here.path(), &["serve", "bad"]).0, 2);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let app = format!("good=good:{}", taken.local_addr().unwrap().port());
    let (code, _, errors) = run(here.path(), &["serve", "--strict", "--host", "127.0.0.1", "--app", &app]);
    assert!(code == 1 && errors.contains("for app good"), "{code} {errors}");
}

#[tokio::test]
async fn without_any_good_app_it_waits_for_one() {
    let supervisor = TestSupervisor::plan().app(App::hello("bad").set(SOON).file(".env", "A")).start().await;
    until("it says so", async || {
        let lines = supervisor.log.lines();
        lines.iter().any(|line| line.contains("no app can be run as it is configured")).then_some(())
    })
    .await;
    write(&supervisor, "bad/.env", "");
    supervisor.until("bad", "is ready", |app| app.state == AppState::Ready).await;
    supervisor.signal(Signal::SIGTERM);
}

#[tokio::test]
async fn a_folder_of_apps_may_hold_what_is_none() {
    let app = "export default { fetch: () => new Response('x') }";
    let here = folder(&[
        ("apps/blog/index.js", app),
        ("apps/lost+found/x", ""),
        ("apps/node_modules/x/index.js", app),
        ("apps/.git/index.js", app),
        ("apps/README.md", ""),
        ("apps/empty/README.md", ""),
        ("apps/No Host/index.js", app),
        ("apps/no-host/index.js", app),
    ]);
    let folder = here.path().to_owned();
    let arguments = ["serve", "--apps-dir", "apps", "--port", "0", "--host", "127.0.0.1"];
    let arguments = arguments.map(str::to_owned).to_vec();
    let supervisor = TestSupervisor::run(here, arguments).await;
    supervisor.until("blog", "is ready", |app| app.state == AppState::Ready).await;
    let shown = async || {
        let apps = supervisor.status().await.into_iter();
        apps.map(|app| format!("{} {}", app.app, app.problem.is_some())).collect::<Vec<_>>()
    };
    // Two folders claim the same name: the first one given has it.
    assert_eq!(shown().await, ["no-host true", "blog false", "empty true"]);
    fs::create_dir(folder.join("apps/shop")).unwrap();
    fs::write(folder.join("apps/shop/index.js"), app).unwrap();
    let (code, text, _) = control(&supervisor, &["reload"]);
    assert!(code == 1 && text.contains("shop: added") && text.contains("empty: cannot be run: "), "{text}");
    assert!(text.contains("there is an app no-host already"), "{text}");
    supervisor.until("shop", "is ready", |app| app.state == AppState::Ready).await;
}

#[tokio::test]
async fn check_tells_everything() {
    let here = folder(&[
        ("good/index.js", "export default { fetch: () => new Response('x') }"),
        ("broken/index.js", "export default {"),
        ("bad/index.js", ""),
        ("bad/.env", "A"),
        (
            "nano.toml",
            "[apps.good]\npath = 'good'\nport = 0\n[apps.bad]\npath = 'bad'\nport = 0\nheap = 1\n\
             [apps.broken]\npath = 'broken'\nport = 0",
        ),
    ]);
    let (code, text, errors) = run(here.path(), &["check", "--config", "nano.toml"]);
    assert_eq!(code, 2, "{text}{errors}");
    assert!(text.contains("good: ok, ") && text.contains("broken: does not load: "), "{text}");
    assert!(
        errors.contains("apps.bad.heap: ")
            && errors.contains("bad/.env:1: ")
            && errors.contains("2 problems"),
        "{errors}"
    );
}
