//! Scheduled runs: what the handler gets, how a run ends, who may ask for one, and what is told of it.

use std::fs;

use nano_supervisor::api::RunOutcome;
use nano_supervisor::api::client as control;
use nano_supervisor::api::crash::Crash;
use nano_supervisor::api::schedule::RunReport;
use nano_supervisor::api::status::AppStatus;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client, executable, free_address, process, run, until, within};

/// Never due while a test runs.
const YEARLY: &str = "0 0 1 1 *";

/// An app with this handler, which is due once a year.
fn app(handler: &str) -> App {
    let index = format!(
        "let seen = [];
         export default {{
           fetch: () => Response.json(seen),
           async scheduled(controller, env, ctx) {{ {handler} }},
         }}"
    );
    App::new("app", &index).set(&format!("crons = ['{YEARLY}']"))
}

/// Has the app's handler run.
async fn trigger(supervisor: &TestSupervisor) -> RunReport {
    asked(supervisor, "/v1/apps/app/trigger").await.unwrap_or_else(|error| panic!("{error}"))
}

async fn asked(supervisor: &TestSupervisor, path: &str) -> Result<RunReport, control::AskError> {
    within(control::ask(supervisor.socket(), hyper::Method::POST, path, None)).await
}

async fn crashes(supervisor: &TestSupervisor) -> Vec<Crash> {
    control::ask(supervisor.socket(), hyper::Method::GET, "/v1/crashes?app=app", None).await.unwrap()
}

/// Runs a command that succeeds. Returns what it prints.
fn run_in(supervisor: &TestSupervisor, arguments: &[&str]) -> String {
    let (code, text, errors) = run(supervisor.folder(), arguments);
    assert_eq!((code, &*errors), (0, ""), "{text}");
    text
}

