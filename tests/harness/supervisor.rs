//! A supervisor process for one test, with its apps in a temporary folder.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nano_supervisor::api::AppState;
use nano_supervisor::api::client as control;
use nano_supervisor::api::status::AppStatus;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::client::{Client, Reply};
use super::{Log, process, schema, until};

/// The executable under test.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_nano-supervisor");

/// An app of a test.
#[derive(Debug, Clone)]
pub(crate) struct App {
    name: String,
    /// The absolute path. `None` for a folder in the test's temporary folder.
    folder: Option<PathBuf>,
    files: Vec<(String, String)>,
    settings: String,
}

impl App {
    /// Creates an app with this index.js.
    pub(crate) fn new(name: &str, index: &str) -> Self {
        Self::named(name).file("index.js", index)
    }

    /// Creates an app without any file.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.into(), folder: None, files: Vec::new(), settings: String::new() }
    }

    /// Creates an app in an existing folder.
    pub(crate) fn at(name: &str, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..Self::named(name) }
    }

    /// Creates an app that answers every request with its name.
    pub(crate) fn hello(name: &str) -> Self {
        Self::new(name, &format!("export default {{ fetch: () => new Response('hello from {name}') }}"))
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.into(), text.into()));
        self
    }

    /// Adds lines of TOML to the app's section.
    pub(crate) fn set(mut self, toml: &str) -> Self {
        let _ = writeln!(self.settings, "{toml}");
        self
    }
}

/// A builder for a supervisor.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    apps: Vec<App>,
    server: String,
    flags: Vec<String>,
    /// A shell command to run before the supervisor starts.
    first: Option<String>,
}

impl Plan {
    pub(crate) fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds lines of TOML to `[server]`.
    pub(crate) fn set(mut self, toml: &str) -> Self {
        let _ = writeln!(self.server, "{toml}");
        self
    }

    /// Adds flags to the command line.
    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Makes the supervisor start in this control group.
    pub(crate) fn within(mut self, group: &Path) -> Self {
        self.first = Some(enter(group));
        self
    }

    /// Limits the supervisor's open descriptors.
    pub(crate) fn with_descriptors(mut self, most: u32) -> Self {
        self.first = Some(format!("ulimit -n {most}"));
        self
    }

    /// Starts the supervisor, and waits until every app is ready or has failed.
    pub(crate) async fn start(self) -> TestSupervisor {
        let supervisor = self.launch().await;
        for app in supervisor.status().await {
            supervisor
                .until(&app.app, "was tried", |app| {
                    app.state == AppState::Ready || app.state == AppState::Failed
                })
                .await;
        }
        let apps = supervisor.status().await;
        if apps.iter().all(|app| app.state == AppState::Ready) {
            // The schema must accept every configuration that the supervisor accepts.
            let config = fs::read_to_string(supervisor.folder().join("nano.toml")).expect("its nano.toml");
            schema::check(&config).unwrap_or_else(|error| panic!("{error}\n{config}"));
        }
        supervisor
    }

    /// Returns limits for the apps that a busy machine does not reach. A test that is about one of them sets it itself.
    fn defaults(&self) -> String {
        let settings: Vec<_> = self.apps.iter().map(|app| &app.settings).chain([&self.server]).collect();
        if settings.iter().any(|settings| settings.contains("[defaults")) {
            return String::new();
        }
        let mut defaults = String::from("\n[defaults]\nstart_timeout = '1m'\nqueue_timeout = '30s'\n");
        let is_own = |settings: &&String| settings.contains("hung_timeout") && !settings.contains("watchdog");
        if !settings.iter().any(is_own) {
            defaults += "watchdog = '30s'\nhung_timeout = '1m'\n";
        }
        defaults
    }

    /// Starts the supervisor, and waits until it listens.
    pub(crate) async fn launch(self) -> TestSupervisor {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = format!("[server]\n{}{}", self.server, self.defaults());
        for app in &self.apps {
            let name = &app.name;
            for (path, text) in &app.files {
                let path = folder.path().join(name).join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
                fs::write(path, text).expect("write a file");
            }
            let listen = if app.settings.contains("port =") { "" } else { "port = 0\nhost = '127.0.0.1'" };
            let path = app.folder.as_deref().unwrap_or(Path::new(name)).display();
            let _ = writeln!(config, "[apps.{name}]\npath = '{path}'\n{listen}\n{}", app.settings);
        }
        let file = folder.path().join("nano.toml");
        fs::write(&file, config).expect("write nano.toml");
        let config = file.to_str().expect("a path of text").to_owned();
        let arguments = ["serve".into(), "--config".into(), config, "--log-format".into(), "json".into()];
        let arguments = arguments.into_iter().chain(self.flags).collect();
        TestSupervisor::run_after(folder, arguments, self.first).await
    }
}

