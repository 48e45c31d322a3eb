//! Console output looks as it does in Deno: every kind of value, formats, tables, groups, counters and errors, with colours
//! if the log is a terminal.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use nix::pty::openpty;
use nix::sys::signal::Signal;

use crate::TestSupervisor;
use crate::harness::{App, Log, executable, process};

/// Prints one value of every kind, with the expected output of Deno.
const PRINTS: &str = include_str!("console/print.js");
const PRINTED: &str = include_str!("console/printed.txt");

const HANDLER: &str = "export default { fetch: () => new Response('x') };";

#[tokio::test]
async fn every_value_is_printed_as_in_deno() {
    let app = App::new("app", &format!("import './print.js';\n{HANDLER}")).file("print.js", PRINTS);
    let supervisor = TestSupervisor::plan().app(app).start().await;
    supervisor.log.record_with("Trace: traced").await;
    let records = supervisor.log.records().into_iter().filter(|record| record["target"] == "app");
    let texts: Vec<_> = records.map(|record| record["message"].as_str().unwrap().to_owned()).collect();
    let folder = supervisor.folder().canonicalize().unwrap();
    let folder = format!("file://{}/app/", folder.display());
    assert_eq!(texts.join("\n").replace(&folder, "APP/") + "\n", PRINTED);
}

#[tokio::test]
async fn each_method_has_its_level() {
    let app = "console.debug('debug'); console.log('log'); console.info('info'); console.warn('warn');
        console.error('error'); console.trace('trace'); console.assert(false, 'assert'); console.countReset('reset');
        console.table('table'); console.dir('dir'); console.time('timer'); console.timeEnd('timer');";
    let plan = TestSupervisor::plan().app(App::new("app", &format!("{app}{HANDLER}")));
    let supervisor = plan.flags(&["--log-level", "debug"]).start().await;
    supervisor.log.record_with("timer: ").await;
    let records = supervisor.log.records().into_iter().filter(|record| record["target"] == "app");
    let levels: Vec<_> = records
        .map(|record| {
            let message = record["message"].as_str().unwrap().to_owned();
            format!("{} {}", record["level"].as_str().unwrap(), message.split(['\n', '.']).next().unwrap())
        })
        .collect();
    let (timer, others) = levels.split_last().unwrap();
    assert_eq!(
        others,
        [
            "DEBUG debug",
            "INFO log",
            "INFO info",
            "WARN warn",
            "ERROR error",
            "INFO Trace: trace",
            "ERROR Assertion failed: assert",
            "WARN Count for 'reset' does not exist",
            "INFO table",
            "INFO dir",
        ]
    );
    assert!(timer.starts_with("INFO timer: "), "{timer}");
}

/// Returns what a supervisor writes to a terminal, up to and including the first line that contains `last`.
async fn at_a_terminal(app: &str, last: &str, settings: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.js"), app).unwrap();
    let terminal = openpty(None, None).unwrap();
    let mut command = executable();
    command.args(["serve", "--port", "0", "--host", "127.0.0.1"]).arg(folder.path());
    command.env_remove("NO_COLOR").envs(settings.iter().copied());
    let mut child = command.stdout(Stdio::from(terminal.slave)).spawn().unwrap();
    // Closes this process's copy of the terminal's other end.
    drop(command);
    let log = Log::default();
    log.collect(File::from(terminal.master).take(u64::MAX));
    log.line_with(last).await;
    process::signal(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    log.lines()
}

const COLOURFUL: &str = "console.log('text', 1, 'x', ['x'], undefined, { a: null });
    console.log('%cred%c plain', 'color: red', ''); console.error(new Map([[1n, true]]));
    console.log('\\x1b[2J\\x1b[32mown\\x1b[39m'); console.log('last');
    export default { fetch: () => new Response('x') };";

#[tokio::test]
async fn values_are_coloured_as_in_deno_where_the_log_is_a_terminal() {
    let lines = at_a_terminal(COLOURFUL, "last", &[]).await;
    for expected in [
        "text \x1b[33m1\x1b[39m x [ \x1b[32m\"x\"\x1b[39m ] \x1b[90mundefined\x1b[39m { a: \x1b[1mnull\x1b[22m }",
        "\x1b[31mred\x1b[39m plain",
        "Map(1) { \x1b[33m1n\x1b[39m => \x1b[33mtrue\x1b[39m }",
        // An app may colour its own text but cannot control the terminal otherwise.
        "\\x1b[2J\x1b[32mown\x1b[39m",
    ] {
        assert!(lines.iter().any(|line| line.contains(expected)), "no {expected:?} in {lines:#?}");
    }
    // The level has a colour as well.
    assert!(lines.iter().any(|line| line.contains("\x1b[31mERROR\x1b[0m")), "{lines:#?}");
}

#[tokio::test]
async fn nothing_is_coloured_for_whoever_wants_no_colours() {
    let lines = at_a_terminal(COLOURFUL, "last", &[("NO_COLOR", "1")]).await;
    assert!(lines.iter().any(|line| line.contains("text 1 x [ \"x\" ] undefined { a: null }")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains('\x1b')), "{lines:#?}");
}