/// Runs the command `trigger`. Returns its exit code and what it prints.
fn command(supervisor: &TestSupervisor, arguments: &[&str]) -> (i32, String) {
    let output = executable()
        .arg("trigger")
        .args(arguments)
        .arg("--control")
        .arg(supervisor.socket())
        .output()
        .expect("run the command");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_run_ends_when_all_its_work_has_settled() {
    let handler = "
        const { cron, scheduledTime, type } = controller;
        seen.push([cron, type, Math.abs(scheduledTime - Date.now()) < 60000, env.GREETING, typeof ctx.props]);
        ctx.waitUntil(scheduler.wait(20).then(() => {
          ctx.waitUntil(scheduler.wait(20).then(() => seen.push('settled')));
        }));
        console.log('it runs');";
    let supervisor = TestSupervisor::plan().app(app(handler).set("env = { GREETING = 'hi' }")).start().await;
    let run = trigger(&supervisor).await;
    assert_eq!((run.outcome, run.no_retry, &*run.cron, &run.why), (RunOutcome::Ok, false, YEARLY, &None));
    let seen: Value = supervisor.get("app", "/").await.json();
    assert_eq!(seen, json!([[YEARLY, "scheduled", true, "hi", "object"], "settled"]));
    // What it logs has its id, and the end has a line.
    let of_run = |line: &Value| line["request_id"] == json!(run.id);
    let lines = until("both lines are there", async || {
        let lines: Vec<_> = supervisor.log.records().into_iter().filter(of_run).collect();
        (lines.len() == 2).then_some(lines)
    })
    .await;
    let told: Vec<_> = lines.iter().map(|line| (&line["message"], &line["outcome"], &line["cron"])).collect();
    assert_eq!(told[0].0, &json!("it runs"), "{lines:?}");
    assert_eq!(told[1], (&json!("scheduled run"), &json!("ok"), &json!(YEARLY)), "{lines:?}");
    let AppStatus { crons, .. } =
        supervisor.until("app", "tells of the run", |app| app.crons[0].last.is_some()).await;
    assert_eq!((crons.len(), &crons[0].last), (1, &Some(run)));
    assert!(crons[0].next_at.as_ref().unwrap().ends_with("-01-01T00:00:00Z"), "{crons:?}");
}

#[tokio::test]
async fn what_waituntil_throws_at_is_no_work_that_a_run_waits_for() {
    let handler = "
      const broken = Object.defineProperty(Promise.resolve(), 'constructor', { get() { throw new Error('broken'); } });
      const descend = (use) => { try { descend(use); } catch { use(); } };
      try { ctx.waitUntil(broken); } catch (error) { console.log('refused: ' + error.message); }
      descend(() => ctx.waitUntil({ then(resolve) { resolve(); } }));";
    let supervisor = TestSupervisor::plan().app(app(handler)).start().await;
    assert_eq!(trigger(&supervisor).await.outcome, RunOutcome::Ok);
    supervisor.log.line_with("refused: broken").await;
}

#[tokio::test]
async fn the_command_says_how_it_ended() {
    let handler = "if (controller.cron === '5 5 * * *') throw new Error('no luck');";
    let index = format!("export default {{ fetch() {{}}, scheduled(controller) {{ {handler} }} }}");
    let app = App::new("app", &index).set("crons = ['0 0 1 1 *', '5 5 * * *']");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let (code, text) = command(&supervisor, &["app", "--cron", YEARLY]);
    assert!(code == 0 && text.starts_with("app: scheduled \"0 0 1 1 *\": ok after "), "{code} {text}");
    let (code, text) = command(&supervisor, &["app", "--cron", "5 5 * * *"]);
    assert!(code == 1 && text.contains(": exception after ") && text.contains("logs app"), "{code} {text}");
    let (code, text) = command(&supervisor, &["app", "--cron", YEARLY, "--json"]);
    let run: RunReport = serde_json::from_str(&text).unwrap();
    assert_eq!((code, run.outcome), (0, RunOutcome::Ok));
    for (arguments, expected) in [
        (
            &["app"][..],
            "app has more than one cron; fix: name one of them with --cron: \"0 0 1 1 *\", \"5 5 * * *\"",
        ),
        (
            &["app", "--cron", "1 1 * * *"],
            "app has no cron \"1 1 * * *\"; there is: \"0 0 1 1 *\", \"5 5 * * *\"",
        ),
        (&["other"], "there is no app \"other\"; there is: app"),
    ] {
        let (code, text) = command(&supervisor, arguments);
        assert!(code == 1 && text.contains(expected), "{code} {text}");
    }
    // The exception is logged as that of a request is, and the app has a problem.
    let line = supervisor.log.line_with("no luck").await;
    assert!(line.contains("index.js") && line.contains("5 5 * * *"), "{line}");
    let status = executable().args(["status", "app", "--control"]).arg(supervisor.socket()).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("the last scheduled run of \"5 5 * * *\" ended with exception"), "{status}");
    assert!(status.contains("0 0 1 1 *; next in ") && status.contains("; last ok after "), "{status}");
}

#[tokio::test]
async fn a_run_that_ends_its_worker_is_named_and_not_repeated() {
    let supervisor = TestSupervisor::plan().app(app("for (;;);").set("watchdog = '300ms'")).start().await;
    let run = trigger(&supervisor).await;
    assert_eq!(run.outcome, RunOutcome::Crashed);
    assert!(run.why.as_ref().unwrap().contains("`watchdog`"), "{run:?}");
    supervisor.until("app", "is ready again", |app| app.crashes == 1 && app.pid.is_some()).await;
    let crash = crashes(&supervisor).await.remove(0);
    let culprit = crash.culprit.unwrap();
    assert_eq!((culprit.id, &*culprit.method, &*culprit.target), (run.id, "scheduled", YEARLY));
    let text = executable().args(["crashes", "app", "--control"]).arg(supervisor.socket()).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("scheduled 0 0 1 1 *"), "{text}");
}

#[tokio::test]
async fn a_run_uses_no_more_cpu_time_than_a_request() {
    let handler =
        "for (;;) { const end = Date.now() + 20; while (Date.now() < end); await scheduler.wait(1); }";
    let supervisor = TestSupervisor::plan().app(app(handler).set("cpu_time = '200ms'")).start().await;
    let run = trigger(&supervisor).await;
    assert_eq!(run.outcome, RunOutcome::Crashed);
    assert!(run.why.as_ref().unwrap().contains("`cpu_time`"), "{run:?}");
}

