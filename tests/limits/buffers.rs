//! Memory of buffered bodies: thousands of clients that do not read, and a worker that does not read, cost little.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use tokio::net::{TcpSocket, TcpStream};

use crate::admin::metrics;
use crate::harness::{App, Client, free_address, process};
use crate::{TestSupervisor, until};

/// Answers with a body that never ends.
const ENDLESS: &str = "
const part = new Uint8Array(64 * 1024);
export default { fetch() {
  return new Response(new ReadableStream({ pull(controller) { controller.enqueue(part); } }));
} }";

const CLIENTS: usize = 2000;

/// The window that every response has, however little is left of the budgets.
const LEAST_WINDOW: usize = 16 * 1024;

/// Connects a client with a very small receive buffer.
async fn connect(address: SocketAddr) -> TcpStream {
    connect_from([127, 0, 0, 1], address).await
}

/// Connects such a client from this address.
async fn connect_from(source: [u8; 4], address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind((source, 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// Sends a request and waits for the first bytes of the answer, without reading them.
async fn ask(client: &TcpStream) {
    client.writable().await.unwrap();
    assert!(client.try_write(b"GET / HTTP/1.1\r\nhost: app\r\n\r\n").unwrap() > 0);
    client.readable().await.unwrap();
}

/// Sends as many bytes as the supervisor takes without waiting. Returns how many.
fn pour(client: &TcpStream, bytes: &[u8]) -> usize {
    let mut sent = 0;
    while let Ok(more) = client.try_write(bytes) {
        sent += more;
    }
    sent
}

/// Sends bytes from all clients until the supervisor takes no more. Runs `meanwhile` after each round.
async fn pour_all(clients: &[TcpStream], bytes: &[u8], meanwhile: impl AsyncFn()) {
    let mut sent = usize::MAX;
    while sent > 0 {
        sent = clients.iter().map(|client| pour(client, bytes)).sum();
        meanwhile().await;
    }
}

async fn street(app: App, settings: &str) -> TestSupervisor {
    process::raise_descriptor_limit();
    let app = app.set("max_in_flight = 8192\nrequest_timeout = '1h'\nhung_timeout = '1h'");
    TestSupervisor::plan().app(app).app(App::hello("neighbour")).set(settings).start().await
}

/// Returns the bytes of the app's bodies that are buffered, according to the supervisor's metrics.
async fn held(admin: &Client) -> usize {
    metrics(admin).await["nano_buffered_bytes{app=\"app\"}"] as usize
}

/// Returns the supervisor's peak memory so far, in MiB.
fn memory(supervisor: &TestSupervisor) -> u64 {
    process::peak_rss(supervisor.pid()) >> 20
}

#[tokio::test]
async fn clients_that_do_not_read_their_answers_cost_little_each() {
    let address = free_address();
    let app = App::new("app", ENDLESS).set("max_buffered = '4MiB'");
    let supervisor = street(app, &format!("admin = '{address}'")).await;
    let admin = Client::afresh(address);
    let (address, neighbour) = (supervisor.address("app").await, supervisor.client("neighbour").await);
    let before = memory(&supervisor);
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let client = connect(address).await;
        client.writable().await.unwrap();
        assert!(client.try_write(b"GET / HTTP/1.1\r\nhost: app\r\n\r\n").unwrap() > 0);
        clients.push(client);
    }
    for client in &clients {
        client.readable().await.unwrap();
    }
    supervisor.in_flight("app", CLIENTS).await;
    until("the clients are behind", async || {
        assert_eq!(neighbour.get("/").await.unwrap().text(), "hello from neighbour");
        let held = held(&admin).await;
        assert!(held <= (4 << 20) + CLIENTS * LEAST_WINDOW, "{held} bytes");
        (held > 8 << 20).then_some(())
    })
    .await;
    supervisor.log.line_with("are taken (`max_buffered`)").await;
    let grown = memory(&supervisor) - before;
    assert!(grown < 120, "{grown} MiB for {CLIENTS} clients");
    // The app still answers clients that read.
    let mut length = 0;
    let client = supervisor.client("app").await;
    let request = client.request("GET", "/").body(http_body_util::Empty::new()).unwrap();
    let mut body = client.begin(request).await.unwrap().into_body();
    while length < 4 << 20 {
        let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
        length += frame.into_data().unwrap().len();
    }
}

#[tokio::test]
async fn bodies_for_a_worker_that_hangs_are_left_with_their_clients() {
    let supervisor = street(App::hello("app"), "").await;
    let (address, neighbour) = (supervisor.address("app").await, supervisor.client("neighbour").await);
    let worker = supervisor.worker("app").await;
    process::signal(worker, Signal::SIGSTOP);
    let before = memory(&supervisor);
    let mut clients = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let client = connect(address).await;
        client.writable().await.unwrap();
        let head = b"POST / HTTP/1.1\r\nhost: app\r\ncontent-length: 100000000\r\n\r\n";
        assert!(client.try_write(head).unwrap() > 0);
        clients.push(client);
    }
    supervisor.in_flight("app", CLIENTS).await;
    pour_all(&clients, &[0; 64 * 1024], async || {
        for _ in 0..20 {
            assert_eq!(neighbour.get("/").await.unwrap().text(), "hello from neighbour");
        }
    })
    .await;
    let grown = memory(&supervisor) - before;
    assert!(grown < 120, "{grown} MiB for {CLIENTS} clients");
    process::signal(worker, Signal::SIGKILL);
    supervisor.in_flight("app", 0).await;
    assert_eq!(supervisor.get("app", "/").await.text(), "hello from app");
}

#[tokio::test]
async fn what_all_apps_together_may_hold_bounds_each_of_them() {
    let address = free_address();
    let settings = format!("admin = '{address}'\nmax_buffered = '2MiB'\nio_threads = 1");
    let supervisor = street(App::new("app", ENDLESS), &settings).await;
    let app = supervisor.address("app").await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let client = connect(app).await;
        client.writable().await.unwrap();
        assert!(client.try_write(b"GET / HTTP/1.1\r\nhost: app\r\n\r\n").unwrap() > 0);
        clients.push(client);
    }
    for client in &clients {
        client.readable().await.unwrap();
    }
    supervisor.in_flight("app", clients.len()).await;
    let neighbour = supervisor.client("neighbour").await;
    let admin = Client::afresh(address);
    let (mut last, mut looks) = (0, 0);
    let held = until("the clients are as far behind as they can be", async || {
        assert_eq!(neighbour.get("/").await.unwrap().text(), "hello from neighbour");
        let held = held(&admin).await;
        looks = if held == last { looks + 1 } else { 0 };
        last = held;
        (held > 2 << 20 && looks > 100).then_some(held)
    })
    .await;
    assert!(held <= (2 << 20) + clients.len() * LEAST_WINDOW, "{held} bytes");
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_its_share_and_others_have_theirs() {
    const GREEDY: usize = 200;
    const SHARE: usize = 1 << 20;
    let address = free_address();
    let settings = format!("admin = '{address}'\nmax_buffered_per_client = '1MiB'\nio_threads = 1");
    let supervisor = street(App::new("app", ENDLESS), &settings).await;
    let (app, admin) = (supervisor.address("app").await, Client::afresh(address));
    let mut greedy = Vec::new();
    for _ in 0..GREEDY {
        let client = connect_from([127, 0, 0, 66], app).await;
        ask(&client).await;
        greedy.push(client);
    }
    let most = SHARE + GREEDY * LEAST_WINDOW;
    let neighbour = supervisor.client("neighbour").await;
    let held = until("the clients are behind", async || {
        assert_eq!(neighbour.get("/").await.unwrap().text(), "hello from neighbour");
        let now = metrics(&admin).await;
        let held = now["nano_client_buffered_bytes"] as usize;
        assert!(held <= most && now["nano_buffered_bytes{app=\"app\"}"] as usize <= most, "{held} bytes");
        (held > SHARE && now["nano_clients_at_their_share"] >= 1.0).then_some(held)
    })
    .await;
    assert_eq!(metrics(&admin).await["nano_client_buffered_limit_bytes"] as usize, SHARE);
    let line = supervisor.log.line_with("(`max_buffered_per_client`)").await;
    assert!(line.contains("bytes of bodies of client 127.0.0.66: "), "{line}");
    // Another client that does not read either may still have as much buffered as its own share allows.
    let other = connect_from([127, 0, 0, 2], app).await;
    ask(&other).await;
    until("the other one has more at a time", async || {
        let all = metrics(&admin).await["nano_buffered_bytes{app=\"app\"}"] as usize;
        (all >= held + 3 * LEAST_WINDOW).then_some(())
    })
    .await;
}
