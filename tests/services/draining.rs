//! WebSockets between apps, and within one, while the worker at either end is drained: a restart, a deploy, a stop, the end of the
//! supervisor. Nothing here may wait for the end of the time that draining has, which is an hour.

use nix::sys::signal::Signal;

use crate::deploy::{begin, succeed, write};
use crate::harness::{Raw, folder, process};
use crate::{TestSupervisor, until};

/// The closing frame that a worker gets at either end when one is drained, as the app below tells it.
const CLOSED: &str = "[1012,\"the app's worker has ended\",true]";

/// The same when the supervisor is.
const LEAVES: &str = "[1001,\"the server is going away\",true]";

/// An app that opens a WebSocket to `env.OTHER`, to itself by `env.OWN`, or to an entrypoint of its own, and tells what comes until it
/// is closed. It takes those of others. `/say` sends something over all of them, `/bye` closes them.
const APP: &str = r#"import { WorkerEntrypoint } from "cloudflare:workers";
const taken = new Set();
function take() {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  taken.add(server);
  server.addEventListener("message", ({ data }) => server.send(data));
  server.addEventListener("close", ({ code, reason, wasClean }) => {
    taken.delete(server);
    console.log(`taken: ${JSON.stringify([code, reason, wasClean])}`);
  });
  return new Response(null, { status: 101, webSocket: client });
}
async function hold(fetcher, writer) {
  const encoder = new TextEncoder();
  const write = (value) => writer.write(encoder.encode(`${JSON.stringify(value)}\n`));
  const { webSocket } = await fetcher.fetch("http://chat.example/take", { headers: { Upgrade: "websocket" } });
  webSocket.accept();
  webSocket.addEventListener("message", ({ data }) => write(data));
  webSocket.addEventListener("close", async ({ code, reason, wasClean }) => {
    await write([code, reason, wasClean]);
    await writer.close();
  });
  webSocket.send("hello");
}
export class Taker extends WorkerEntrypoint {
  fetch() { return take(); }
}
export default { fetch(request, env, ctx) {
  const { pathname } = new URL(request.url);
  if (pathname === "/take") return take();
  if (pathname === "/say") taken.forEach((server) => server.send("said"));
  if (pathname === "/bye") taken.forEach((server) => server.close(1000, "bye"));
  const fetcher = { "/other": env.OTHER, "/own": env.OWN, "/exports": ctx.exports.Taker }[pathname];
  if (!fetcher) return new Response("ok");
  const { readable, writable } = new TransformStream();
  hold(fetcher, writable.getWriter());
  return new Response(readable);
} };
"#;

/// Starts the apps `site` and `api`, whose `OTHER` is `api`.
async fn both() -> TestSupervisor {
    let flags = ["serve", "--log-format", "json", "--state-dir", "state", "--drain-timeout", "1h"];
    let supervisor = TestSupervisor::run(folder(&[]), flags.map(Into::into).into()).await;
    for app in ["api", "site"] {
        let services = format!(
            "services = [{{ binding = 'OTHER', service = 'api' }}, {{ binding = 'OWN', service = '{app}' }}]"
        );
        write(&supervisor, &format!("{app}/wrangler.toml"), &format!("main = 'index.js'\n{services}\n"));
        write(&supervisor, &format!("{app}/index.js"), APP);
        succeed(&supervisor, &["deploy", app, app, "--port", "0", "--host", "127.0.0.1"]);
    }
    supervisor
}

/// Has an app hold a WebSocket that works.
async fn hold(supervisor: &TestSupervisor, app: &str, path: &str) -> Raw {
    let mut raw = Raw::connect(supervisor.address(app).await);
    raw.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
    raw.up_to("\"hello\"");
    raw
}

async fn gone(worker: u32) {
    until("the drained worker has ended", async || (!process::is_alive(worker)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_taken_a_websocket_is_drained_and_both_apps_hear_of_that() {
    let supervisor = both().await;
    for (number, how) in [
        &["restart", "api"][..],
        &["restart", "api", "--rolling"],
        &["deploy", "api", "api"],
        &["stop", "api"],
    ]
    .into_iter()
    .enumerate()
    {
        let (site, api) = (supervisor.worker("site").await, supervisor.worker("api").await);
        let mut other = hold(&supervisor, "site", "/other").await;
        // Both ends are in the worker that is drained.
        let mut own = hold(&supervisor, "api", "/own").await;
        if how[0] == "deploy" {
            write(&supervisor, "api/index.js", &format!("{APP}// Another release."));
        }
        succeed(&supervisor, how);
        for held in [&mut other, &mut own] {
            held.up_to(CLOSED);
        }
        until("both were closed where they were taken", async || {
            let lines = supervisor.log.lines();
            let heard =
                lines.iter().filter(|line| line.contains("taken: [1012,") && line.contains("has ended"));
            (heard.count() == 2 * (number + 1)).then_some(())
        })
        .await;
        gone(api).await;
        assert_eq!(supervisor.worker("site").await, site, "{how:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_opened_a_websocket_is_drained_and_keeps_it_until_its_request_is_over() {
    let supervisor = both().await;
    for how in ["restart", "deploy"] {
        let (site, api) = (supervisor.worker("site").await, supervisor.worker("api").await);
        let mut held = hold(&supervisor, "site", "/other").await;
        // Both ends are in the worker, and the supervisor knows of neither.
        let exports = hold(&supervisor, "site", "/exports").await;
        write(&supervisor, "next/index.js", APP);
        let last = if how == "deploy" { "next" } else { "--rolling" };
        let drain = begin(&supervisor, &[how, "site", last]);
        supervisor.replaced("site", site).await;
        assert_eq!(supervisor.get("api", "/say").await.text(), "ok");
        held.up_to("\"said\"");
        assert!(process::is_alive(site));
        assert_eq!(supervisor.get("api", "/bye").await.text(), "ok");
        held.up_to("[1000,\"bye\",true]");
        assert!(process::is_alive(site));
        drop(exports);
        gone(site).await;
        let (code, output, errors) = drain.await.unwrap();
        assert_eq!(code, 0, "{output}{errors}");
        assert_eq!(supervisor.worker("api").await, api);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_hands_over_closes_websockets_between_apps() {
    let mut supervisor = both().await;
    let mut other = hold(&supervisor, "site", "/other").await;
    let mut own = hold(&supervisor, "api", "/own").await;
    let upgrade = begin(&supervisor, &["upgrade"]);
    for held in [&mut other, &mut own] {
        held.up_to(LEAVES);
    }
    let (code, text, errors) = upgrade.await.unwrap();
    assert_eq!(code, 0, "{text}{errors}");
    let next = text.strip_prefix("handed over to pid ").unwrap().trim().parse().unwrap();
    assert_eq!(supervisor.succeeded_by(next).await.code(), Some(0));
    // The successor carries new ones.
    hold(&supervisor, "site", "/other").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_ends_closes_websockets_between_apps() {
    let mut supervisor = both().await;
    let mut other = hold(&supervisor, "site", "/other").await;
    let mut own = hold(&supervisor, "api", "/own").await;
    supervisor.signal(Signal::SIGTERM);
    for held in [&mut other, &mut own] {
        held.up_to(LEAVES);
    }
    assert_eq!(supervisor.ended().await.code(), Some(0));
}
