//! Servers of databases as Debian has them, each with an empty database: PostgreSQL, MariaDB and Redis.

#![expect(clippy::disallowed_methods, reason = "tests start servers")]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, chown};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::free_address;

/// The deadline for the start of a server, which writes a hundred megabytes first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server with an empty database, killed on drop.
#[derive(Debug)]
pub(crate) struct Database {
    /// How an app connects to it.
    pub(crate) url: String,
    _process: Process,
    _data: TempDir,
}

/// A process and the signal at which it ends at once, together with its own processes.
#[derive(Debug)]
struct Process(Child, Signal);

impl Drop for Process {
    fn drop(&mut self) {
        // The id of one that has ended may be that of another process by now.
        if let Ok(None) = self.0.try_wait() {
            let _ = kill(Pid::from_raw(self.0.id().cast_signed()), self.1);
            let _ = self.0.wait();
        }
    }
}

/// Returns the program of this name: from the first of these folders that has it.
fn program(name: &str, folders: &[&str]) -> Option<PathBuf> {
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no {name}");
    }
    found
}

/// Returns the folder of the newest PostgreSQL.
fn postgres_folder() -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).max().unwrap_or_default();
    newest.to_string_lossy().into_owned()
}

/// A data folder, which belongs to this user if the tests run as root, as whom servers of databases do not run.
fn data(user: &str) -> (TempDir, Option<(Uid, Gid)>) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let user = User::from_name(user).expect("the users").filter(|_| Uid::effective().is_root());
    let ids = user.map(|user| (user.uid, user.gid));
    if let Some((uid, gid)) = ids {
        chown(data.path(), Some(uid), Some(gid)).expect("another owner");
    }
    (data, ids)
}

fn command(program: &Path, ids: Option<(Uid, Gid)>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    if let Some((uid, gid)) = ids {
        command.uid(uid.as_raw()).gid(gid.as_raw());
    }
    command
}

/// What is ready as soon as it takes connections.
fn at_once() -> bool {
    true
}

/// Starts a server with `start`, which is given a port as is `url`, and waits until it takes connections and `is_ready`. Takes another port if the
/// server ends, as it does when somebody else has taken this one.
async fn started(
    data: TempDir,
    end: Signal,
    is_ready: impl Fn() -> bool,
    url: impl Fn(u16) -> String,
    mut start: impl FnMut(u16) -> Command,
) -> Database {
    let mut running: Option<(Process, u16)> = None;
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "the server takes no connections");
        let has_ended =
            running.as_mut().is_none_or(|(process, _)| process.0.try_wait().expect("its state").is_some());
        if has_ended {
            let port = free_address().port();
            running = Some((Process(start(port).spawn().expect("start a server"), end), port));
        }
        let port = running.as_ref().map_or(0, |(_, port)| *port);
        if is_ready() && TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (process, port) = running.expect("a server");
    Database { url: url(port), _process: process, _data: data }
}

/// Starts PostgreSQL, or says what is missing.
pub(crate) async fn postgresql() -> Option<Database> {
    let bin = postgres_folder();
    let (initdb, postgres) = (program("initdb", &[&bin])?, program("postgres", &[&bin])?);
    let (data, ids) = data("postgres");
    let password = data.path().join("password");
    fs::write(&password, "secret").expect("write a file");
    let folder = data.path().join("data");
    let mut init = command(&initdb, ids);
    init.args(["--username=app", "--auth=scram-sha-256", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8"]);
    init.arg("--pwfile").arg(&password).arg("--pgdata").arg(&folder);
    assert!(init.status().expect("run initdb").success());
    // It listens before that, and tells clients that it is starting up.
    let is_ready = || {
        let state = fs::read_to_string(folder.join("postmaster.pid")).unwrap_or_default();
        state.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    };
    let url = |port| format!("postgres://app:secret@127.0.0.1:{port}/postgres");
    let server = started(data, Signal::SIGQUIT, is_ready, url, |port| {
        let mut server = command(&postgres, ids);
        server.arg("-D").arg(&folder).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
        server
    });
    Some(server.await)
}

/// Starts MariaDB, or says what is missing.
pub(crate) async fn mariadb() -> Option<Database> {
    let folders = ["/usr/bin", "/usr/sbin"];
    let (install, mariadbd) = (program("mariadb-install-db", &folders)?, program("mariadbd", &folders)?);
    let (data, ids) = data("mysql");
    let folder = data.path().join("data");
    let mut init = command(&install, ids);
    init.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    init.arg(format!("--datadir={}", folder.display()));
    assert!(init.status().expect("run mariadb-install-db").success());
    let users = data.path().join("users.sql");
    let sql =
        "CREATE DATABASE app;\nCREATE USER app@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON app.* TO app@'%';\n";
    fs::write(&users, sql).expect("write a file");
    let socket = data.path().join("socket");
    let url = |port| format!("mysql://app:secret@127.0.0.1:{port}/app");
    let server = started(data, Signal::SIGKILL, at_once, url, |port| {
        let mut server = command(&mariadbd, ids);
        server.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"]);
        server.arg(format!("--port={port}")).arg(format!("--datadir={}", folder.display()));
        server.arg(format!("--init-file={}", users.display())).arg(format!("--socket={}", socket.display()));
        server
    });
    Some(server.await)
}

/// Starts Redis, or says what is missing.
pub(crate) async fn redis() -> Option<Database> {
    let server = program("redis-server", &["/usr/bin", "/usr/sbin"])?;
    let (data, ids) = data("redis");
    let folder = data.path().to_owned();
    let url = |port| format!("redis://:secret@127.0.0.1:{port}");
    let server = started(data, Signal::SIGKILL, at_once, url, |port| {
        let mut command = command(&server, ids);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--requirepass", "secret"]);
        command.args(["--save", "", "--dir"]).arg(&folder);
        command
    });
    Some(server.await)
}
