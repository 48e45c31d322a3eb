//! WebSockets of a headless Chromium, by `browser.mjs`. Skipped with a message if there is no npm or no `chromium`.

#![expect(clippy::disallowed_methods, reason = "this test runs a browser")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::admin::metrics;
use crate::harness::{App, Client, free_address, npm};
use crate::{TestSupervisor, until};

/// Tells of the request first, and then sends every message back. `close CODE REASON` closes; `throw` throws.
const APP: &str = r"export default { fetch(request) {
  const { headers, cf, url } = request;
  const { pathname } = new URL(url);
  if (headers.get('upgrade') !== 'websocket') return new Response('a page', { headers: { 'content-type': 'text/html' } });
  if (pathname === '/refused') return new Response('no', { status: 403 });
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.binaryType = 'arraybuffer';
  const protocols = headers.get('sec-websocket-protocol');
  server.send(JSON.stringify({
    extensions: headers.get('sec-websocket-extensions'), protocols, http: cf.httpProtocol, upgrade: headers.get('upgrade'),
    host: headers.get('host'),
  }));
  server.addEventListener('message', ({ data }) => {
    if (data === 'throw') throw new Error('as asked');
    const closing = typeof data === 'string' && /^close (\d+) (.*)$/.exec(data);
    if (closing) server.close(Number(closing[1]), closing[2]);
    else server.send(data);
  });
  server.addEventListener('close', ({ code, reason, wasClean }) => console.log(`closed ${code} ${reason} ${wasClean}.`));
  const answered = protocols === null ? {} : { 'sec-websocket-protocol': 'chat' };
  return new Response(null, { status: 101, webSocket: client, headers: answered });
} }";

#[tokio::test]
async fn a_browser_talks_over_http1_and_over_http2_with_compressed_messages() {
    let Some(packages) = npm::with_browser() else { return };
    let admin = free_address();
    let app = App::new("app", APP).set("max_websocket_message = '4MiB'");
    let plan = TestSupervisor::plan()
        .set(&format!("admin = '{admin}'\naccess_log = 'combined'\naccess_log_file = 'access.log'"));
    let supervisor = plan.app(app).start().await;
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    // Beyond all waits of the script: only a browser that no longer answers reaches it.
    let mut node = Command::new("timeout");
    node.args(["--kill-after=10", "300", "node"])
        .arg(tests.join("server_websockets/browser.mjs"))
        .env("APP", supervisor.address("app").await.to_string())
        .env("CERTIFICATES", tests.join("tls"))
        .env("PACKAGES", packages);
    let output = node.stdin(Stdio::null()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // The last line proves that the script ran all of its checks.
    assert!(output.status.success() && text.ends_with("all is well\n"), "{text}\n{errors}");

    // The app has heard of each end, once over either protocol.
    for end in ["closed 1005  true.", "closed 3001 genug, 🐈 true.", "closed 4000 done, ü true."] {
        until(&format!("the app has logged {end:?} twice"), async || {
            let lines = supervisor.log.lines();
            (lines.iter().filter(|line| line.contains(end)).count() == 2).then_some(())
        })
        .await;
    }
    // Five over either protocol.
    until("the access log has a line of each", async || {
        let log = fs::read_to_string(supervisor.folder().join("access.log")).unwrap();
        let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        (count(" /socket HTTP/1.1\" 101 ") == 5 && count(" /socket HTTP/2.0\" 200 ") == 5).then_some(())
    })
    .await;
    let admin = Client::afresh(admin);
    until("every WebSocket has ended", async || {
        (metrics(&admin).await["nano_websockets{app=\"app\"}"] == 0.0).then_some(())
    })
    .await;
}