#[tokio::test]
async fn a_run_whose_worker_is_killed_is_lost_with_it() {
    let supervisor =
        TestSupervisor::plan().app(app("seen.push('begun'); await new Promise(() => {});")).start().await;
    let pid = supervisor.worker("app").await;
    let kill = async {
        until("it runs", async || (supervisor.get("app", "/").await.text() == "[\"begun\"]").then_some(()))
            .await;
        let second = asked(&supervisor, "/v1/apps/app/trigger").await.unwrap_err().to_string();
        assert_eq!(second, "\"0 0 1 1 *\" of app runs already");
        process::signal(pid, Signal::SIGKILL);
    };
    let (run, ()) = tokio::join!(trigger(&supervisor), kill);
    assert_eq!(run.outcome, RunOutcome::Crashed);
    assert!(run.why.as_ref().unwrap().contains("SIGKILL"), "{run:?}");
    supervisor.until("app", "has crashed", |app| app.crashes == 1).await;
    let crash = crashes(&supervisor).await.remove(0);
    let lost: Vec<_> = crash.requests.iter().map(|lost| (&*lost.method, &*lost.target)).collect();
    assert_eq!(lost, [("scheduled", YEARLY)]);
}

#[tokio::test]
async fn a_run_that_never_ends_is_given_up() {
    let handler = "await new Promise(() => {});";
    let admin = free_address();
    let supervisor = TestSupervisor::plan()
        .set(&format!("admin = '{admin}'"))
        .app(app(handler).set("scheduled_timeout = '200ms'"))
        .start()
        .await;
    for _ in 0..2 {
        let run = trigger(&supervisor).await;
        assert_eq!(run.outcome, RunOutcome::TimedOut);
        assert!(run.why.as_ref().unwrap().ends_with("after 200ms (`scheduled_timeout`)"), "{run:?}");
    }
    let reply = Client::afresh(admin).get("/metrics").await.unwrap();
    let metrics = reply.text();
    for line in [
        "nano_scheduled_runs_total{app=\"app\",cron=\"0 0 1 1 *\",outcome=\"timed_out\"} 2",
        "nano_scheduled_runs_total{app=\"app\",cron=\"0 0 1 1 *\",outcome=\"ok\"} 0",
        "nano_limit_broken_total{app=\"app\",limit=\"scheduled_timeout\"} 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    assert!(metrics.contains("nano_scheduled_last_run_timestamp_seconds{app=\"app\",cron=\"0 0 1 1 *\"} 1"));
    // The worker serves on.
    assert_eq!((supervisor.app("app").await.crashes, supervisor.get("app", "/").await.status), (0, 200));
}

#[tokio::test]
async fn a_run_waits_for_a_worker_and_a_stopped_app_has_none() {
    let supervisor = TestSupervisor::plan().app(app("seen.push(1);")).start().await;
    // The worker is gone before its end is known here.
    process::signal(supervisor.worker("app").await, Signal::SIGKILL);
    assert_eq!(trigger(&supervisor).await.outcome, RunOutcome::Ok);
    let stop = control::ask::<Value>(supervisor.socket(), hyper::Method::POST, "/v1/apps/app/stop", None);
    stop.await.unwrap();
    let refused = asked(&supervisor, "/v1/apps/app/trigger").await.unwrap_err().to_string();
    assert_eq!(refused, "app is stopped; fix: start it");
}

#[tokio::test]
async fn a_run_is_finished_when_its_worker_is_replaced() {
    let supervisor = TestSupervisor::plan()
        .app(app("seen.push('begun'); await scheduler.wait(500); console.log('finished');"))
        .start()
        .await;
    let pid = supervisor.worker("app").await;
    let roll = async {
        until("it runs", async || (supervisor.get("app", "/").await.text() == "[\"begun\"]").then_some(()))
            .await;
        let roll = control::ask::<Value>(supervisor.socket(), hyper::Method::POST, "/v1/apps/app/roll", None);
        roll.await.unwrap();
        supervisor.replaced("app", pid).await;
    };
    let (run, ()) = tokio::join!(trigger(&supervisor), roll);
    assert_eq!(run.outcome, RunOutcome::Ok);
    supervisor.log.line_with("finished").await;
}

