//! The handover from a supervisor to its successor without closing a socket, and sockets bound by systemd.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use command_fds::{CommandFdExt as _, FdMapping};
use http_body_util::Empty;
use nano_supervisor::api::AppState;
use nix::sys::signal::Signal;

use crate::deploy::begin;
use crate::harness::origin::whole;
use crate::harness::{App, Client, EXECUTABLE, Load, Origin, executable, folder, free_address, process, run};
use crate::{TestSupervisor, until};

fn upgrade(supervisor: &TestSupervisor) -> (i32, String, String) {
    run(supervisor.folder(), &["upgrade", "--control", supervisor.socket().to_str().unwrap()])
}

#[tokio::test]
async fn a_successor_takes_over_every_socket_and_no_request_is_lost() {
    let mut supervisor = TestSupervisor::plan().app(App::hello("one")).app(App::hello("two")).start().await;
    let (one, two) = (supervisor.address("one").await, supervisor.address("two").await);
    let loads = [Load::on(one).await, Load::on(two).await];
    for _ in 0..2 {
        let before = supervisor.pid();
        let worker = supervisor.worker("one").await;
        let (code, text, errors) = upgrade(&supervisor);
        assert_eq!((code, &*errors), (0, ""));
        let next = text.strip_prefix("handed over to pid ").unwrap().trim().parse().unwrap();
        assert_eq!(supervisor.succeeded_by(next).await.code(), Some(0));
        assert!(!process::is_alive(before));
        // The kernel may still be ending it.
        until("the worker has ended", async || (!process::is_alive(worker)).then_some(())).await;
        assert_eq!(supervisor.pid(), next);
        assert_eq!((supervisor.address("one").await, supervisor.address("two").await), (one, two));
        for load in &loads {
            load.more(30).await;
        }
    }
    let [first, second] = loads;
    assert_eq!(first.seen().await.into_keys().collect::<Vec<_>>(), ["hello from one"]);
    assert_eq!(second.seen().await.into_keys().collect::<Vec<_>>(), ["hello from two"]);
    // The successor shuts down like any other supervisor.
    supervisor.signal(Signal::SIGTERM);
    until("the successor has ended", async || (!process::is_alive(supervisor.pid())).then_some(())).await;
    assert!(!supervisor.socket().exists());
}

