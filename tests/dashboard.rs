//! The dashboard in a headless Chromium, driven by the scripts in `tests/dashboard`. Skipped with a message if there is no npm or
//! no `chromium`.

#![expect(clippy::disallowed_methods, reason = "these tests run a browser")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::TestSupervisor;
use crate::harness::{App, free_address, npm, run};

/// Runs a script against the dashboard of a supervisor that serves `apps`.
async fn check(script: &str, settings: &str, apps: impl IntoIterator<Item = App>) {
    let Some(packages) = npm::with_browser() else { return };
    let (address, supervisor) = serve(settings, apps).await;
    look(script, address, supervisor.folder(), &packages);
    drop(supervisor);
}

/// Starts a supervisor and returns it with the address of its dashboard.
async fn serve(settings: &str, apps: impl IntoIterator<Item = App>) -> (SocketAddr, TestSupervisor) {
    let address = free_address();
    let plan = TestSupervisor::plan().set(&format!("admin = '{address}'\n{settings}"));
    (address, apps.into_iter().fold(plan, |plan, app| plan.app(app)).start().await)
}

fn look(script: &str, address: SocketAddr, folder: &Path, packages: &Path) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dashboard").join(script);
    // Beyond all waits of the script: only a browser that no longer answers reaches it.
    let mut node = Command::new("timeout");
    node.args(["--kill-after=10", "300", "node"])
        .arg(file)
        .env("ADMIN", format!("http://{address}"))
        .env("PACKAGES", packages)
        .env("FOLDER", folder);
    // Made by the supervisor, where none is configured.
    if let Ok(token) = std::fs::read_to_string(folder.join("states/nano-supervisor/admin-token")) {
        node.env("TOKEN", token.trim());
    }
    let output = node.stdin(Stdio::null()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {text}\n{errors}");
    // The last line proves that the script ran all of its checks.
    assert!(text.ends_with("all is well\n"), "{script}: {text}\n{errors}");
}

/// Output with which an app might try to take over the page of its reader.
const HOSTILE: &str = "<img src=x onerror=\"window.isOwned = true\"><script>window.isOwned = true</script>";

/// Logs [`HOSTILE`] with a colour and a change of text direction at every request. Answers all but `/hang` and `/spin`.
fn talkative(name: &str) -> App {
    let source = format!(
        "export default {{ fetch({{ url }}) {{
            console.log({HOSTILE:?} + '\\x1b[31m\\u202e');
            if (url.includes('/spin')) for (;;);
            return url.includes('/hang') ? new Promise(() => {{}}) : new Response('hello');
        }} }}"
    );
    App::new(name, &source).set("watchdog = '500ms'")
}

/// Logs the path of every request, with an error for `/hello`. Throws at `/throw`.
fn chatty(name: &str) -> App {
    App::new(
        name,
        "export default { fetch({ url }) {
            const { pathname } = new URL(url);
            console.log('said', pathname);
            if (pathname === '/hello') console.error('wrong', pathname);
            if (pathname === '/throw') throw new Error('no');
            return new Response('x');
        } }",
    )
}

/// An app that does not load.
fn broken(name: &str) -> App {
    App::new(name, "export default {").set(AT_REST)
}

/// Of an app that has failed: it stays so, and its line is always the same.
const AT_REST: &str = "restart = { slow_retry = '1h' }";

#[tokio::test]
async fn it_shows_what_apps_do_and_how_their_workers_end() {
    let bad = format!("throw new Error({:?})", format!("{HOSTILE}\nsecond line"));
    let bad = App::new("bad", &bad).set(AT_REST);
    check("shows.mjs", "", [talkative("evil"), App::hello("shop"), bad]).await;
}

#[tokio::test]
async fn its_buttons_restart_stop_and_start_by_mouse_and_by_keyboard() {
    check("buttons.mjs", "", [App::hello("app"), broken("bad")]).await;
}

#[tokio::test]
async fn it_asks_for_the_token_and_keeps_it_for_the_tab() {
    let app = App::hello("app").file("../token", "0123456789abcdef");
    check("token.mjs", "admin_token_file = 'token'", [app]).await;
}

#[tokio::test]
async fn it_shows_when_a_cron_is_due_and_how_it_has_ended_and_how_many_files_there_are() {
    let index = "let runs = 0;
        export default { fetch() {}, scheduled() { if (runs++ === 0) throw new Error('the first fails'); } }";
    let app = App::new("app", index).file("public/a.txt", "a");
    let app = app.set("crons = ['0 0 1 1 *']\nassets = { directory = 'public' }");
    check("crons.mjs", "", [app]).await;
}

#[tokio::test]
async fn it_fits_a_phone_and_can_be_read_in_light_and_in_dark() {
    let long = "a-rather-long-name-of-an-app-that-does-not-fit-anywhere";
    let wordy = format!("throw new Error('{}')", "x".repeat(500));
    check("fits.mjs", "", [App::hello(long), App::new("wordy", &wordy).set(AT_REST)]).await;
}

#[tokio::test]
async fn it_says_when_the_supervisor_does_not_answer_and_asks_less_while_nobody_looks_or_answers() {
    check("polling.mjs", "", [App::hello("app")]).await;
}

#[tokio::test]
async fn it_shows_problems_first_and_filters_searches_and_sorts() {
    let shop = App::hello("shop").set("hosts = ['shop.example', '*.shop.example']");
    check("list.mjs", "", [shop, chatty("api"), broken("broken"), App::hello("docs")]).await;
}

#[tokio::test]
async fn it_never_mixes_what_is_well_with_what_is_not() {
    let apps = [broken("a"), broken("b"), broken("c"), App::hello("d"), App::hello("e")];
    check("order.mjs", "", apps).await;
}

#[tokio::test]
async fn a_line_opens_to_curves_that_can_be_read_and_to_the_log_as_it_comes() {
    check("detail.mjs", "", [chatty("app").set("memory = '256MiB'")]).await;
}

#[tokio::test]
async fn it_lists_deploys_and_goes_back_to_any_of_them() {
    let Some(packages) = npm::with_browser() else { return };
    let (address, supervisor) = serve("", [App::hello("app")]).await;
    let socket = supervisor.socket().to_str().unwrap();
    for text in ["one", "two", "three"] {
        let folder = supervisor.folder().join(text);
        std::fs::create_dir(&folder).unwrap();
        let source = format!("export default {{ fetch: () => new Response('{text}') }}");
        std::fs::write(folder.join("index.js"), source).unwrap();
        let arguments = ["deploy", "app", folder.to_str().unwrap(), "--control", socket];
        assert_eq!(run(supervisor.folder(), &arguments).0, 0);
    }
    look("deploys.mjs", address, supervisor.folder(), &packages);
    drop(supervisor);
}

#[tokio::test]
async fn it_lists_requests_that_are_refused_and_releases_them() {
    let app = talkative("app").set("quarantine = true");
    check("suspects.mjs", "", [app]).await;
}

#[tokio::test]
async fn of_two_hundred_apps_it_is_told_what_has_changed_and_touches_no_other_line() {
    // Apps that do not load use no process. Without retries, their lines do not change.
    let broken = (1..200).map(|number| broken(&format!("app-{number:03}")));
    check("many.mjs", "", broken.chain([App::hello("busy")])).await;
}