#[tokio::test]
async fn runs_that_end_workers_again_and_again_are_refused() {
    let supervisor = TestSupervisor::plan()
        .app(app("for (;;);").set("watchdog = '300ms'\nquarantine = true"))
        .start()
        .await;
    let run = until("it is refused", async || {
        let run = trigger(&supervisor).await;
        (run.outcome != RunOutcome::Crashed).then_some(run)
    })
    .await;
    assert_eq!(run.outcome, RunOutcome::Quarantined);
    let socket = supervisor.socket().to_str().unwrap();
    let quarantine = |arguments: &[&str]| {
        run_in(&supervisor, &[&["quarantine", "app", "--control", socket], arguments].concat())
    };
    let text = quarantine(&[]);
    assert!(text.contains("scheduled 0 0 1 1 *"), "{text}");
    quarantine(&["--release", "scheduled", YEARLY]);
    assert_eq!(trigger(&supervisor).await.outcome, RunOutcome::Crashed);
}

#[tokio::test]
async fn in_development_there_is_a_path_for_it() {
    let handler = "seen.push([controller.cron, controller.scheduledTime]); if (controller.cron === 'fail') throw new Error('no');";
    let supervisor = TestSupervisor::plan().app(app(handler).set("development = true")).start().await;
    let path = "/cdn-cgi/handler/scheduled";
    let reply = supervisor.get("app", &format!("{path}?cron=*%2F5+*+*+*+*&time=1745856238000")).await;
    assert_eq!((reply.status, reply.text()), (200, "ok"));
    let reply = supervisor.get("app", &format!("{path}?cron=fail&time=1")).await;
    assert_eq!((reply.status, reply.text()), (500, "exception"));
    let seen: Value = supervisor.get("app", "/").await.json();
    assert_eq!(seen, json!([["*/5 * * * *", 1_745_856_238_000_u64], ["fail", 1]]));
    // No file stands in its way.
    let site = app("")
        .file("public/cdn-cgi/handler/scheduled.html", "the page")
        .set("development = true\nassets = { directory = 'public' }");
    let files = App::named("files").file("index.html", "x").set("assets = { directory = '.' }");
    let site = TestSupervisor::plan().app(files).app(site).start().await;
    assert_eq!(site.get("app", path).await.text(), "ok");
    let refused = asked(&site, "/v1/apps/files/trigger").await.unwrap_err().to_string();
    assert_eq!(refused, "files has no code that could run");
    // Elsewhere it is a path as any other.
    let production = TestSupervisor::plan().app(app(handler)).start().await;
    assert_eq!(production.get("app", path).await.text(), "[]");
}

#[tokio::test]
async fn handlers_may_be_methods_of_a_class_or_listeners_and_need_no_fetch() {
    let class = "import { WorkerEntrypoint } from 'cloudflare:workers';
        export default class extends WorkerEntrypoint {
          scheduled(controller) { if (this.env.A !== 1 || controller.cron) throw new Error(controller.cron); controller.noRetry(); }
        }";
    let listener = "addEventListener('scheduled', (event) => {
          if (!(event instanceof ScheduledEvent) || event.type !== 'scheduled') throw new Error('no event');
          event.noRetry();
          if (event.cron === 'throw') throw new Error('at once');
          event.waitUntil(scheduler.wait(5).then(() => { if (event.cron) throw new Error(event.cron); }));
        });";
    let supervisor = TestSupervisor::plan()
        .app(App::new("class", class).set("env = { A = 1 }"))
        .app(App::new("listener", listener))
        .start()
        .await;
    for app in ["class", "listener"] {
        let trigger = async |cron: &str| {
            asked(&supervisor, &format!("/v1/apps/{app}/trigger?cron={cron}")).await.unwrap()
        };
        let run = trigger("").await;
        assert_eq!((run.outcome, run.no_retry), (RunOutcome::Ok, true), "{app}");
        assert_eq!(trigger("x").await.outcome, RunOutcome::Exception, "{app}");
        assert_eq!(trigger("throw").await.outcome, RunOutcome::Exception, "{app}");
        assert_eq!(supervisor.get(app, "/").await.status, 500, "{app}");
        supervisor.log.line_with("the app has no fetch handler").await;
    }
}