#[tokio::test]
async fn what_was_stopped_refused_and_reported_is_so_after_an_upgrade() {
    let spin = "export default { fetch(request) { if (request.url.endsWith('/spin')) for (;;); return new Response('ok'); } }";
    let mut supervisor = TestSupervisor::plan()
        .app(App::hello("off"))
        .app(App::hello("on"))
        .app(App::new("spin", spin).set("watchdog = '300ms'\nquarantine = true"))
        .start()
        .await;
    let socket = supervisor.socket().to_str().unwrap().to_owned();
    let folder = supervisor.folder().to_owned();
    let command = |arguments: &[&str]| {
        let (code, text, errors) = run(&folder, &[arguments, &["--control", &socket]].concat());
        assert_eq!((code, &*errors), (0, ""), "{arguments:?}: {text}");
        text
    };
    let refusal = async |address: SocketAddr, path: &str| {
        let client = Client::new(address, false);
        let request = client.request("GET", path).header("accept", "application/json");
        let reply = client.send(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        reply.json()["error"]["code"].clone()
    };
    command(&["stop", "off"]);
    for _ in 0..2 {
        let worker = supervisor.worker("spin").await;
        assert_eq!(supervisor.get("spin", "/spin").await.status, 504);
        supervisor.replaced("spin", worker).await;
    }
    let (crashes, refused) = (command(&["crashes", "--json"]), command(&["quarantine", "spin"]));
    assert!(crashes.contains("/spin"), "{crashes}");
    // Twice, because a successor must also hand on what it has inherited.
    for _ in 0..2 {
        let text = command(&["upgrade"]);
        let next = text.strip_prefix("handed over to pid ").unwrap().trim().parse().unwrap();
        assert_eq!(supervisor.succeeded_by(next).await.code(), Some(0));
        let off = supervisor.app("off").await;
        assert_eq!((off.state, off.pid), (AppState::Stopped, None));
        assert_eq!(refusal(off.listen.parse().unwrap(), "/").await, "stopped");
        assert_eq!(supervisor.get("on", "/").await.text(), "hello from on");
        assert_eq!(refusal(supervisor.address("spin").await, "/spin").await, "quarantined");
        assert_eq!(supervisor.get("spin", "/").await.text(), "ok");
        assert_eq!(command(&["crashes", "--json"]), crashes);
    }
    assert!(refused.contains("/spin") && command(&["quarantine", "spin"]).contains("/spin"));
    // The app is like any other: a reload leaves it stopped, and it can be started.
    command(&["reload"]);
    assert_eq!(supervisor.app("off").await.state, AppState::Stopped);
    command(&["start", "off"]);
    assert_eq!(supervisor.get("off", "/").await.text(), "hello from off");
}

#[tokio::test]
async fn what_is_bad_on_disk_holds_up_no_upgrade_and_is_told_unless_all_or_nothing_is_wanted() {
    let plan = || TestSupervisor::plan().app(App::hello("app")).app(App::hello("bad")).app(App::hello("env"));
    let strict = plan().set("strict = true").start().await;
    let mut supervisor = plan().start().await;
    for supervisor in [&strict, &supervisor] {
        fs::write(supervisor.folder().join("bad/index.js"), "export default {").unwrap();
    }
    fs::write(supervisor.folder().join("env/.env"), "no line of it").unwrap();
    let (code, _, errors) = upgrade(&strict);
    assert_eq!(code, 1);
    let expected = "nano-supervisor: the successor was ended: not ready there: bad is failed: does not load: SyntaxError";
    assert!(errors.starts_with(expected) && errors.contains("`strict`"), "{errors}");
    assert_eq!(strict.get("bad", "/").await.text(), "hello from bad");

    let load = Load::on(supervisor.address("app").await).await;
    let (code, text, errors) = upgrade(&supervisor);
    assert_eq!((code, &*errors), (0, ""), "{text}");
    let mut lines = text.lines();
    let next = lines.next().unwrap().strip_prefix("handed over to pid ").unwrap().parse().unwrap();
    assert_eq!(supervisor.succeeded_by(next).await.code(), Some(0));
    let told = ": was ready, and has failed there, as it would have at any other start: ";
    let [bad, env] = ["bad", "env"].map(|app| text.find(&format!("{app}{told}")).unwrap());
    assert!(text[bad..].contains("SyntaxError") && text[env..].contains(".env"), "{text}");
    load.more(30).await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["hello from app"]);
    assert_eq!(supervisor.app("bad").await.state, AppState::Failed);
    assert_eq!(supervisor.get("bad", "/").await.status, 500);
}

#[tokio::test]
async fn a_successor_that_is_worse_is_ended_and_everything_goes_on() {
    // The second worker that asks does not load. That is the successor's.
    let asked = Arc::new(AtomicUsize::new(0));
    let origin = Origin::http(move |_| {
        let answer = if asked.fetch_add(1, Ordering::Relaxed) == 1 { "no" } else { "ok" };
        async move { hyper::Response::new(whole(answer)) }
    })
    .await;
    let app = format!(
        "const answer = await (await fetch('http://{}/')).text(); if (answer === 'no') throw new Error('not in this process');
         export default {{ fetch: () => new Response('hello from app') }}",
        origin.address
    );
    let supervisor = TestSupervisor::plan()
        .app(App::new("app", &app))
        .app(App::new("broken", "export default {"))
        .app(App::hello("neighbour"))
        .start()
        .await;
    let load = Load::on(supervisor.address("app").await).await;
    let (code, text, errors) = begin(&supervisor, &["upgrade"]).await.unwrap();
    assert_eq!(code, 1, "{text} {errors}");
    let expected = "nano-supervisor: the successor was ended: not ready there: app is failed: does not load: Error: not in this process";
    assert!(errors.starts_with(expected) && !errors.contains("broken"), "{errors}");
    assert!(errors.contains("app would be here, so it is not the app"), "{errors}");
    until("the successor is gone", async || {
        let children = process::children(supervisor.pid());
        children.iter().all(|pid| process::name(*pid).starts_with("nano:")).then_some(())
    })
    .await;
    supervisor.rewrite(|config| config.replace("[server]", "[server]\nnonsense = 1"));
    let (code, _, errors) = upgrade(&supervisor);
    let expected = "it ended (exit status: 2): ";
    assert!(
        code == 1 && errors.contains(expected) && errors.contains("server.nonsense: unknown field"),
        "{errors}"
    );
    load.more(50).await;
    assert_eq!(load.seen().await.into_keys().collect::<Vec<_>>(), ["hello from app"]);
    assert_eq!(supervisor.app("app").await.restarts, 0);
}

