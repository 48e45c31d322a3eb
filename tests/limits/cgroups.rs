//! Limits that the kernel enforces on workers, through control groups. These tests need a control group that they may
//! divide. `on_a_kernel_of_its_own` runs them in a virtual machine, and prints the reason if that is not possible.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nano_supervisor::api::AppState;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::admin::metrics;
use crate::harness::{App, Client, EXECUTABLE, free_address, process, run};
use crate::{TestSupervisor, until};

/// The path of the control groups in the virtual machine.
const MOUNT: &str = "/sys/fs/cgroup";

#[test]
#[expect(clippy::disallowed_methods, reason = "it starts no executable of ours, but a machine with it")]
fn on_a_kernel_of_its_own() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scripts/vm");
    let tests = std::env::current_exe().unwrap();
    let mut command = Command::new(script);
    command.arg("run").arg(EXECUTABLE).arg(&tests).arg("--").arg(&tests);
    // The machine is emulated, so the tests run one after the other, and none waits for long.
    let output = command.args(["limits::cgroups", "--ignored", "--test-threads=1"]).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if errors.contains("; fix: ") && output.status.code() == Some(125) {
        eprintln!("skipped: {errors}");
        return;
    }
    assert!(
        output.status.success() && text.contains("test result: ok. 7 passed; 0 failed"),
        "{text}{errors}"
    );
}

/// A control group for one test. Its processes are killed when it is dropped.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Self {
        let path = Path::new(MOUNT).join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    /// Returns the contents of these files in a worker's group.
    fn of(&self, worker: u32, files: &[&str]) -> Vec<String> {
        let folder = self.0.join(format!("worker-{worker}"));
        files.iter().map(|file| fs::read_to_string(folder.join(file)).unwrap().trim().to_owned()).collect()
    }

    /// Returns the names of all groups of workers.
    fn workers(&self) -> Vec<String> {
        let groups = fs::read_dir(&self.0).unwrap().flatten();
        let names = groups.map(|group| group.file_name().into_string().unwrap());
        let mut workers: Vec<_> = names.filter(|name| name.starts_with("worker-")).collect();
        workers.sort();
        workers
    }

    /// Waits until there is a group for the app's worker and for each spare, and no other.
    async fn until_only_those_of(&self, supervisor: &TestSupervisor) {
        until("there is a group for each worker, and no other", async || {
            let pids = supervisor.spares().await.into_iter().chain(supervisor.app("app").await.pid);
            let mut expected: Vec<_> = pids.map(|pid| format!("worker-{pid}")).collect();
            expected.sort();
            (self.workers() == expected).then_some(())
        })
        .await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
    }
}

/// Returns the last line of the output of `status`.
fn status_line(supervisor: &TestSupervisor) -> String {
    let socket = supervisor.socket().to_str().unwrap();
    let (code, text, errors) = run(supervisor.folder(), &["status", "--control", socket]);
    assert_eq!((code, &*errors), (0, ""));
    text.lines().last().unwrap().to_owned()
}

fn crash(supervisor: &TestSupervisor, app: &str) -> Value {
    let socket = supervisor.socket().to_str().unwrap();
    let (_, text, _) = run(supervisor.folder(), &["crashes", app, "--json", "--control", socket]);
    serde_json::from_str::<Value>(&text).unwrap()[0].clone()
}

#[tokio::test]
async fn where_there_are_none_status_says_so() {
    let supervisor = TestSupervisor::plan().app(App::hello("app")).set("cgroups = false").start().await;
    assert_eq!(status_line(&supervisor), "control groups: none: `cgroups = false`");
    assert_eq!(supervisor.get("app", "/").await.status, 200);
    // The supervisor shares its group with the tests, so it cannot divide it.
    let supervisor = TestSupervisor::plan().app(App::hello("app")).start().await;
    let line = status_line(&supervisor);
    assert!(line.starts_with("control groups: none: ") && line.len() > 40, "{line}");
}

/// Timeouts for an emulated machine, which may be slow.
const PATIENT: &str = "watchdog = '30m'\nhung_timeout = '1h'";