/// Returns the executable under test in an isolated environment, without the user's configuration and runtime folders.
#[expect(clippy::disallowed_methods, reason = "tests start the executable they test")]
pub(crate) fn executable() -> Command {
    with_usual_environment(Command::new(EXECUTABLE))
}

/// Returns the shell command that enters a control group.
fn enter(group: &Path) -> String {
    format!("echo $$ > '{}/cgroup.procs'", group.display())
}

/// Returns a command that runs this shell command and then the executable under test.
#[expect(clippy::disallowed_methods, reason = "tests start the executable they test")]
fn executable_after(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!(r#"{line} && exec "$0" "$@""#)).arg(EXECUTABLE);
    with_usual_environment(command)
}

fn with_usual_environment(mut command: Command) -> Command {
    command.env("SECRET_OF_THE_HOST", "hunter2").stdin(Stdio::null());
    for name in [
        "HOME",
        "XDG_CACHE_HOME",
        "CACHE_DIRECTORY",
        "XDG_STATE_HOME",
        "STATE_DIRECTORY",
        "RUNTIME_DIRECTORY",
        "NANO_SUPERVISOR_CONTROL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ] {
        command.env_remove(name);
    }
    command.env("XDG_RUNTIME_DIR", "/nowhere");
    command
}

fn spawn(folder: &Path, socket: &Path, arguments: &[String], first: Option<&str>, log: &Log) -> Child {
    let mut command = first.map_or_else(executable, executable_after);
    command.args(arguments).arg("--control").arg(socket).current_dir(folder);
    command.env("XDG_CACHE_HOME", folder.join("caches")).env("XDG_STATE_HOME", folder.join("states"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("start the supervisor");
    log.collect(child.stdout.take().expect("its output"));
    log.collect(child.stderr.take().expect("its errors"));
    child
}

/// A running supervisor, killed on drop.
#[derive(Debug)]
pub(crate) struct TestSupervisor {
    child: Child,
    socket: PathBuf,
    folder: TempDir,
    /// The process id of the successor that has taken over, if any.
    successor: Option<u32>,
    arguments: Vec<String>,
    pub(crate) log: Log,
}

impl TestSupervisor {
    /// Returns a builder for a supervisor without apps.
    pub(crate) fn plan() -> Plan {
        Plan::default()
    }

    /// Serves one app with this index.js, under the name `app`.
    pub(crate) async fn with(index: &str) -> Self {
        Self::plan().app(App::new("app", index)).start().await
    }

    /// Runs the executable with these arguments and a control socket, in `folder`, and waits until it listens.
    pub(crate) async fn run(folder: TempDir, arguments: Vec<String>) -> Self {
        Self::run_after(folder, arguments, None).await
    }

    async fn run_after(folder: TempDir, arguments: Vec<String>, first: Option<String>) -> Self {
        let (socket, log) = (folder.path().join("control.sock"), Log::default());
        let child = spawn(folder.path(), &socket, &arguments, first.as_deref(), &log);
        let mut supervisor = Self { child, socket, folder, arguments, successor: None, log };
        supervisor.answers().await;
        supervisor
    }

    /// Stops the supervisor as an operator would, starts it again with the same arguments, and waits until it listens.
    pub(crate) async fn restart(&mut self) {
        self.signal(Signal::SIGTERM);
        assert_eq!(self.ended().await.code(), Some(0));
        self.child = spawn(self.folder.path(), &self.socket, &self.arguments, None, &self.log);
        self.answers().await;
    }

    /// Starts the supervisor again after its exit, with the same arguments but in another control group, and waits
    /// until it listens.
    pub(crate) async fn start_again_within(&mut self, group: &Path) {
        self.child = spawn(self.folder.path(), &self.socket, &self.arguments, Some(&enter(group)), &self.log);
        self.answers().await;
    }

    async fn answers(&mut self) {
        until("the supervisor answers", async || {
            let ended = self.child.try_wait().expect("its state");
            assert!(ended.is_none(), "the supervisor ended at once: {:?}", self.log.lines());
            control::status(&self.socket).await.ok()
        })
        .await;
    }

    pub(crate) fn pid(&self) -> u32 {
        self.successor.unwrap_or_else(|| self.child.id())
    }

    /// Returns the temporary folder, which contains a folder for each app.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn rewrite(&self, change: impl FnOnce(String) -> String) {
        let file = self.folder().join("nano.toml");
        let config = fs::read_to_string(&file).expect("read nano.toml");
        fs::write(&file, change(config)).expect("write nano.toml");
    }

    /// Returns the path of the control socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Returns the status of every app.
    pub(crate) async fn status(&self) -> Vec<AppStatus> {
        control::status(&self.socket).await.expect("a status").apps
    }

    /// Returns the process ids of all spares.
    pub(crate) async fn spares(&self) -> Vec<u32> {
        let status = control::status(&self.socket).await.expect("a status");
        status.spares.iter().map(|spare| spare.pid).collect()
    }

    /// Returns the status of one app.
    pub(crate) async fn app(&self, name: &str) -> AppStatus {
        self.status().await.into_iter().find(|app| app.app == name).expect("an app of this test")
    }

    /// Waits until the status of an app satisfies `is_so`.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        is_so: impl Fn(&AppStatus) -> bool,
    ) -> AppStatus {
        let find = async || Some(self.app(name).await).filter(&is_so);
        until(&format!("{name} {what}"), find).await
    }

    /// Waits until an app has this many requests in flight.
    pub(crate) async fn in_flight(&self, name: &str, count: usize) {
        self.until(name, &format!("has {count} requests in flight"), |app| app.in_flight == count).await;
    }

    /// Waits until a worker other than `pid` is ready.
    pub(crate) async fn replaced(&self, name: &str, pid: u32) -> AppStatus {
        let is_new = |app: &AppStatus| app.state == AppState::Ready && app.pid.is_some_and(|new| new != pid);
        self.until(name, "is ready again", is_new).await
    }

    /// Returns the process id of an app's worker.
    pub(crate) async fn worker(&self, name: &str) -> u32 {
        self.app(name).await.pid.expect("a worker")
    }

    /// Returns the address of an app.
    pub(crate) async fn address(&self, name: &str) -> SocketAddr {
        let listen = self.app(name).await.listen;
        let address: SocketAddr = listen.parse().expect("an address");
        if address.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, address.port()).into() } else { address }
    }

    /// Creates an HTTP/1.1 client for an app.
    pub(crate) async fn client(&self, name: &str) -> Client {
        Client::new(self.address(name).await, false)
    }

    /// Sends a GET request to an app.
    pub(crate) async fn get(&self, name: &str, path: &str) -> Reply {
        self.client(name).await.get(path).await.expect("a response")
    }

    /// Sends the supervisor a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        process::signal(self.pid(), signal);
    }

    /// Waits for the exit of this process after an upgrade to the process `next`.
    pub(crate) async fn succeeded_by(&mut self, next: u32) -> ExitStatus {
        let first = self.successor.replace(next);
        match first {
            None => self.ended().await,
            Some(before) => {
                until("the supervisor has ended", async || (!process::is_alive(before)).then_some(())).await;
                ExitStatus::default()
            }
        }
    }

    /// Waits for the exit of the supervisor.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        until("the supervisor has ended", async || self.child.try_wait().expect("its state")).await
    }
}

impl Drop for TestSupervisor {
    fn drop(&mut self) {
        // When the successor is killed, its workers end as well.
        if let Some(next) = self.successor.filter(|next| process::is_alive(*next)) {
            process::signal(next, Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let lines = self.log.lines();
        if std::thread::panicking() {
            eprintln!("log of the supervisor:\n{}", lines.join("\n"));
            return;
        }
        // A test fails if the log contains a bug report.
        let bug = lines
            .iter()
            .find(|line| line.contains("a bug in the supervisor") || line.contains("panicked at"));
        assert!(bug.is_none(), "{bug:?}");
    }
}
