//! `status`, `list` and `restart --all`: problems come first, and the output fits every width.

use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::TestSupervisor;
use crate::harness::{App, Terminal, executable, process, run};

const BROKEN: &str =
    "export default {\n  fetch() { return new Response('a very long line that says nothing of interest' }\n}";

async fn street() -> TestSupervisor {
    let plan = TestSupervisor::plan();
    let plan = plan.app(
        App::hello("fine")
            .set("hosts = ['fine.example', 'www.fine.example', 'a.very.long.name.of.a.host.example']"),
    );
    let plan = plan.app(App::new("broken", BROKEN).set("restart = { slow_retry = '1h' }"));
    plan.app(App::hello("zebra")).start().await
}

fn status(supervisor: &TestSupervisor, columns: &str, arguments: &[&str]) -> String {
    let mut command = executable();
    command.arg("status").args(arguments).arg("--control").arg(supervisor.socket()).env("COLUMNS", columns);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn ask(supervisor: &TestSupervisor, arguments: &[&str]) -> (i32, String, String) {
    let socket = supervisor.socket().to_str().unwrap();
    run(supervisor.folder(), &[arguments, &["--control", socket]].concat())
}

#[tokio::test]
async fn it_fits_and_problems_come_first_with_their_reason() {
    let supervisor = street().await;
    for columns in [60, 80, 120] {
        let text = status(&supervisor, &columns.to_string(), &[]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= columns), "{columns}: {text}");
        assert!(
            lines[0].starts_with("APP ") && lines[1].starts_with("broken ") && lines[1].contains(" failed "),
            "{text}"
        );
        let reason: Vec<_> =
            lines[2..].iter().take_while(|line| line.starts_with("  ")).map(|line| line.trim()).collect();
        assert!(reason.concat().contains("does not load: SyntaxError"), "{text}");
        assert!(reason.iter().any(|line| line.contains("retry in ")), "{text}");
        assert!(text.contains("3 apps: 2 ready, 1 failed"), "{text}");
    }
}

#[tokio::test]
async fn it_is_coloured_at_a_terminal_and_nowhere_else() {
    let supervisor = street().await;
    let start = |no_color: &str| {
        let mut command = executable();
        command.args(["status", "--control"]).arg(supervisor.socket()).env("NO_COLOR", no_color);
        Terminal::start(command, 80, 24)
    };
    let mut terminal = start("");
    terminal.ended().await;
    terminal.shows("\x1b[31mfailed\x1b[0m").await;
    assert!(
        terminal.shown().lines().all(|line| without_codes(line).chars().count() <= 80),
        "{}",
        terminal.shown()
    );
    let mut terminal = start("1");
    terminal.ended().await;
    terminal.shows("failed").await;
    assert!(!terminal.shown().contains('\x1b'), "{}", terminal.shown());
    assert!(!status(&supervisor, "80", &[]).contains('\x1b'));
}

fn without_codes(line: &str) -> String {
    let mut parts = line.trim_end().split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text)).collect::<String>()
}

#[tokio::test]
async fn one_app_is_shown_with_all_that_is_known_of_it() {
    let index = "export default { async fetch(request) {
        if (request.url.endsWith('/wait')) { console.log('waits'); await new Promise(() => {}); }
        return new Response('hi');
    } }";
    let supervisor = TestSupervisor::plan().app(App::new("app", index).set("max_queue = 77")).start().await;
    let (before, client) = (supervisor.worker("app").await, supervisor.client("app").await);
    let lost = tokio::spawn(async move { client.get("/wait").await.unwrap().status });
    supervisor.log.line_with("waits").await;
    process::signal(before, Signal::SIGKILL);
    assert_eq!(lost.await.unwrap(), 500);
    let now = supervisor.replaced("app", before).await;
    let address = supervisor.address("app").await;
    crate::until("the lost request is told of", async || {
        status(&supervisor, "100", &["app"]).contains("lost: GET /wait ").then_some(())
    })
    .await;
    let text = status(&supervisor, "100", &["app"]);
    for part in [
        "app  ready",
        "killed by SIGKILL",
        " ago (20",
        &format!("http://{address}/"),
        &format!("pid {}, ready for ", now.pid.unwrap()),
        "1 crash, 0 restarts, 0 deploys",
        "max_queue=77",
        "heap=128MiB",
        "entry index.js",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");

    let (code, json, _) = ask(&supervisor, &["status", "app", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["app"], &json["limits"]["max_queue"]), (0, &"app".into(), &"77".into()));
    assert!(json["last_exit_at"].as_str().is_some_and(|at| at.starts_with("20")), "{json}");
    let (code, _, errors) = ask(&supervisor, &["status", "ap"]);
    assert!(code == 1 && errors.contains("there is no app \"ap\"; there is: app"), "{errors}");
}