const HOARD: &str = "
let kept;
export default { fetch(request) {
  const mebibytes = Number(new URL(request.url).searchParams.get('mib') ?? 0);
  kept = new Uint8Array(mebibytes << 20).fill(1);
  return new Response(String(kept.length));
} }";

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn a_worker_is_ended_at_its_memory_and_nobody_else_notices() {
    let group = Group::new("memory");
    let hoard = App::new("hoard", HOARD)
        .set("heap = '32MiB'\nmemory = '64MiB'\nrecycle = { growth = false }")
        .set(PATIENT);
    let supervisor =
        TestSupervisor::plan().app(hoard).app(App::hello("other")).within(&group.0).start().await;
    assert_eq!(
        status_line(&supervisor),
        format!("control groups: memory, pids, cpu in {}", group.0.display())
    );
    let (worker, other) = (supervisor.worker("hoard").await, supervisor.worker("other").await);
    assert_eq!(supervisor.get("hoard", "/?mib=1").await.text(), "1048576");
    assert_eq!(supervisor.get("hoard", "/?mib=512").await.status, 500);
    let app = supervisor.replaced("hoard", worker).await;
    assert_eq!(app.last_exit.unwrap(), "out of memory: the kernel ended it at 64.0 MiB (`memory`)");
    assert_eq!(crash(&supervisor, "hoard")["cause"], "memory");
    assert_eq!(supervisor.get("hoard", "/?mib=1").await.text(), "1048576");
    assert_eq!(supervisor.worker("other").await, other);
}

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn when_all_apps_together_are_out_of_memory_the_greatest_is_ended_and_its_report_says_why() {
    let group = Group::new("together");
    group.write("memory.max", "300M");
    let hoard = App::new("hoard", HOARD).set("heap = '32MiB'\nmemory = false").set(PATIENT);
    let supervisor =
        TestSupervisor::plan().app(hoard).app(App::hello("other")).within(&group.0).start().await;
    let (worker, other) = (supervisor.worker("hoard").await, supervisor.worker("other").await);
    assert_eq!(group.of(worker, &["memory.max", "memory.swap.max"]), ["max", "max"]);
    assert_eq!(supervisor.get("hoard", "/?mib=512").await.status, 500);
    let app = supervisor.replaced("hoard", worker).await;
    assert_eq!(app.last_exit.unwrap(), "the kernel ended it: all apps together are out of memory");
    assert_eq!(crash(&supervisor, "hoard")["cause"], "machine_memory");
    assert_eq!(supervisor.worker("other").await, other);
}

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn what_is_beyond_the_number_of_threads_and_processes_is_not_started_and_the_app_goes_on() {
    let (group, address) = (Group::new("pids"), free_address());
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app").set("max_pids = 32\nhung_timeout = '1h'"))
        .set(&format!("admin = '{address}'"))
        .within(&group.0)
        .start()
        .await;
    let worker = supervisor.worker("app").await;
    // An app cannot start this many threads or processes, but code that has broken out of V8 can.
    intrude(&group, worker, "for number in $(seq 40); do sleep 1000 & done");
    let admin = Client::afresh(address);
    let name = "nano_limit_broken_total{app=\"app\",limit=\"max_pids\"}";
    until("refused processes are counted", async || (metrics(&admin).await[name] > 0.0).then_some(())).await;
    assert_eq!(metrics(&admin).await["nano_cgroups"], 1.0);
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
    assert_eq!(supervisor.worker("app").await, worker);
}