#[tokio::test]
async fn a_handler_that_nothing_calls_is_named() {
    let supervisor = TestSupervisor::plan()
        .app(App::new("idle", "export default { fetch() {}, scheduled() {}, queue() {}, email() {} }"))
        .app(App::hello("hello").set(&format!("crons = ['{YEARLY}']")))
        .app(app(""))
        .start()
        .await;
    for text in ["nothing here calls", "exports no scheduled handler"] {
        supervisor.log.line_with(text).await;
    }
    let warnings: Vec<_> =
        supervisor.log.records().into_iter().filter(|line| line["level"] == "WARN").collect();
    let told: Vec<_> = warnings.iter().map(|line| (&line["app"], &line["message"])).collect();
    assert!(
        told.contains(&(
            &json!("idle"),
            &json!(
                "the app exports queue, email, which nothing here calls; the app exports scheduled, and has no `crons`; only \
                 `trigger` calls it"
            )
        )),
        "{told:?}"
    );
    assert!(
        told.contains(&(&json!("hello"), &json!("the app has `crons`, and exports no scheduled handler"))),
        "{told:?}"
    );
    assert!(told.iter().all(|(app, _)| **app != json!("app")), "{told:?}");
}

#[tokio::test]
async fn what_was_missed_during_a_restart_is_made_up_once() {
    let mut supervisor =
        TestSupervisor::plan().set("state_dir = 'state'").app(app("console.log('it runs');")).start().await;
    let file = supervisor.folder().join("state/crons.json");
    let kept = async || until("it is kept", async || fs::read_to_string(&file).ok()).await;
    let text: Value = serde_json::from_str(&kept().await).unwrap();
    let began = text["last_due"]["app"][YEARLY].as_u64().unwrap();
    // As if no supervisor had run for years.
    fs::write(&file, json!({ "last_due": { "app": { YEARLY: 1_700_000_000 } } }).to_string()).unwrap();
    supervisor.restart().await;
    supervisor.log.line_with("\"outcome\":\"ok\"").await;
    let app = supervisor.until("app", "tells of the run", |app| app.crons[0].last.is_some()).await;
    let run = app.crons[0].last.as_ref().unwrap();
    assert!(run.scheduled_at.ends_with("-01-01T00:00:00.000Z"), "{run:?}");
    let due = until("the run is kept", async || {
        let text: Value = serde_json::from_str(&kept().await).unwrap();
        text["last_due"]["app"][YEARLY].as_u64().filter(|due| *due > 1_700_000_000)
    })
    .await;
    assert!(due <= began, "{due}");
    supervisor.restart().await;
    supervisor.until("app", "is ready", |app| app.pid.is_some() && app.crons[0].next_at.is_some()).await;
    assert_eq!(supervisor.app("app").await.crons[0].last, None);
}

#[tokio::test]
async fn a_successor_goes_on_where_its_predecessor_has_stopped() {
    let handler = "console.log('begun'); await scheduler.wait(500); console.log('finished');";
    let mut supervisor = TestSupervisor::plan().set("state_dir = 'state'").app(app(handler)).start().await;
    let file = supervisor.folder().join("state/crons.json");
    until("it is kept", async || fs::read_to_string(&file).ok()).await;
    // What the predecessor knows counts, and not what the successor reads before it takes over.
    fs::write(&file, json!({ "last_due": { "app": { YEARLY: 1_700_000_000 } } }).to_string()).unwrap();
    let upgrade = async {
        supervisor.log.line_with("begun").await;
        let arguments = ["upgrade", "--control", supervisor.socket().to_str().unwrap()];
        run(supervisor.folder(), &arguments)
    };
    let (under_way, (code, text, errors)) = tokio::join!(trigger(&supervisor), upgrade);
    assert_eq!(under_way.outcome, RunOutcome::Ok);
    assert_eq!((code, &*errors), (0, ""));
    let next = text.strip_prefix("handed over to pid ").unwrap().trim().parse().unwrap();
    assert_eq!(supervisor.succeeded_by(next).await.code(), Some(0));
    supervisor.log.line_with("finished").await;
    let app = supervisor.until("app", "has a clock", |app| app.crons[0].next_at.is_some()).await;
    assert_eq!(app.crons[0].last, None);
    assert_eq!(trigger(&supervisor).await.outcome, RunOutcome::Ok);
}

