//! Folders whose owner means harm, and clients who do.

use std::fs;
use std::io::Write as _;

use super::{WORKER, send, site};
use crate::admin::metrics;
use crate::deploy::succeed;
use crate::harness::raw::{self, Raw};
use crate::harness::{App, Client, free_address};
use crate::{TestSupervisor, until};

#[tokio::test]
async fn rules_break_no_message_and_make_no_answer_too_large() {
    let fields: String = (0..50_000).map(|number| format!("  x-{number}: 1\n")).collect();
    let headers = format!(
        "/framed\n  Transfer-Encoding: chunked\n  Content-Length: 1\n  Connection: close\n  Keep-Alive: 1\n  \
         Proxy-Connection: x\n  Upgrade: x\n  ! Content-Length\n  X-Fine: fine\n/many\n{fields}"
    );
    let app = App::hello("app")
        .file("public/framed.txt", "framed")
        .file("public/many.txt", "many")
        .file("public/framed.html", "framed")
        .file("public/many.html", "many")
        .file("public/404.html", "not here")
        .file("public/_headers", &headers)
        .file("public/_redirects", "/date/:year/:month/:slug /:year-:month-:slug\n/go/* /:splat\n")
        .set("assets = { directory = 'public', not_found_handling = '404-page', run_worker_first = ['/never', '!/*'] }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    supervisor.log.line_with("more lines are left out").await;
    assert!(supervisor.log.lines().iter().filter(|line| line.contains("left out")).count() < 30);
    for http2 in [false, true] {
        let client = Client::new(supervisor.address("app").await, http2);
        let get = async |path: &str| send(&client, "GET", path, &[]).await;
        let framed = get("/framed").await;
        assert_eq!((framed.status, framed.text(), framed.header("x-fine")), (200, "framed", "fine"));
        assert_eq!((framed.header("content-length"), framed.header("keep-alive")), ("6", ""));
        // Names that a client sends stand for nothing, or a few of them would make gigabytes.
        let path = format!("/date/{}/{}/{}", ":month".repeat(400), ":slug".repeat(400), "x".repeat(1000));
        let moved = get(&path).await;
        let expected = format!("/{}-{}-{}", ":month".repeat(400), ":slug".repeat(400), "x".repeat(1000));
        assert_eq!((moved.status, moved.header("location")), (302, &*expected));
        let deep = get(&"/a".repeat(3000)).await;
        assert_eq!((deep.status, deep.text()), (404, "not here"));
    }
    let address = supervisor.address("app").await;
    let many = raw::exchange(address, "GET /many HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(
        many.starts_with("HTTP/1.1 200") && many.contains("x-99: 1\r\n") && many.ends_with("many"),
        "{many}"
    );
    assert!(!many.contains("x-100: "), "{many}");
    // No redirect leads to another host.
    for path in [
        "/go//evil.example",
        "/go/%2F/evil.example",
        "/go/\\evil.example",
        "//evil.example/framed.html",
        "/go/.//evil.example",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw::exchange(address, request);
        let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or("/");
        assert!(location.starts_with('/') && !location.starts_with("//"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_file_that_is_written_to_while_it_is_sent_is_cut_off_and_one_that_is_deleted_is_not() {
    let length = 16 << 20;
    let large = "a".repeat(length);
    let app = App::new("app", WORKER).file("public/written.bin", &large).file("public/deleted.bin", &large);
    let app = app.set("assets = { directory = 'public' }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let address = supervisor.address("app").await;
    let [mut written, mut deleted] = ["written", "deleted"].map(|name| {
        let mut client = Raw::narrow(address);
        client.send(format!("GET /{name}.bin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        let head = client.up_to("\r\n\r\n");
        assert!(head.contains(&format!("content-length: {length}")), "{head}");
        client
    });
    let place = |name: &str| supervisor.folder().join("app/public").join(name);
    let mut file = fs::OpenOptions::new().write(true).open(place("written.bin")).unwrap();
    file.write_all(b"b").unwrap();
    fs::remove_file(place("deleted.bin")).unwrap();
    let rest = written.rest_as_bytes();
    assert!(rest.len() < length, "{}", rest.len());
    assert!(deleted.rest_as_bytes() == large.as_bytes());
    supervisor.log.line_with("response cut off: its file cannot be read").await;
}

#[tokio::test]
async fn clients_that_take_nothing_have_no_more_of_files_than_of_other_answers() {
    let address = free_address();
    let app = site().set("assets = { directory = 'public' }\nmax_buffered = '1MiB'\nmin_rate = '0B'");
    let app = app.file("public/large.bin", &"a".repeat(8 << 20));
    let supervisor =
        TestSupervisor::plan().set(&format!("admin = '{address}'\nio_threads = 1")).app(app).start().await;
    let admin = Client::afresh(address);
    let before = metrics(&admin).await;
    assert_eq!(before["nano_asset_files{app=\"app\"}"], 6.0);
    assert_eq!(before["nano_asset_memory_bytes{app=\"app\"}"], 0.0);
    let to = supervisor.address("app").await;
    let mut clients: Vec<_> = (0..40).map(|_| Raw::narrow(to)).collect();
    for client in &mut clients {
        client.send("GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n").up_to("\r\n\r\n");
    }
    let held = async || metrics(&admin).await["nano_buffered_bytes{app=\"app\"}"];
    until("something is held", async || {
        let held = held().await;
        assert!(held <= f64::from((1 << 20) + 40 * 16 * 1024), "{held}");
        (held > 0.0).then_some(())
    })
    .await;
    drop(clients);
    supervisor.in_flight("app", 0).await;
    until("nothing is held", async || (held().await == 0.0).then_some(())).await;
    assert_eq!(supervisor.get("app", "/app.js").await.status, 200);
    assert_eq!(metrics(&admin).await["nano_asset_memory_bytes{app=\"app\"}"], 14.0);
    let text = succeed(&supervisor, &["status", "app"]);
    assert!(text.contains("\nfiles       6 files, 14 B of them in memory\n"), "{text}");
}