/// Runs a shell script in the group of a worker, and waits for its end.
#[expect(clippy::disallowed_methods, reason = "a process that no supervisor has started")]
fn intrude(group: &Group, worker: u32, script: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", &format!("read go; {script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    group.write(&format!("worker-{worker}/cgroup.procs"), &shell.id().to_string());
    writeln!(shell.stdin.take().unwrap(), "go").unwrap();
    shell.wait().unwrap();
}

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn a_worker_is_held_to_its_share_of_the_cpu() {
    let spin = "export default { fetch() {
      const end = Date.now() + 400;
      while (Date.now() < end);
      return new Response('done');
    } }";
    let (group, address) = (Group::new("cpu"), free_address());
    let supervisor = TestSupervisor::plan()
        .app(App::new("app", spin).set("max_cpus = 0.25"))
        .set(&format!("admin = '{address}'"))
        .within(&group.0)
        .start()
        .await;
    assert_eq!(supervisor.get("app", "/").await.text(), "done");
    let admin = Client::afresh(address);
    let name = "nano_limit_broken_total{app=\"app\",limit=\"max_cpus\"}";
    until("throttling is counted", async || (metrics(&admin).await[name] > 0.0).then_some(())).await;
}

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn every_limit_is_the_kernels_and_changes_with_a_reload() {
    let group = Group::new("limits");
    let app = App::hello("app").set("memory = '200MiB'\nmax_pids = 77\nmax_cpus = 1.5");
    let supervisor = TestSupervisor::plan().app(app).app(App::hello("other")).within(&group.0).start().await;
    let files = ["memory.max", "memory.swap.max", "pids.max", "cpu.max"];
    let (worker, other) = (supervisor.worker("app").await, supervisor.worker("other").await);
    assert_eq!(group.of(worker, &files), ["209715200", "0", "77", "150000 100000"]);
    assert_eq!(group.of(other, &files)[2..], ["256", "max 100000"]);
    assert_eq!(group.of(worker, &["cgroup.procs"]), [worker.to_string()]);
    let supervisors = || fs::read_to_string(group.0.join("supervisor/cgroup.procs")).unwrap();
    // A process that has just been started is in this group for a moment, too.
    let pid = supervisor.pid().to_string();
    until("the supervisor is alone", async || (supervisors().trim() == pid).then_some(())).await;
    let spare = until("there is a spare", async || supervisor.spares().await.first().copied()).await;
    assert_eq!(group.of(spare, &files), ["max", "max", "max", "max 100000"]);

    supervisor.rewrite(|config| config.replace("max_cpus = 1.5", "max_cpus = false").replace("= 77", "= 78"));
    supervisor.signal(Signal::SIGHUP);
    let app = supervisor.replaced("app", worker).await;
    assert_eq!(group.of(app.pid.unwrap(), &files)[2..], ["78", "max 100000"]);
    assert_eq!(supervisor.worker("other").await, other);
}

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn groups_go_with_their_workers_whatever_ends_them() {
    let group = Group::new("gone");
    let mut supervisor = TestSupervisor::plan().app(App::hello("app")).within(&group.0).start().await;
    let spare = until("there is a spare", async || supervisor.spares().await.first().copied()).await;
    group.until_only_those_of(&supervisor).await;
    process::signal(spare, Signal::SIGKILL);
    until("the spare is gone", async || {
        (!group.workers().contains(&format!("worker-{spare}"))).then_some(())
    })
    .await;
    let first = supervisor.worker("app").await;
    process::signal(first, Signal::SIGKILL);
    supervisor.replaced("app", first).await;
    group.until_only_those_of(&supervisor).await;

    let (code, text, _) =
        run(supervisor.folder(), &["upgrade", "--control", supervisor.socket().to_str().unwrap()]);
    assert_eq!(code, 0);
    let next = text.strip_prefix("handed over to pid ").unwrap().trim().parse().unwrap();
    supervisor.succeeded_by(next).await;
    group.until_only_those_of(&supervisor).await;
    assert_eq!(
        status_line(&supervisor),
        format!("control groups: memory, pids, cpu in {}", group.0.display())
    );
}

#[tokio::test]
#[ignore = "needs a control group of its own; `on_a_kernel_of_its_own` runs it"]
async fn what_a_killed_supervisor_has_left_is_removed_by_the_next() {
    let group = Group::new("killed");
    let mut supervisor =
        TestSupervisor::plan().app(App::hello("app")).set("spares = 0").within(&group.0).start().await;
    let worker = supervisor.worker("app").await;
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended().await;
    until("the worker has ended", async || (!process::is_alive(worker)).then_some(())).await;
    assert_eq!(group.workers(), [format!("worker-{worker}")]);
    // A process cannot enter a group that passes its controllers on to child groups, so the supervisor starts in a
    // child group.
    supervisor.start_again_within(&group.0.join("supervisor")).await;
    supervisor.until("app", "is ready", |app| app.state == AppState::Ready).await;
    group.until_only_those_of(&supervisor).await;
    let line = status_line(&supervisor);
    assert_eq!(line, format!("control groups: memory, pids, cpu in {}", group.0.display()));
}
