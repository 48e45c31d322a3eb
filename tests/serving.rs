//! Several apps, each in its own process, on their own ports and hosts.

use std::fs;

use crate::TestSupervisor;
use crate::harness::{App, free_address, process, raw, until};

#[tokio::test]
async fn two_apps_on_two_ports_run_independently() {
    let supervisor = TestSupervisor::plan().app(App::hello("one")).app(App::hello("two")).start().await;
    assert_eq!(supervisor.get("one", "/").await.text(), "hello from one");
    assert_eq!(supervisor.get("two", "/").await.text(), "hello from two");
    assert_ne!(supervisor.address("one").await, supervisor.address("two").await);
    let workers = [supervisor.worker("one").await, supervisor.worker("two").await];
    let with_spare = async || {
        let mut children = process::children(supervisor.pid());
        children.retain(|pid| !workers.contains(pid));
        (children.len() == 1 && children == supervisor.spares().await).then_some(())
    };
    until("there are two workers and a spare", with_spare).await;
}

#[tokio::test]
async fn ten_apps_are_served_at_once() {
    let names: Vec<String> = (0..10).map(|number| format!("app-{number}")).collect();
    let plan = names.iter().fold(TestSupervisor::plan(), |plan, name| plan.app(App::hello(name)));
    let supervisor = plan.start().await;
    for _ in 0..3 {
        for name in &names {
            assert_eq!(supervisor.get(name, "/").await.text(), format!("hello from {name}"));
        }
    }
    let status = supervisor.status().await;
    let pids: std::collections::HashSet<_> = status.iter().filter_map(|app| app.pid).collect();
    assert_eq!((status.len(), pids.len()), (10, 10));
}

#[tokio::test]
async fn several_io_threads_serve_every_app() {
    let plan =
        TestSupervisor::plan().app(App::hello("one")).app(App::hello("two")).flags(&["--io-threads", "3"]);
    let supervisor = plan.start().await;
    for app in ["one", "two"] {
        let address = supervisor.address(app).await;
        // Enough connections for the kernel to spread over all threads.
        for _ in 0..20 {
            let answer = raw::exchange(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            assert!(answer.ends_with(&format!("hello from {app}")), "{answer}");
        }
    }
}

#[tokio::test]
async fn every_method_reaches_the_app() {
    let supervisor = TestSupervisor::with(
        "export default { fetch: async (request) => new Response(request.method + ' ' + await request.text()) }",
    )
    .await;
    let client = supervisor.client("app").await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE"] {
        let body = if method == "GET" { "" } else { "body" };
        let request =
            client.request(method, "/").body(http_body_util::Full::<bytes::Bytes>::from(body)).unwrap();
        let reply = client.send(request).await.unwrap();
        assert_eq!((reply.status, reply.text()), (200, &*format!("{method} {body}")));
    }
}

#[tokio::test]
async fn the_handler_gets_env_from_the_configuration() {
    let app = App::new("app", "export default { fetch: (request, env) => Response.json(env) }")
        .set("[apps.app.env]\nTEXT = 'hi'\nNUMBER = 7\nLIST = [1, 'a']\nDEEP = { a = { b = true } }");
    let supervisor = TestSupervisor::plan().app(app).start().await;
    let expected =
        serde_json::json!({ "TEXT": "hi", "NUMBER": 7, "LIST": [1, "a"], "DEEP": { "a": { "b": true } } });
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}

#[tokio::test]
async fn apps_that_share_a_port_are_told_apart_by_host() {
    let port = free_address().port();
    let listen = format!("port = {port}\nhost = '127.0.0.1'\n");
    let plan = [("one", "['one.example']"), ("two", "['two.example', '*.two.example']")]
        .into_iter()
        .fold(TestSupervisor::plan(), |plan, (name, hosts)| {
            plan.app(App::hello(name).set(&format!("{listen}hosts = {hosts}")))
        });
    let supervisor = plan.start().await;
    let address = supervisor.address("one").await;
    let get = |host: &str| {
        raw::exchange(address, format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"))
    };
    for host in ["one.example", "ONE.example", "one.example:80"] {
        assert!(get(host).ends_with("hello from one"), "{host}: {}", get(host));
    }
    for host in ["two.example", "a.two.example", "a.b.two.example:1"] {
        assert!(get(host).ends_with("hello from two"), "{host}: {}", get(host));
    }
    for host in ["three.example", "127.0.0.1", "one.example.org"] {
        assert!(get(host).starts_with("HTTP/1.1 404 Not Found\r\n"), "{host}: {}", get(host));
    }
}

#[tokio::test]
async fn a_folder_of_apps_is_served_by_folder_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["blog", "shop.example", "default"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        let source = format!("export default {{ fetch: () => new Response('{name}') }}");
        fs::write(folder.path().join(name).join("index.js"), source).unwrap();
    }
    let port = free_address().port().to_string();
    let apps_dir = folder.path().to_str().unwrap();
    let flags = ["--apps-dir", apps_dir, "--port", &port, "--host", "127.0.0.1", "--domain", "my.example"];
    let supervisor = TestSupervisor::plan().flags(&flags).start().await;
    let address = supervisor.address("blog").await;
    for (host, expected) in [
        ("blog", "blog"),
        ("blog.localhost", "blog"),
        ("blog.my.example", "blog"),
        ("shop.example", "shop.example"),
        ("anything", "default"),
    ] {
        let answer =
            raw::exchange(address, format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{host}: {answer}");
    }
}

#[tokio::test]
async fn a_worker_is_named_after_its_app_and_only_workers_run_v8() {
    let supervisor = TestSupervisor::plan().app(App::hello("blog")).start().await;
    let worker = supervisor.worker("blog").await;
    assert_eq!(process::name(worker), "nano:blog");
    let command_line = process::command_line(worker);
    assert!(command_line.starts_with("nano-supervisor worker "), "{command_line}");
    let has_v8 = |pid| process::threads(pid).iter().any(|name| name.starts_with("V8"));
    // A thread names itself once it runs.
    until("the threads of V8 run", async || has_v8(worker).then_some(())).await;
    assert!(!has_v8(supervisor.pid()), "{:?}", process::threads(supervisor.pid()));
}

#[tokio::test]
async fn a_worker_inherits_no_descriptor_and_no_environment() {
    let supervisor = TestSupervisor::plan().app(App::hello("one")).app(App::hello("two")).start().await;
    for app in ["one", "two"] {
        let worker = supervisor.worker(app).await;
        assert_eq!(process::environment(worker), "");
        let known = |target: &str| {
            ["socket:", "pipe:", "anon_inode:", "/dev/null"].iter().any(|kind| target.starts_with(kind))
        };
        let descriptors = process::descriptors(worker);
        assert!(descriptors.iter().all(|target| known(target)), "{descriptors:?}");
        // A worker has only Unix-domain sockets: the listening sockets stay in the supervisor.
        assert_eq!(process::tcp_sockets(worker), 0);
        assert!(process::tcp_sockets(supervisor.pid()) >= 2);
    }
}
