//! Drivers of databases from npm, against real servers: PostgreSQL, MariaDB and Redis as Debian has them. Skipped with a message where
//! a server or npm is missing. And `hyperdrive` of wrangler files, which gives drivers what they need.

#![expect(clippy::disallowed_methods, reason = "tests start servers")]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, chown};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::TestSupervisor;
use crate::harness::{App, Origin, free_address, npm};

/// The deadline for the start of a server, which writes a hundred megabytes first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server with an empty database, killed on drop.
#[derive(Debug)]
struct Database {
    _process: Process,
    port: u16,
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

/// Starts a server with `start`, which is given a port, and waits until it takes connections and `is_ready`. Takes another port if the
/// server ends, as it does when somebody else has taken this one.
async fn started(
    data: TempDir,
    end: Signal,
    is_ready: impl Fn() -> bool,
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
    Database { _process: process, port, _data: data }
}

async fn postgresql() -> Option<Database> {
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
    let server = started(data, Signal::SIGQUIT, is_ready, |port| {
        let mut server = command(&postgres, ids);
        server.arg("-D").arg(&folder).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
        server
    });
    Some(server.await)
}

async fn mariadb() -> Option<Database> {
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
    let server = started(data, Signal::SIGKILL, at_once, |port| {
        let mut server = command(&mariadbd, ids);
        server.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"]);
        server.arg(format!("--port={port}")).arg(format!("--datadir={}", folder.display()));
        server.arg(format!("--init-file={}", users.display())).arg(format!("--socket={}", socket.display()));
        server
    });
    Some(server.await)
}

async fn redis() -> Option<Database> {
    let server = program("redis-server", &["/usr/bin", "/usr/sbin"])?;
    let (data, ids) = data("redis");
    let folder = data.path().to_owned();
    let server = started(data, Signal::SIGKILL, at_once, |port| {
        let mut command = command(&server, ids);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--requirepass", "secret"]);
        command.args(["--save", "", "--dir"]).arg(&folder);
        command
    });
    Some(server.await)
}

/// Serves the app with the connection string of a database in `env.DB`.
async fn serve(database: &str) -> Option<TestSupervisor> {
    let packages = npm::installed()?;
    let settings = format!(
        "entry = 'apps/databases.js'\nenv = {{ DB = '{database}' }}\nstart_timeout = '30s'\nwatchdog = '20s'\n\
         hung_timeout = '1m'"
    );
    Some(TestSupervisor::plan().app(App::at("app", &packages).set(&settings)).start().await)
}

async fn used(supervisor: &TestSupervisor, driver: &str) -> Value {
    supervisor.get("app", &format!("/{driver}")).await.json()
}

#[tokio::test]
async fn pg_and_postgres_talk_to_postgresql() {
    let Some(server) = postgresql().await else { return };
    let database = format!("postgres://app:secret@127.0.0.1:{}/postgres", server.port);
    let Some(supervisor) = serve(&database).await else { return };
    assert_eq!(used(&supervisor, "pg").await, json!([[{ "id": 1, "text": "ä" }], 1_000_000, "42703"]));
    assert_eq!(used(&supervisor, "pg-pool").await, json!([2, 4, 6, 8, 10]));
    assert_eq!(used(&supervisor, "pg-wrong").await, json!("28P01"));
    assert_eq!(used(&supervisor, "postgres").await, json!(["ä", 1000]));
}

#[tokio::test]
async fn mysql2_talks_to_mariadb() {
    let Some(server) = mariadb().await else { return };
    let database = format!("mysql://app:secret@127.0.0.1:{}/app", server.port);
    let Some(supervisor) = serve(&database).await else { return };
    let expected = json!([[{ "id": 1, "text": "ä" }], 1_000_000, "ER_BAD_FIELD_ERROR"]);
    assert_eq!(used(&supervisor, "mysql2").await, expected);
    assert_eq!(used(&supervisor, "mysql2-pool").await, json!([2, 4, 6, 8, 10]));
}

#[tokio::test]
async fn ioredis_and_redis_talk_to_redis() {
    let Some(server) = redis().await else { return };
    let Some(supervisor) = serve(&format!("redis://:secret@127.0.0.1:{}", server.port)).await else { return };
    assert_eq!(used(&supervisor, "ioredis").await, json!(["1", 2, [[null, "2"], [null, null]]]));
    assert_eq!(used(&supervisor, "redis").await, json!(1_000_000));
}

#[tokio::test]
async fn hyperdrive_tells_an_app_how_its_database_is_reached() {
    let server = Origin::raw(|mut stream, _| async move {
        let _ = stream.write_all(b"hello").await;
    })
    .await;
    let wrangler = format!(
        "main = 'index.js'
         [[hyperdrive]]
         binding = 'DB'
         id = '1'
         localConnectionString = 'postgres://us%40er:pass%2Fword@{}/data?sslmode=disable'
         [[hyperdrive]]
         binding = 'OTHER'
         id = '2'
         localConnectionString = 'postgres://unused'
         [[hyperdrive]]
         binding = 'LOST'
         id = '3'",
        server.address
    );
    let index = "export default { async fetch(_, env) {
        const parts = ({ connectionString, host, port, user, password, database }) =>
          [connectionString, host, port, user, password, database];
        let lost;
        try { lost = env.LOST.host } catch (error) { lost = error.message }
        const { value } = await env.DB.connect().readable.getReader().read();
        return Response.json([parts(env.DB), parts(env.OTHER), lost, new TextDecoder().decode(value), process.env.OTHER ?? null]);
      } }";
    let app =
        App::new("app", index).file("wrangler.toml", &wrangler).set("env = { OTHER = 'mysql://a:b@c/d' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let (address, port) = (server.address, server.address.port());
    let text = format!("postgres://us%40er:pass%2Fword@{address}/data?sslmode=disable");
    let expected = json!([
        [text, "127.0.0.1", port, "us@er", "pass/word", "data"],
        ["mysql://a:b@c/d", "c", 3306, "a", "b", "d"],
        "env.LOST has no connection string: set the variable or secret LOST of the app to one, such as \
         postgres://user:password@host:5432/database, or localConnectionString in the wrangler file",
        "hello",
        null
    ]);
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}