#[tokio::test]
async fn crons_are_those_of_the_wrangler_file_unless_the_configuration_says_otherwise() {
    let wrangler = "[triggers]\ncrons = ['*/5 * * * *', '0 17 * * SUN']\n[env.a]\n[env.b.triggers]\ncrons = ['2 * * * *']";
    let with = |name: &str| {
        App::new(name, "export default { fetch() {}, scheduled() {} }").file("wrangler.toml", wrangler)
    };
    let supervisor = TestSupervisor::plan()
        .app(with("theirs"))
        .app(with("ours").set("crons = ['1 1 * * *', '1 1 * * *']"))
        .app(with("none").set("crons = []"))
        .app(with("inherited").set("environment = 'a'"))
        .app(with("other").set("environment = 'b'"))
        .start()
        .await;
    let crons = async |app: &str| {
        supervisor.app(app).await.crons.into_iter().map(|cron| cron.cron).collect::<Vec<_>>()
    };
    assert_eq!(crons("theirs").await, ["*/5 * * * *", "0 17 * * SUN"]);
    assert_eq!(crons("ours").await, ["1 1 * * *"]);
    assert_eq!(crons("none").await, [""; 0]);
    assert_eq!(crons("inherited").await, crons("theirs").await);
    assert_eq!(crons("other").await, ["2 * * * *"]);
    // A reload changes them without another worker.
    let pid = supervisor.worker("ours").await;
    supervisor.rewrite(|config| config.replace("['1 1 * * *', '1 1 * * *']", "['2 2 * * *', '1 1 * * *']"));
    let reload = control::ask::<Value>(supervisor.socket(), hyper::Method::POST, "/v1/reload", None);
    reload.await.unwrap();
    assert_eq!(
        (crons("ours").await, supervisor.worker("ours").await),
        (vec!["2 2 * * *".into(), "1 1 * * *".into()], pid)
    );
}

/// Runs the same handler under workerd.
#[tokio::test]
async fn a_handler_runs_as_on_workers() {
    let index = "
        let seen = [];
        const attempt = (act) => { try { return act(); } catch (error) { return error.name; } };
        export default {
          fetch: () => Response.json(seen.splice(0)),
          async scheduled(controller, env, ctx) {
            const { cron, scheduledTime } = controller;
            seen.push({
              cron, scheduledTime, arguments: arguments.length, is: typeof this, text: String(controller),
              own: Object.getOwnPropertyNames(controller), keys: Object.keys(controller), name: controller.constructor.name,
              set: attempt(() => { controller.cron = 'x'; return controller.cron; }),
              detached: attempt(() => { const { noRetry } = controller; return noRetry(); }),
              made: attempt(() => new controller.constructor()), global: typeof globalThis.ScheduledController,
              event: typeof ScheduledEvent,
            });
            if (cron.includes('retry')) controller.noRetry();
            if (cron.includes('reject')) ctx.waitUntil(Promise.reject(new Error('r')));
            if (cron.includes('late')) ctx.waitUntil(scheduler.wait(5).then(() => { ctx.waitUntil(Promise.reject(new Error('l'))); }));
            if (cron.includes('slow')) ctx.waitUntil(scheduler.wait(20).then(() => seen.push('slow')));
            if (cron.includes('timer')) ctx.waitUntil(new Promise((resolve) => {
              setTimeout(() => { throw new Error('timer'); }, 1);
              setTimeout(resolve, 20);
            }));
            if (cron.includes('nobody')) {
              Promise.reject(new Error('nobody handles it'));
              await scheduler.wait(20);
            }
            if (cron.includes('throw')) throw new Error('t');
            return 5;
          },
        };";
    let Some(theirs) = Workerd::serve_scheduled(index) else { return };
    let ours = TestSupervisor::plan().app(App::new("app", index).set("development = true")).start().await;
    let clients = [ours.client("app").await, Client::afresh(theirs.address())];
    for cron in [
        "*/5+*+*+*+*",
        "",
        "throw",
        "reject",
        "late",
        "slow",
        "slow+throw",
        "retry",
        "retry+throw",
        "timer",
        "nobody",
    ] {
        let path = format!("/cdn-cgi/handler/scheduled?cron={cron}&time=1234567890123");
        let mut observed = Vec::new();
        for client in &clients {
            let reply = within(client.get(&path)).await.unwrap();
            let no_retry = reply.headers.get("no-retry").is_some();
            let outcome = (reply.status, reply.text().to_owned(), no_retry);
            let seen: Value = within(client.get("/")).await.unwrap().json();
            observed.push((outcome, seen));
        }
        assert_eq!(observed[0], observed[1], "{cron}");
    }
}