#[tokio::test]
async fn crashes_restarts_and_deploys_are_counted_apart() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let first = supervisor.worker("app").await;
    process::signal(first, Signal::SIGKILL);
    let second = supervisor.replaced("app", first).await.pid.unwrap();
    assert_eq!(ask(&supervisor, &["restart", "app"]).0, 0);
    let third = supervisor.replaced("app", second).await.pid.unwrap();
    assert_eq!(ask(&supervisor, &["restart", "app", "--rolling"]).0, 0);
    let fourth = supervisor.replaced("app", third).await.pid.unwrap();
    let folder = supervisor.folder().join("app");
    assert_eq!(ask(&supervisor, &["deploy", "app", folder.to_str().unwrap()]).0, 0);
    let app = supervisor.replaced("app", fourth).await;
    assert_eq!((app.crashes, app.restarts, app.deploys), (1, 2, 1));
}

#[tokio::test]
async fn an_app_whose_javascript_does_not_return_is_busy() {
    let index = "export default { fetch(request) {
        if (request.url.endsWith('/spin')) { const end = Date.now() + 60000; while (Date.now() < end); }
        return new Response('hi');
    } }";
    let app = App::new("app", index).set("watchdog = '50s'\nhung_timeout = '55s'");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let client = supervisor.client("app").await;
    let spins = tokio::spawn(async move { client.get("/spin").await.map(|reply| reply.status) });
    supervisor.until("app", "is busy", |app| app.busy_ms.is_some()).await;
    let text = status(&supervisor, "80", &[]);
    assert!(text.contains("app  busy "), "{text}");
    assert!(text.contains("JavaScript has not returned to the event loop for "), "{text}");
    assert!(ask(&supervisor, &["list"]).1.starts_with("app  busy  "));
    // The app counts as ready: a health check must not end it.
    assert_eq!(ask(&supervisor, &["health"]).0, 0);
    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGKILL);
    assert_eq!(spins.await.unwrap().unwrap(), 500);
    assert_eq!(supervisor.replaced("app", worker).await.busy_ms, None);
}

#[tokio::test]
async fn a_list_fits_and_is_whole_where_something_reads_it() {
    let name = "a-very-long-name-of-an-app-as-a-customer-may-have-it-0123456789";
    let hosts = "hosts = ['fine.example', 'www.fine.example', 'a.very.long.name.of.a.host.example']";
    let plan = TestSupervisor::plan().app(App::hello(name).set(hosts)).app(App::hello("two"));
    let supervisor = plan.start().await;
    let list = |columns: &str| {
        let mut command = executable();
        command.arg("list").arg("--control").arg(supervisor.socket()).env("COLUMNS", columns);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    for columns in [40, 60, 80, 120] {
        let text = list(&columns.to_string());
        assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
        assert!(text.starts_with("a-very-long-n") && text.contains("127.0.0.1:"), "{text}");
        // The column that says where an app is found is never cut.
        let found: String = text.lines().map(|line| line.rsplit("  ").next().unwrap()).collect();
        assert!(found.contains("www.fine.example"), "{text}");
        assert!(columns == 40 || found.contains("a.very.long.name.of.a.host.example)"), "{text}");
    }
    for (stop, told) in [(None, "all 2 apps are ready"), (Some("two"), "1 app is ready, 1 is stopped")] {
        stop.iter().for_each(|app| drop(ask(&supervisor, &["stop", app])));
        assert_eq!(ask(&supervisor, &["health"]), (0, format!("{told}\n"), String::new()));
    }
    let whole = list("");
    assert!(whole.contains(name) && whole.contains("a.very.long.name.of.a.host.example)"), "{whole}");
}

#[tokio::test]
async fn who_is_to_be_watched_must_be_there() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let mut command = executable();
    command.args(["status", "nope", "--watch", "--control"]).arg(supervisor.socket());
    let mut terminal = Terminal::start(command, 80, 24);
    terminal.shows("there is no app \"nope\"; there is: app").await;
    assert_eq!(terminal.ended().await.code(), Some(1));
}

