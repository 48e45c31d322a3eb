//! `connect()` of `cloudflare:sockets`: the same program under workerd and here, the rules of outbound connections, and how a
//! socket ends with its request.

use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use crate::admin::metrics;
use crate::harness::workerd::Both;
use crate::harness::{App, Client, Origin, free_address};
use crate::{TestSupervisor, until, within};

/// Obeys the commands that `sockets/program.js` describes.
async fn obey(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        match line.split_at_checked(5) {
            Some(("echo ", text)) => stream.write_all(text.as_bytes()).await?,
            _ if line == "fin\n" => {
                stream.write_all(b"bye").await?;
                stream.shutdown().await?;
            }
            _ if line == "count\n" => {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await?;
                return stream.write_all(rest.len().to_string().as_bytes()).await;
            }
            _ if line == "rst\n" => return stream.into_inner().set_zero_linger(),
            // A TLS handshake.
            _ => return Ok(()),
        }
    }
}

async fn server() -> Origin {
    Origin::raw(|stream, _| async move {
        let _ = obey(stream).await;
    })
    .await
}

#[tokio::test]
async fn sockets_are_as_on_workers() {
    let server = server().await;
    let Some(both) = Both::serve(include_str!("sockets/program.js"), server.address).await else { return };
    both.assert_same_results(50).await;
}

#[tokio::test]
async fn the_sockets_of_node_are_as_on_workers() {
    let server = server().await;
    let Some(both) = Both::serve(include_str!("sockets/node.js"), server.address).await else { return };
    both.assert_same_results(35).await;
}

/// Serves an app with `connect`, the address of the server in `env.UP`, and these settings.
async fn serve(fetch: &str, server: &Origin, settings: &str) -> TestSupervisor {
    let index = format!(
        "import {{ connect }} from 'cloudflare:sockets';
         const told = (error) => `${{error}} [${{error.code}}]`;
         let kept;
         export default {{ async fetch(request, env, ctx) {{ {fetch} }} }};"
    );
    let app = App::new("app", &index).set(&format!("env = {{ UP = '{}' }}\n{settings}", server.address));
    TestSupervisor::plan().app(app).start().await
}