#[tokio::test]
async fn sigusr2_starts_the_executable_that_is_there_now() {
    let here = folder(&[("app/index.js", "export default { fetch: () => new Response('x') }")]);
    let copy = here.path().join("nano-supervisor");
    fs::hard_link(EXECUTABLE, &copy).or_else(|_| fs::copy(EXECUTABLE, &copy).map(|_| ())).unwrap();
    let port = free_address().port();
    let mut command = executable();
    #[expect(clippy::disallowed_methods, reason = "a copy of the executable under test")]
    let mut old = std::process::Command::new(&copy);
    for (name, value) in command.env("XDG_RUNTIME_DIR", here.path()).get_envs() {
        match value {
            Some(value) => old.env(name, value),
            None => old.env_remove(name),
        };
    }
    old.current_dir(here.path()).args(["serve", "app", "--host", "127.0.0.1", "--port", &port.to_string()]);
    let mut old = old.stdout(std::process::Stdio::null()).spawn().unwrap();
    let client = Client::new(([127, 0, 0, 1], port).into(), false);
    let answers = async || client.get("/").await.ok().filter(|reply| reply.status == 200);
    until("it answers", answers).await;
    // Another file under the same name, as a package manager would leave it.
    let link = here.path().join("next");
    fs::copy(EXECUTABLE, &link).unwrap();
    fs::rename(&link, &copy).unwrap();
    process::signal(old.id(), Signal::SIGUSR2);
    let ended = until("the old one has ended", async || old.try_wait().unwrap()).await;
    assert_eq!(ended.code(), Some(0));
    // Over a connection of its own: the old one has closed those that it had.
    let client = Client::new(([127, 0, 0, 1], port).into(), false);
    let reply = client.get("/").await.unwrap();
    assert_eq!(reply.status, 200);
    let (_, text, _) = status(here.path());
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    let next = u32::try_from(status["pid"].as_u64().unwrap()).unwrap();
    assert_eq!(fs::read_link(format!("/proc/{next}/exe")).unwrap(), copy.canonicalize().unwrap());
    process::signal(next, Signal::SIGTERM);
    until("it has ended", async || (!process::is_alive(next)).then_some(())).await;
}

fn status(here: &Path) -> (i32, String, String) {
    run(here, &["status", "--json", "--control", here.join("nano-supervisor.sock").to_str().unwrap()])
}

#[tokio::test]
async fn a_socket_of_systemd_is_used_and_systemd_is_told_what_happens() {
    let here = folder(&[("app/index.js", "export default { fetch: () => new Response('activated') }")]);
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let notify = UnixDatagram::bind(here.path().join("notify")).unwrap();
    notify.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let told = || {
        let mut text = [0; 1024];
        let length = notify.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    // A client may connect before the supervisor runs.
    let early = tokio::spawn({
        let client = Client::new(address, false);
        async move { client.get("/").await.unwrap().text().to_owned() }
    });
    let port = address.port();
    #[expect(
        clippy::disallowed_methods,
        reason = "systemd names the process id, which only a shell knows beforehand"
    )]
    let mut command = std::process::Command::new("sh");
    let serve =
        format!("LISTEN_PID=$$ LISTEN_FDS=2 exec {EXECUTABLE} serve app --host 127.0.0.1 --port {port}");
    command.current_dir(here.path()).args(["-c", &serve]).env("NOTIFY_SOCKET", here.path().join("notify"));
    command.env("XDG_RUNTIME_DIR", here.path()).env_remove("HOME").stdout(std::process::Stdio::piped());
    let hand = |socket: TcpListener, child_fd| FdMapping { parent_fd: OwnedFd::from(socket), child_fd };
    command.fd_mappings(vec![hand(bound, 3), hand(other, 4)]).unwrap();
    let mut child = command.spawn().unwrap();
    drop(command);
    let log = crate::harness::Log::default();
    log.collect(child.stdout.take().unwrap());
    assert_eq!(crate::within(early).await.unwrap(), "activated");
    log.line_with("no app listens on this socket of systemd's").await;
    let ready = told();
    assert!(ready.contains("READY=1") && ready.contains(&format!("MAINPID={}", child.id())), "{ready}");
    process::signal(child.id(), Signal::SIGHUP);
    assert!(told().contains("RELOADING=1"));
    assert!(told().contains("READY=1"));
    process::signal(child.id(), Signal::SIGTERM);
    assert!(told().contains("STOPPING=1"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