#[tokio::test]
async fn a_supervisor_that_hangs_takes_no_key_and_no_signal_from_those_who_watch() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    for is_key in [true, false] {
        let mut terminal = watch(&supervisor, 8);
        terminal.shows("app ").await;
        supervisor.signal(Signal::SIGSTOP);
        // A change of the terminal's size redraws the table at once.
        process::signal(terminal.pid(), Signal::SIGWINCH);
        match is_key {
            true => terminal.type_keys("q"),
            false => process::signal(terminal.pid(), Signal::SIGINT),
        }
        assert_eq!(terminal.ended().await.code(), Some(if is_key { 0 } else { 130 }));
        terminal.shows("\x1b[?25h\x1b[?1049l").await;
        assert!(terminal.is_cooked());
        supervisor.signal(Signal::SIGCONT);
    }
}

#[tokio::test]
async fn a_list_is_short_and_every_app_is_restarted_but_those_that_were_stopped() {
    let plan = TestSupervisor::plan().app(App::hello("one")).app(App::hello("two"));
    let supervisor = plan.app(App::hello("three")).start().await;
    assert_eq!(ask(&supervisor, &["stop", "two"]).0, 0);
    let (code, text, _) = ask(&supervisor, &["list"]);
    let address = supervisor.app("one").await.listen;
    assert_eq!(code, 0);
    assert_eq!(text.lines().next().unwrap(), format!("one    ready    {address}"));
    assert_eq!(ask(&supervisor, &["list", "--names"]).1, "one\nthree\ntwo\n");
    let json: Value = serde_json::from_str(&ask(&supervisor, &["list", "--json"]).1).unwrap();
    assert_eq!((&json[2]["app"], &json[2]["state"]), (&"two".into(), &"stopped".into()));

    let before = [supervisor.worker("one").await, supervisor.worker("three").await];
    let (code, text, errors) = ask(&supervisor, &["restart", "--all", "--rolling"]);
    assert_eq!((code, &*errors), (0, ""));
    assert_eq!(text, "one: restarted\ntwo: stopped, and stays so\nthree: restarted\n");
    let after = [supervisor.worker("one").await, supervisor.worker("three").await];
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(supervisor.app("two").await.state, AppState::Stopped);
    // One app that fails makes the command fail, but the next app is restarted all the same.
    std::fs::write(supervisor.folder().join("one/index.js"), BROKEN).unwrap();
    let (code, text, errors) = ask(&supervisor, &["restart", "--all", "--rolling"]);
    assert!(code == 1 && errors.contains("one: does not load: SyntaxError"), "{errors}");
    assert!(text.contains("three: restarted"), "{text}");
    for arguments in [&["restart"][..], &["restart", "one", "--all"]] {
        assert_eq!(ask(&supervisor, arguments).0, 2, "{arguments:?}");
    }
}

fn watch(supervisor: &TestSupervisor, lines: u16) -> Terminal {
    let mut command = executable();
    command.args(["status", "--watch", "--control"]).arg(supervisor.socket());
    Terminal::start(command, 60, lines)
}

#[tokio::test]
async fn what_is_longer_than_the_screen_is_watched_a_page_at_a_time() {
    let apps = (0..12).map(|number| App::hello(&format!("app-{number:02}")));
    let supervisor = apps.fold(TestSupervisor::plan(), |plan, app| plan.app(app)).start().await;
    let mut terminal = watch(&supervisor, 8);
    terminal.shows("lines 1-7 of 1").await;
    assert!(terminal.shown().starts_with("\x1b[?1049h\x1b[?25l"), "{:?}", terminal.shown());
    assert!(!terminal.is_cooked());
    terminal.type_keys(" ");
    terminal.shows("lines 8-14 of 1").await;
    terminal.shows("app-11").await;
    terminal.type_keys("b");
    terminal.type_keys("q");
    assert_eq!(terminal.ended().await.code(), Some(0));
    terminal.shows("\x1b[?25h\x1b[?1049l").await;
}

#[tokio::test]
async fn a_terminal_is_given_back_at_ctrl_c_and_at_sigterm() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut terminal = watch(&supervisor, 24);
        terminal.shows("q quit").await;
        process::signal(terminal.pid(), signal);
        assert_eq!(terminal.ended().await.code(), Some(code));
        terminal.shows("\x1b[?25h\x1b[?1049l").await;
        assert!(terminal.is_cooked());
    }
}

#[tokio::test]
async fn a_supervisor_that_goes_away_is_waited_for() {
    let mut supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let mut terminal = watch(&supervisor, 24);
    terminal.shows("1 app: 1 ready").await;
    supervisor.signal(Signal::SIGTERM);
    supervisor.ended().await;
    terminal.shows("no supervisor answers on").await;
    terminal.type_keys("q");
    assert_eq!(terminal.ended().await.code(), Some(0));
}