#[tokio::test]
async fn sockets_follow_the_rules_of_outbound_connections() {
    let server = server().await;
    let fetch = "const results = {};
         for (const address of [env.UP, `localhost:${new URL(`http://${env.UP}`).port}`, '169.254.169.254:80', 'nothing.invalid:1']) {
           const socket = connect(address);
           socket.closed.catch(() => {});
           results[address.replace(/:.*/, '')] = await socket.opened.then(() => 'opened', told);
         }
         return Response.json(results);";
    let supervisor = serve(fetch, &server, "deny_net = ['127.0.0.0/8', '::1']").await;
    let failed =
        |why: &str| format!("Error: proxy request failed, cannot connect to the specified address: {why}");
    let (address, port) = (server.address, server.address.port());
    let results = supervisor.get("app", "/").await.json();
    let denied = |what: &str| failed(&format!("{what} is denied by deny_net [EACCES]"));
    assert_eq!(results["127.0.0.1"], json!(denied(&address.to_string())));
    assert_eq!(results["localhost"], json!(denied(&format!("localhost:{port} (127.0.0.1)"))));
    let guarded = results["169.254.169.254"].as_str().unwrap();
    assert!(guarded.starts_with(&failed("")) && guarded.ends_with("[EACCES]"), "{guarded}");
    let unknown = results["nothing.invalid"].as_str().unwrap();
    // Why not depends on the network.
    assert!(unknown.starts_with(&failed("")), "{unknown}");
}

#[tokio::test]
async fn a_socket_takes_a_place_among_the_outbound_connections_until_it_is_closed() {
    let server = server().await;
    let fetch = "const [one, other] = [connect(env.UP), connect(env.UP)];
         const first = await Promise.race([one.opened.then(() => one), other.opened.then(() => other)]);
         await first.close();
         await (first === one ? other : one).opened;
         return new Response('both');";
    let admin = free_address();
    let supervisor = serve(fetch, &server, "max_outbound = 1").await;
    assert_eq!(supervisor.get("app", "/").await.text(), "both");
    drop(supervisor);
    let app = App::new(
        "app",
        "import { connect } from 'cloudflare:sockets';
         const socket = connect('127.0.0.1:PORT');
         export default { fetch: async () => new Response(typeof await socket.opened) };"
            .replace("PORT", &server.address.port().to_string())
            .as_str(),
    );
    let supervisor = TestSupervisor::plan().app(app).set(&format!("admin = '{admin}'")).start().await;
    // What is opened while the app is loaded belongs to no request.
    for _ in 0..2 {
        assert_eq!(supervisor.get("app", "/").await.text(), "object");
    }
    let admin = Client::afresh(admin);
    until("the connection is counted", async || {
        (metrics(&admin).await.get("nano_worker_outbound_connections{app=\"app\"}") == Some(&1.0))
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_socket_ends_with_its_request() {
    let ended = Arc::new(Semaphore::new(0));
    let server = Origin::raw({
        let ended = ended.clone();
        move |mut stream, _| {
            let ended = ended.clone();
            async move {
                // Says so when the other side has ended.
                let _ = stream.write_all(b"hello").await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
                ended.add_permits(1);
            }
        }
    })
    .await;
    let fetch = "const path = new URL(request.url).pathname;
         if (path === '/kept') {
           const reader = kept.readable.getReader();
           return new Response(await reader.read().then(() => 'read', told));
         }
         kept = connect(env.UP);
         await kept.opened;
         if (path === '/streamed') return new Response(kept.readable);
         if (path === '/waited') ctx.waitUntil(new Promise((resolve) => globalThis.release = resolve));
         if (path === '/release') release();
         return new Response('opened');";
    let supervisor = serve(fetch, &server, "").await;
    assert_eq!(supervisor.get("app", "/").await.text(), "opened");
    within(ended.acquire()).await.unwrap().forget();
    let used = supervisor.get("app", "/kept").await;
    let why = format!(
        "Error: the connection to {} ended with the request that opened it, which is over: open one for each request, or use it \
         within waitUntil() [ECONNABORTED]",
        server.address.ip()
    );
    assert_eq!(used.text(), why);
    // The work of waitUntil keeps it.
    assert_eq!(supervisor.get("app", "/waited").await.text(), "opened");
    assert_eq!(supervisor.get("app", "/kept").await.text(), "read");
    assert_eq!(ended.available_permits(), 0);
    assert_eq!(supervisor.get("app", "/release").await.text(), "opened");
    for _ in 0..2 {
        within(ended.acquire()).await.unwrap().forget();
    }
}

#[tokio::test]
async fn streams_are_piped_into_a_socket() {
    let fetch = "const socket = connect(env.UP);
         const sent = new Blob(['count\\n', 'x'.repeat(1_000_000)]).stream().pipeTo(socket.writable);
         const heard = await new Response(socket.readable).text();
         await Promise.all([sent, socket.closed]);
         return new Response(heard);";
    let server = server().await;
    let supervisor = serve(fetch, &server, "").await;
    assert_eq!(supervisor.get("app", "/").await.text(), "1000000");
}

#[tokio::test]
async fn a_socket_can_be_the_answer() {
    let server = Origin::raw(|mut stream, _| async move {
        let _ = stream.write_all(&vec![b'x'; 1 << 20]).await;
    })
    .await;
    let supervisor = serve("return new Response(connect(env.UP).readable);", &server, "").await;
    assert_eq!(supervisor.get("app", "/").await.text().len(), 1 << 20);
}

#[tokio::test]
async fn writes_wait_for_the_other_side() {
    let (go, length) = (Arc::new(Notify::new()), 64 << 20);
    let server = Origin::raw({
        let go = go.clone();
        move |mut stream, _| {
            let go = go.clone();
            async move {
                go.notified().await;
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes).await;
                let _ = stream.write_all(bytes.len().to_string().as_bytes()).await;
            }
        }
    })
    .await;
    // Far more than sockets buffer. The second response says that the first write is not over.
    let fetch = format!(
        "if (new URL(request.url).pathname === '/done') return Response.json(kept);
         kept = 0;
         const socket = connect(env.UP), writer = socket.writable.getWriter();
         for (let i = 0; i < {length}; i += 1 << 20) {{
           await writer.write(new Uint8Array(1 << 20));
           kept++;
         }}
         await writer.close();
         return new Response(socket.readable);"
    );
    let supervisor = serve(&fetch, &server, "heap = '64MiB'").await;
    let client = supervisor.client("app").await;
    let (answer, ()) = tokio::join!(within(client.get("/")), async {
        let mut before = -1;
        until("a write waits", async || {
            let now = supervisor.get("app", "/done").await.json().as_i64();
            let is_same = now == Some(before) && before > 0;
            before = now.unwrap_or(-1);
            is_same.then_some(())
        })
        .await;
        assert!(before < length >> 20, "{before} MiB were written");
        go.notify_one();
    });
    assert_eq!(answer.unwrap().text(), length.to_string());
}

#[tokio::test]
async fn all_that_was_written_is_sent_before_a_socket_is_closed_or_begins_with_tls() {
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let server = Origin::raw(move |stream, _| {
        let tell = tell.clone();
        async move {
            let mut bytes = Vec::new();
            // With the first byte of TLS, it has heard enough.
            let _ = stream.take(300_001).read_to_end(&mut bytes).await;
            let _ = tell.send(bytes).await;
        }
    })
    .await;
    // Nobody waits for the writes.
    let fetch = "const how = new URL(request.url).pathname;
         const socket = connect(env.UP, { secureTransport: how === '/startTls' ? 'starttls' : 'off' });
         await socket.opened;
         const writer = socket.writable.getWriter();
         for (const byte of [1, 2, 3]) writer.write(new Uint8Array(100_000).fill(byte)).catch(() => {});
         if (how === '/close') {
           await Promise.all([socket.close(), socket.close()]);
           return Response.json(await writer.closed.catch(told));
         }
         const secured = socket.startTls();
         secured.closed.catch(() => {});
         await secured.opened.catch(() => {});
         return Response.json(await writer.closed.catch(told));";
    let supervisor = serve(fetch, &server, "").await;
    let sent: Vec<u8> = [1, 2, 3].into_iter().flat_map(|byte| vec![byte; 100_000]).collect();
    let closed = supervisor.get("app", "/close").await.json();
    assert_eq!(closed, json!("TypeError: This socket has been closed. [undefined]"));
    assert!(within(told.recv()).await.unwrap() == sent);
    let upgraded = supervisor.get("app", "/startTls").await.json();
    let why = "TypeError: This socket has been upgraded: use the one that startTls() returned. [undefined]";
    assert_eq!(upgraded, json!(why));
    let heard = within(told.recv()).await.unwrap();
    // A handshake of TLS begins with 22.
    assert!(heard[..sent.len()] == sent && heard.get(sent.len()) == Some(&22));
}
