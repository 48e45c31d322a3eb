//! The dashboard, in a headless Chromium that the scripts of `tests/dashboard` drive. Skipped, with a line that says so, where
//! there is no npm or no `chromium`.

#![allow(clippy::disallowed_methods, reason = "these tests run a browser")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::TestSupervisor;
use crate::harness::{App, free_address, npm};

/// The folder with the packages that drive the browser; none, with the reason on stderr, where something is missing.
fn tools() -> Option<PathBuf> {
    if let Err(error) = Command::new("chromium").arg("--version").stdout(Stdio::null()).status() {
        eprintln!("skipped: chromium cannot be run here: {error}");
        return None;
    }
    npm::installed()
}

/// Has a script look at the dashboard of a supervisor that serves `apps`.
async fn check(script: &str, settings: &str, apps: impl IntoIterator<Item = App>) {
    let Some(packages) = tools() else { return };
    let address = free_address();
    let plan = TestSupervisor::plan().set(&format!("admin = '{address}'\n{settings}"));
    let supervisor = apps.into_iter().fold(plan, |plan, app| plan.app(app)).start().await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dashboard").join(script);
    let mut node = Command::new("node");
    node.arg(file).env("ADMIN", format!("http://{address}")).env("PACKAGES", packages);
    let output = node.stdin(Stdio::null()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {text}\n{errors}");
    // A script that checked nothing has not got this far.
    assert!(text.ends_with("all is well\n"), "{script}: {text}\n{errors}");
    drop(supervisor);
}

/// What an app might print to take over the page of whoever reads it.
const HOSTILE: &str = "<img src=x onerror=\"window.isOwned = true\"><script>window.isOwned = true</script>";

/// Prints that at every request, and answers all but `/hang`.
fn talkative(name: &str) -> App {
    let source = format!(
        "export default {{ fetch({{ url }}) {{
            console.log({HOSTILE:?});
            return url.includes('/hang') ? new Promise(() => {{}}) : new Response('hello');
        }} }}"
    );
    App::new(name, &source)
}

#[tokio::test]
async fn it_shows_what_apps_do_and_how_their_workers_end() {
    let bad = format!("throw new Error({HOSTILE:?})");
    check("shows.mjs", "", [talkative("evil"), App::hello("shop"), App::new("bad", &bad)]).await;
}

#[tokio::test]
async fn its_buttons_restart_stop_and_start_by_mouse_and_by_keyboard() {
    check("buttons.mjs", "", [App::hello("app"), App::new("bad", "export default {")]).await;
}

#[tokio::test]
async fn it_asks_for_the_token_and_keeps_it_for_the_tab() {
    let app = App::hello("app").file("../token", "0123456789abcdef");
    check("token.mjs", "admin_token_file = 'token'", [app]).await;
}

#[tokio::test]
async fn it_fits_a_phone_and_can_be_read_in_light_and_in_dark() {
    let long = "a-rather-long-name-of-an-app-that-does-not-fit-anywhere";
    let wordy = format!("throw new Error('{}')", "x".repeat(500));
    check("fits.mjs", "", [App::hello(long), App::new("wordy", &wordy)]).await;
}

#[tokio::test]
async fn it_says_when_the_supervisor_does_not_answer_and_asks_nothing_while_nobody_looks() {
    check("polling.mjs", "", [App::hello("app")]).await;
}
