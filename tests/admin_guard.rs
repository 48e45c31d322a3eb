//! The admin listener serves neither apps nor clients without its token, and it answers probes under any load from others.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;

use crate::harness::{App, Client, Origin, Raw, free_address, raw};
use crate::{TestSupervisor, until, within};

/// Tries to reach the addresses it is sent in every possible way, and reports the result of each attempt.
const INTRUDER: &str = "
const told = async (attempt) => { try { return 'REACHED ' + await attempt() } catch (error) { return String(error) } };
const socket = (url) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url);
  socket.onopen = () => resolve('open');
  socket.onerror = (event) => reject(event.message ?? 'error');
});
const events = (url) => new Promise((resolve, reject) => {
  const source = new EventSource(url);
  source.onopen = () => resolve('open');
  source.onerror = (event) => { source.close(); reject(event.message ?? 'error') };
});
export default { async fetch(request) {
  const { post, get, redirects } = await request.json();
  const out = {};
  for (const url of post) {
    out[url] = await told(async () => (await fetch(url, { method: 'POST', headers: { 'x-nano-admin': '1' } })).status);
  }
  for (const url of get) {
    out['get ' + url] = await told(async () => (await fetch(url)).status);
    out['websocket ' + url] = await told(() => socket(url.replace('http', 'ws')));
    out['events ' + url] = await told(() => events(url));
  }
  for (const url of redirects) out['redirect ' + url] = await told(async () => (await fetch(url)).status);
  return Response.json(out);
} }";

/// Lets the app try every way and checks that none has worked.
async fn attack(supervisor: &TestSupervisor, spellings: &[&str], port: u16, origin: &Origin) {
    let neighbour = supervisor.worker("neighbour").await;
    let urls =
        |path: &str| spellings.iter().map(|host| format!("http://{host}:{port}{path}")).collect::<Vec<_>>();
    let targets = spellings.iter().map(|host| format!("http://{host}:{port}/healthz"));
    let redirects: Vec<_> = targets.map(|target| format!("http://{}/to?{target}", origin.address)).collect();
    let order = serde_json::json!({
        "post": urls("/v1/apps/neighbour/stop"), "get": urls("/healthz"), "redirects": redirects,
    });
    let client = supervisor.client("intruder").await;
    let reply = within(client.post("/", order.to_string())).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told: Value = reply.json();
    let told = told.as_object().unwrap();
    assert_eq!(told.len(), spellings.len() * 5);
    for (what, came) in told {
        let came = came.as_str().unwrap();
        assert!(!came.contains("REACHED"), "{what}: {came}");
        // A name resolves to other addresses as well, on which nothing listens.
        let is_name = what.to_lowercase().contains("localhost");
        if !is_name {
            assert!(came.contains("is the supervisor's own, which no app may reach"), "{what}: {came}");
        }
    }
    assert_eq!(supervisor.worker("neighbour").await, neighbour);
}

/// Answers with a redirect to the URL in its query.
async fn redirecting() -> Origin {
    Origin::http(|request| async move {
        let to = request.uri().query().unwrap_or_default().to_owned();
        let response = hyper::Response::builder().status(302).header("location", to);
        response.body(crate::harness::origin::whole("")).unwrap()
    })
    .await
}

#[tokio::test]
async fn no_app_reaches_it_however_it_is_spelt_and_whatever_is_allowed() {
    let (address, origin) = (free_address(), redirecting().await);
    let allowed = App::new("intruder", INTRUDER).set("allow_net = ['*', '127.0.0.0/8', '0.0.0.0', '::/0']");
    let mut supervisor = TestSupervisor::plan()
        .app(allowed)
        .app(App::hello("neighbour"))
        .set(&format!("admin = '{address}'"))
        .start()
        .await;
    let spellings = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "app.localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:0.0.0.0]",
    ];
    attack(&supervisor, &spellings, address.port(), &origin).await;
    // The workers of a successor start before the successor has an admin listener of its own.
    let socket = supervisor.socket().to_str().unwrap().to_owned();
    let (code, text, errors) = crate::harness::run(supervisor.folder(), &["upgrade", "--control", &socket]);
    assert_eq!(code, 0, "{errors}");
    supervisor.succeeded_by(text.trim().rsplit(' ').next().unwrap().parse().unwrap()).await;
    attack(&supervisor, &spellings[..3], address.port(), &origin).await;
}

#[tokio::test]
async fn any_address_is_every_address_of_the_machine() {
    let origin = redirecting().await;
    let port = free_address().port();
    let supervisor = TestSupervisor::plan()
        .app(App::new("intruder", INTRUDER).file("../token", "0123456789abcdef"))
        .app(App::hello("neighbour"))
        .set(&format!("admin = '0.0.0.0:{port}'\nadmin_token_file = 'token'"))
        .start()
        .await;
    let own = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = own.connect("192.0.2.1:9").and_then(|()| own.local_addr()).ok().map(|own| own.ip().to_string());
    let mut spellings = vec!["127.0.0.1", "127.0.0.2", "0.0.0.0", "localhost", "[::ffff:127.0.0.1]"];
    spellings.extend(own.as_deref());
    attack(&supervisor, &spellings, port, &origin).await;
}

