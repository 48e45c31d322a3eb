//! The command line: helpful help texts, `check`, `status`, `health`, and errors that say where the fault is and how to fix it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;

use crate::TestSupervisor;
use crate::harness::{App, executable, folder, process, run};

const FINE: &str = "export default { fetch: () => new Response('fine') }";

#[test]
fn help_teaches() {
    let here = folder(&[]);
    let (code, text, _) = run(here.path(), &["--help"]);
    assert_eq!(code, 0);
    for part in [
        "export default { async fetch(request, env, ctx)",
        "serve",
        "check",
        "status",
        "health",
        "deploy",
        "rollback",
        "deploys",
        "remove",
        "init",
        "dev",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(!text.contains("worker"), "{text}");
    let (code, text, _) = run(here.path(), &["serve", "--help"]);
    assert_eq!(code, 0);
    for part in
        ["nano-supervisor serve ./my-app --port 8080", "[apps.blog]", "--drain-timeout", "[default: 8080]"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let (code, text, _) = run(here.path(), &["--version"]);
    assert_eq!((code, &*text), (0, concat!("nano-supervisor ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn a_wrong_command_line_is_exit_code_2_and_says_how_it_is_right() {
    let here = folder(&[]);
    for (arguments, part) in [
        (&[][..], "Usage: nano-supervisor <COMMAND>"),
        (&["serv"], "similar subcommands exist: 'dev', 'serve'"),
        (&["serve", "--prot", "1"], "a similar argument exists: '--port'"),
        (&["serve", ".", "--port", "99999"], "99999 is not in 0..=65535"),
        (
            &["serve", ".", "--host", "localhost"],
            "\"localhost\" is not an IP address; fix: write an address such as",
        ),
        (&["serve"], "there is no app to serve; fix: name a folder (nano-supervisor serve ./my-app)"),
        (&["serve", "nowhere"], "nowhere: there is no folder nowhere; fix: create it, or correct the path"),
        (
            &["serve", "."],
            "has no entry module; looked for _worker.js, index and worker (with .js, .mjs, .ts, .mts, .tsx, .jsx), package.json, and \
             both in src; fix: add an",
        ),
        (&["serve", "--app", "x"], "--app x: has no name; fix: write NAME=PATH:PORT"),
        (&["serve", "--domain", "x"], "--apps-dir <DIR>"),
        (&["check", "--config", "none.toml"], "none.toml: there is no such file"),
    ] {
        let (code, _, text) = run(here.path(), arguments);
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn configuration_errors_name_file_line_field_and_fix() {
    let here = folder(&[
        ("a/index.js", FINE),
        ("empty/README.md", ""),
        (
            "nano.toml",
            "[server]\nio_threads = 0\n\n[apps.one]\npath = 'a'\nport = 8080\nprot = 1\n\n[apps.two]\npath = 'a'\n\
             port = 8080\n\n[apps.three]\npath = 'nowhere'\nport = 1\n\n[apps.four]\npath = 'empty'\nport = 2\n\
             heap = '1KiB'\n\n[apps.five]\npath = 'a'\n",
        ),
    ]);
    for command in ["serve", "check"] {
        let (code, output, text) = run(here.path(), &[command, "--config", "nano.toml"]);
        assert_eq!((code, &*output), (2, ""), "{text}");
        for line in [
            "nano.toml:2: server.io_threads: 0 is too small; fix: choose a value from 1 to 256",
            "nano.toml:7: apps.one.prot: unknown field; fix: did you mean `port`?",
            "nano.toml:11: apps.two.port: *:8080 is also where app one listens; fix: choose another port, or tell them",
            "nano.toml:14: apps.three.path: there is no folder nowhere; fix: create it, or correct the path",
            "nano.toml:17: apps.four.entry: ",
            "nano.toml:20: apps.four.heap: 1KiB is too small; fix: choose a value from 16MiB to 64GiB",
            "nano.toml:22: apps.five.port: is missing; fix: add a line such as port = 8080",
            "7 problems",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }
}

#[test]
fn check_loads_every_app_without_serving() {
    let here = folder(&[
        ("fine/index.js", FINE),
        ("broken/index.js", "export default {\n  fetch() { return new Response('x' }\n}"),
        ("nano.toml", "[apps.fine]\npath = 'fine'\nport = 8081\n[apps.broken]\npath = 'broken'\nport = 8082"),
    ]);
    let (code, output, text) = run(here.path(), &["check", "fine"]);
    assert_eq!((code, &*text), (0, ""));
    assert!(output.starts_with("fine: ok, ") && output.ends_with("fine/index.js on *:8080\n"), "{output}");

    let (code, output, _) = run(here.path(), &["check", "--config", "nano.toml"]);
    assert_eq!(code, 1);
    assert!(output.contains("fine: ok, "), "{output}");
    let broken = "broken: does not load: SyntaxError: missing ) after argument list\n    at index.js:2:";
    assert!(output.contains(broken), "{output}");
    assert!(output.contains("2 |   fetch() { return new Response('x' }"), "{output}");

    let (code, output, _) = run(here.path(), &["check", "--config", "nano.toml", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        (code, &found["ok"], &found["apps"][0]["error"]),
        (1, &false.into(), &serde_json::Value::Null)
    );
    assert!(found["apps"][1]["error"].as_str().unwrap().contains("SyntaxError"));

    let (code, output, _) = run(here.path(), &["check", "nowhere", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, &found["ok"]), (2, &false.into()));
    assert!(found["problems"][0].as_str().unwrap().contains("there is no folder nowhere"));
}

#[tokio::test]
async fn check_tries_the_addresses_and_leaves_those_of_the_supervisor_that_runs_in_peace() {
    let taken = std::net::TcpListener::bind(crate::harness::free_address()).unwrap();
    let port = taken.local_addr().unwrap().port();
    let free = crate::harness::free_address().port();
    let config = |port: u16| {
        format!(
            "[server]\ncontrol = 'control.sock'\n[defaults]\n[apps.one]\npath = 'one'\nhost = '127.0.0.1'\nport = {port}\n\
             [apps.two]\npath = 'one'\nhost = '192.0.2.1'\nport = {free}\n"
        )
    };
    let here = folder(&[("one/index.js", FINE), ("nano.toml", &config(port))]);
    let check = |flags: &[&str]| run(here.path(), &[&["check", "--config", "nano.toml"], flags].concat());
    let (code, output, errors) = check(&[]);
    assert_eq!((code, &*errors), (0, ""), "{output}");
    let nowhere = format!(
        "warning: cannot listen on 192.0.2.1:{free} for app two: Cannot assign requested address (os error 99); \
         fix: choose an address of this machine\n"
    );
    let in_use = format!(
        "warning: cannot listen on 127.0.0.1:{port} for app one: Address already in use (os error 98); \
         fix: stop what uses it, or choose another port\n"
    );
    let fine =
        "in use is fine where it is the supervisor that serves these apps: name its socket (--control)\n";
    assert!(output.starts_with(&format!("{in_use}{nowhere}{fine}")), "{output}");
    let found: serde_json::Value = serde_json::from_str(&check(&["--json"]).1).unwrap();
    assert_eq!((&found["ok"], found["warnings"].as_array().unwrap().len()), (&true.into(), 2));
    drop(taken);
    let arguments = ["serve", "--config", "nano.toml"].map(str::to_owned).to_vec();
    let supervisor = TestSupervisor::run(here, arguments).await;
    let address = supervisor.until("one", "is ready", |app| app.state == AppState::Ready).await.listen;
    assert_eq!(address, format!("127.0.0.1:{port}"));
    // `check` waits two seconds for its answer.
    crate::until("the supervisor is found", async || {
        let (code, output, _) = run(supervisor.folder(), &["check", "--config", "nano.toml"]);
        (code == 0 && output.starts_with(&nowhere)).then_some(())
    })
    .await;
    // `check` does not wait for a supervisor that does not respond.
    supervisor.signal(Signal::SIGSTOP);
    let (code, output, _) = run(supervisor.folder(), &["check", "--config", "nano.toml"]);
    assert!(code == 0 && output.starts_with(&format!("{in_use}{nowhere}")), "{output}");
}

#[test]
fn the_examples_load() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples");
    let apps = fs::read_to_string(examples.join("nano.toml")).unwrap().matches("\n[apps.").count();
    let (code, output, text) = run(&examples, &["check", "--config", "nano.toml"]);
    assert_eq!((code, output.lines().count()), (0, apps), "{output}{text}");
}

/// Returns the subcommands that `--help` lists.
fn subcommands() -> Vec<String> {
    let (_, help, _) = run(folder(&[]).path(), &["--help"]);
    let list = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn there_is_a_manual_page_of_each_subcommand_with_every_option() {
    let here = folder(&[]);
    let (code, _, errors) = run(here.path(), &["man", "--dir", "."]);
    assert_eq!((code, &*errors), (0, ""));
    let page = |name: &str| fs::read_to_string(here.path().join(format!("{name}.1"))).unwrap();
    let names = subcommands();
    assert!(names.len() >= 20, "{names:?}");
    let whole = page("nano-supervisor");
    for name in &names {
        let (_, help, _) = run(here.path(), &[name, "--help"]);
        let page = page(&format!("nano-supervisor-{name}"));
        assert!(whole.contains(&format!("nano\\-supervisor\\-{name}(1)")), "{name} in {whole}");
        for option in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
            let option =
                option.trim_end_matches([',', ')', '.', ';', ']']).split(['[', '=', '<']).next().unwrap();
            assert!(page.contains(&option.replace('-', "\\-")), "{option} in {page}");
        }
        assert_eq!(run(here.path(), &["man", name]).1, page);
    }
    assert_eq!(run(here.path(), &["man"]).1, whole);
    assert!(!here.path().join("nano-supervisor-worker.1").exists() && !whole.contains("worker(1)"));
    let (code, _, errors) = run(here.path(), &["man", "none"]);
    assert!(code == 1 && errors.contains("there is no subcommand none"), "{errors}");
}

/// Returns the completions of bash for the last of these words.
#[expect(clippy::disallowed_methods, reason = "the shell that completes")]
fn completed(here: &Path, control: Option<&Path>, words: &[&str]) -> Vec<String> {
    let program = here.join("nano-supervisor");
    let _ = std::os::unix::fs::symlink(crate::harness::EXECUTABLE, &program);
    let script = r#"source <(nano-supervisor completions bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
        _clap_complete_nano_supervisor nano-supervisor "${!#}" "${@:$#-1:1}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut command = std::process::Command::new("bash");
    command
        .args(["--norc", "-c", script, "bash"])
        .args(words)
        .env("PATH", format!("{}:/usr/bin:/bin", here.display()));
    command.env_remove("NANO_SUPERVISOR_CONTROL").env("XDG_RUNTIME_DIR", "/nowhere");
    if let Some(control) = control {
        command.env("NANO_SUPERVISOR_CONTROL", control);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn completions_know_the_apps_that_run_and_nothing_that_is_not_for_people() {
    let supervisor = TestSupervisor::plan().app(App::hello("blog")).app(App::hello("shop")).start().await;
    let (here, socket) = (folder(&[]), supervisor.socket());
    let offered = completed(here.path(), None, &["nano-supervisor", ""]);
    for name in subcommands() {
        assert!(offered.contains(&name), "{name} in {offered:?}");
    }
    assert_eq!(completed(here.path(), None, &["nano-supervisor", "work"]), [""; 0]);
    // A supervisor that does not answer within a moment is passed over, as on a busy machine.
    let offers = async |control: Option<&Path>, words: &[&str], app: &str| {
        crate::until(&format!("{words:?} offers {app}"), async || {
            let offered = completed(here.path(), control, words);
            assert!(offered.iter().all(|offered| offered == app), "{offered:?}");
            (offered.len() == 1).then_some(())
        })
        .await;
    };
    for command in ["status", "restart", "stop", "start", "logs", "crashes", "rollback", "deploys", "remove"]
    {
        offers(Some(socket), &["nano-supervisor", command, "bl"], "blog").await;
    }
    offers(None, &["nano-supervisor", "restart", "--control", socket.to_str().unwrap(), "s"], "shop").await;
    // Without a supervisor, completion offers nothing and returns at once.
    assert_eq!(completed(here.path(), None, &["nano-supervisor", "stop", "bl"]), [""; 0]);
    assert_eq!(run(here.path(), &["completions", "nothing"]).0, 2);
}

#[tokio::test]
async fn a_second_supervisor_warns_that_commands_do_not_reach_it() {
    let here = folder(&[("app/index.js", FINE)]);
    let start = || {
        let mut command = executable();
        command
            .args(["serve", "app", "--port", "0"])
            .current_dir(here.path())
            .env("XDG_RUNTIME_DIR", here.path());
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let log = crate::harness::Log::default();
        log.collect(child.stdout.take().unwrap());
        (child, log)
    };
    let (mut first, log) = start();
    log.line_with("worker ready").await;
    let (mut second, log) = start();
    let line = log.line_with("no control socket").await;
    assert!(line.contains(" WARN ") && line.contains("another supervisor uses it"), "{line}");
    log.line_with("worker ready").await;
    for child in [&mut first, &mut second] {
        process::signal(child.id(), Signal::SIGTERM);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[tokio::test]
async fn a_supervisor_without_apps_says_what_it_waits_for() {
    let here = folder(&[]);
    let supervisor =
        TestSupervisor::run(here, ["serve", "--state-dir", "state"].map(Into::into).into()).await;
    supervisor
        .log
        .line_with("no apps yet: deploy one with: nano-supervisor deploy NAME FOLDER --port PORT")
        .await;
}

#[tokio::test]
async fn a_watched_status_is_shown_again_and_again() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let mut command = executable();
    command.args(["status", "--watch", "--json", "--control"]).arg(supervisor.socket());
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let log = crate::harness::Log::default();
    log.collect(child.stdout.take().unwrap());
    let twice = async || (log.lines().len() >= 2).then_some(());
    crate::until("it was shown twice", twice).await;
    assert!(log.lines().iter().all(|line| line.starts_with("{\"version\":")), "{:?}", log.lines());
    // Not SIGINT, which processes started in the background ignore.
    process::signal(child.id(), Signal::SIGTERM);
    let _ = child.wait();
}

#[tokio::test]
async fn status_and_health_ask_a_running_supervisor() {
    let supervisor = TestSupervisor::plan()
        .app(App::hello("fine"))
        .app(App::new("broken", "export default 1").set("restart = { slow_retry = '1h' }"))
        .start()
        .await;
    let socket = supervisor.socket().to_str().unwrap();
    let (code, text, _) = run(supervisor.folder(), &["status", "--control", socket]);
    let lines: Vec<_> = text.lines().collect();
    // The table may end with a line about spares.
    assert!(code == 0 && lines.len() >= 3, "{text}");
    assert!(lines[0].starts_with("APP     STATE   PID"), "{text}");
    assert!(
        lines[1].starts_with("broken  failed  -") && lines[1].contains("does not load: index.js: "),
        "{text}"
    );
    assert!(lines[2].starts_with("fine    ready   "), "{text}");

    let (code, text, _) = run(supervisor.folder(), &["status", "--control", socket, "--json"]);
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &status["apps"][0]["pid"]), (0, &supervisor.worker("fine").await.into()));
    assert_eq!(status["pid"], supervisor.pid());

    let (code, text, _) = run(supervisor.folder(), &["health", "--control", socket]);
    // One failed app does not make `health` fail, because that might end the other apps, too.
    assert_eq!((code, &*text), (0, "ready\nnot ready: broken (failed)\n"));
    for (apps, expected) in [
        (&["fine"][..], (0, "fine is ready\n")),
        (&["fine", "broken"], (1, "fine is ready\nbroken is failed\n")),
        (&["none"], (1, "none is no app of this supervisor\n")),
    ] {
        let (code, text, _) = run(supervisor.folder(), &[&["health", "--control", socket], apps].concat());
        assert_eq!((code, &*text), expected, "{apps:?}");
    }
    let mode = fs::metadata(socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn health_is_exit_code_0_when_the_supervisor_serves() {
    let supervisor = TestSupervisor::plan().app(App::hello("one")).app(App::hello("two")).start().await;
    let socket = supervisor.socket().to_str().unwrap();
    let (code, text, _) = run(supervisor.folder(), &["health", "--control", socket]);
    assert_eq!((code, &*text), (0, "all 2 apps are ready\n"));
}

#[tokio::test]
async fn without_a_supervisor_status_says_how_to_start_one() {
    let here = folder(&[]);
    for command in ["status", "health"] {
        let (code, _, text) = run(here.path(), &[command, "--control", "none.sock"]);
        let expected =
            "no supervisor answers on none.sock; start one with: nano-supervisor serve --control none.sock";
        assert_eq!(code, 1);
        assert!(text.contains(expected), "{text}");
    }
    // The socket file of a supervisor that was killed blocks nobody.
    let mut supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended().await;
    let socket = supervisor.socket().to_str().unwrap();
    assert_eq!(run(here.path(), &["status", "--control", socket]).0, 1);
    let app = supervisor.folder().join("app");
    let mut next = executable();
    next.args(["serve", "--port", "0", "--control", socket]).arg(app).stdout(std::process::Stdio::null());
    let mut next = next.spawn().unwrap();
    crate::until("the next supervisor answers", async || {
        (run(here.path(), &["health", "--control", socket]).0 == 0).then_some(())
    })
    .await;
    process::signal(next.id(), Signal::SIGTERM);
    assert_eq!(next.wait().unwrap().code(), Some(0));
}