#[tokio::test]
async fn a_port_that_the_kernel_picks_is_closed_as_well() {
    let origin = redirecting().await;
    let supervisor = TestSupervisor::plan()
        .app(App::new("intruder", INTRUDER))
        .app(App::hello("neighbour"))
        .set("admin = '127.0.0.1:0'")
        .start()
        .await;
    let line = supervisor.log.record_with("admin listening").await;
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    attack(&supervisor, &["127.0.0.1", "localhost"], address.port(), &origin).await;
}

#[tokio::test]
async fn a_token_is_made_once_and_opens_what_changes_and_what_shows_logs() {
    let address = free_address();
    let fails = App::new("fails", "throw new Error('postgres://user:password@host')");
    let mut supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .app(fails.set("restart = { crash_loop = 1, slow_retry = '1h' }"))
        .set(&format!("admin = '{address}'"))
        .start()
        .await;
    let file = supervisor.folder().join("states/nano-supervisor/admin-token");
    let token = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = |supervisor: &TestSupervisor| {
        supervisor
            .log
            .lines()
            .iter()
            .filter(|line| line.contains(&token) && line.contains("admin-token"))
            .count()
    };
    until("the token is shown", async || (shown(&supervisor) == 1).then_some(())).await;
    let client = Client::afresh(address);
    let ask = async |method: &str, path: &str, token: Option<&str>| {
        let mut request = client.request(method, path).header("x-nano-admin", "1");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        client.send(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap().status
    };
    for (method, path, without) in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/", 200),
        ("GET", "/metrics", 200),
        ("GET", "/v1/status", 200),
        ("GET", "/v1/news", 200),
        ("GET", "/v1/apps/app", 200),
        ("GET", "/v1/apps/app/history", 200),
        ("GET", "/v1/logs", 401),
        ("GET", "/v1/crashes", 401),
        ("GET", "/v1/apps/app/deploys", 401),
        ("POST", "/v1/apps/app/roll", 401),
        ("POST", "/v1/reload", 401),
    ] {
        assert_eq!(ask(method, path, None).await, without, "{method} {path}");
        assert_eq!(ask(method, path, Some("0123456789abcdef")).await, without, "{method} {path}");
        assert_eq!(ask(method, path, Some(&token)).await, 200, "{method} {path}");
    }
    // Details from an app, such as why it does not load, are shown only with the token.
    for (path, at) in [("/v1/status", "/apps/1"), ("/v1/news", "/apps/1"), ("/v1/apps/fails", "")] {
        let told = async |token: &str| {
            let request = client.request("GET", path).header("authorization", format!("Bearer {token}"));
            let reply = client.send(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
            let app = reply.json().pointer(at).unwrap().clone();
            (app["state"].clone(), app["last_exit"].as_str().unwrap().to_owned())
        };
        assert_eq!(told("?").await, ("failed".into(), "does not load".into()), "{path}");
        let (_, exit) = told(&token).await;
        assert!(exit.contains("does not load: Error: postgres://user:password@host"), "{path}: {exit}");
    }
    supervisor.restart().await;
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), token);
    until("it listens again", async || {
        let lines = supervisor.log.lines();
        (lines.iter().filter(|line| line.contains("admin listening")).count() == 2).then_some(())
    })
    .await;
    assert_eq!(shown(&supervisor), 1);
}

#[tokio::test]
async fn without_a_state_folder_the_token_is_beside_the_control_socket() {
    let address = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app"))
        .set(&format!("admin = '{address}'\nstate_dir = false"))
        .start()
        .await;
    let file = supervisor.folder().join("control.sock.admin-token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let request = format!(
        "GET /v1/crashes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        fs::read_to_string(&file).unwrap().trim()
    );
    assert!(raw::exchange(address, request).starts_with("HTTP/1.1 200 "));
}

/// More connections than the listener has room for.
const FLOOD: usize = 400;

#[tokio::test]
async fn probes_are_answered_while_others_hold_every_connection() {
    let address = free_address();
    let supervisor = TestSupervisor::plan()
        .app(App::hello("app").file("../token", "0123456789abcdef"))
        .set(&format!("admin = '{address}'\nadmin_token_file = 'token'"))
        .start()
        .await;
    let probe = |path: &str| {
        let answer =
            raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    };
    let follow =
        "GET /v1/logs?follow=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer 0123456789abcdef\r\n\r\n";
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..FLOOD {
        let mut follower = Raw::connect(address);
        let head = follower.send(follow).up_to("\r\n");
        refused += usize::from(head.starts_with("HTTP/1.1 503 "));
        held.push(follower);
    }
    assert!(refused > 0, "so many cannot be followed at once");
    probe("/healthz");
    let idle: Vec<_> = (0..FLOOD).map(|_| TcpStream::connect(address).unwrap()).collect();
    probe("/readyz");
    for _ in 0..FLOOD {
        let mut slow = Raw::connect(address);
        slow.send("GET /healthz HTTP/1.1\r\nx-slow: ");
        held.push(slow);
    }
    probe("/healthz");
    drop((held, idle));
    // The slots are free again.
    until("whoever follows is let in", async || {
        let head = Raw::connect(address).send(follow).up_to("\r\n");
        head.starts_with("HTTP/1.1 200 ").then_some(())
    })
    .await;
    drop(supervisor);
}
