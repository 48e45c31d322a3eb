//! The container image: two apps, one crash, orphans, health, and a drain. Skipped with a message if podman cannot run a
//! container.

#![expect(clippy::disallowed_methods, reason = "podman is what this tests the image with")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::harness::{EXECUTABLE, Raw, free_address, process, raw};
use crate::until;

const NAME: &str = "nano";
const ULIMITS: [&str; 4] = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];

/// podman with its own storage, which is removed when this is dropped.
struct Podman(TempDir);

impl Podman {
    /// Returns `None`, with the reason on stderr, if podman cannot run a container.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let podman = Self(folder);
        // The probe does not use our image, so that a broken image is not mistaken for a missing podman.
        let mut probe = podman.command(&["run", "--rm", "--network", "none", "--no-healthcheck"]);
        let why = match probe.args(ULIMITS).args(["--rootfs", "/:O", "/bin/true"]).output() {
            Ok(output) if output.status.success() => return Some(podman),
            Ok(output) => {
                String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()
            }
            Err(error) => error.to_string(),
        };
        eprintln!("skipped: podman cannot run containers here: {why}");
        None
    }

    fn options(&self) -> Vec<String> {
        let path = |name| self.0.path().join(name).display().to_string();
        vec![
            "--root".into(),
            path("root"),
            "--runroot".into(),
            path("run"),
            "--events-backend".into(),
            "none".into(),
        ]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("podman");
        command.args(self.options()).args(arguments);
        command
    }

    /// Runs a podman command that must succeed, and returns its output.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "podman {arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn build(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scripts/container");
        let output = Command::new(script)
            .args(["build", "--binary", EXECUTABLE, "--tag", NAME, "--"])
            .args(self.options())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }

    /// Returns the process id of the supervisor outside of the container.
    fn supervisor(&self) -> u32 {
        fs::read_to_string(self.0.path().join("pid")).unwrap().trim().parse().unwrap()
    }

    /// Returns the process id of an app's worker outside of the container.
    fn worker(&self, app: &str) -> Option<u32> {
        let named = format!("nano:{app}");
        process::children(self.supervisor()).into_iter().find(|pid| process::name(*pid) == named)
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.command(&["rm", "--force", "--volumes", "--time", "0", "--all"]).output();
        let _ = self.command(&["rmi", "--all", "--force"]).output();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn apps(folder: &Path) -> PathBuf {
    let apps = folder.join("apps");
    for name in ["one", "two"] {
        let source = format!(
            "export default {{ async fetch(request) {{
               const {{ pathname }} = new URL(request.url);
               if (pathname === '/held') await request.text();
               return new Response('{name}');
             }} }}"
        );
        fs::create_dir_all(apps.join(name)).unwrap();
        fs::write(apps.join(name).join("index.js"), source).unwrap();
    }
    apps
}

#[tokio::test]
async fn the_image_serves_survives_and_drains() {
    let Some(podman) = Podman::new() else { return };
    podman.build();
    let port = free_address().port();
    let volume = format!("{}:/apps:ro", apps(podman.0.path()).display());
    let pid_file = podman.0.path().join("pid").display().to_string();
    let port_text = port.to_string();
    let mut run = vec![
        "run",
        "--detach",
        "--name",
        NAME,
        "--network",
        "host",
        "--read-only",
        "--read-only-tmpfs=false",
    ];
    run.extend([
        "--cap-drop",
        "all",
        "--security-opt",
        "no-new-privileges",
        "--pidfile",
        &pid_file,
        "--volume",
        &volume,
    ]);
    run.extend(ULIMITS);
    run.extend([NAME, "serve", "--apps-dir", "/apps", "--host", "127.0.0.1", "--port", &port_text]);
    podman.run(&run);

    let address = ([127, 0, 0, 1], port).into();
    let get = |host: &str, path: &str| {
        raw::exchange(address, format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"))
    };
    let healthy = async || {
        podman.command(&["healthcheck", "run", NAME]).output().unwrap().status.success().then_some(())
    };
    until("the container is healthy", healthy).await;
    for app in ["one", "two"] {
        let answer = get(&format!("{app}.localhost"), "/");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(app), "{answer}");
    }
    assert!(get("three", "/").starts_with("HTTP/1.1 404 "));
    let status = podman.run(&["exec", NAME, "nano-supervisor", "status"]);
    assert!(status.contains("one") && status.contains("ready"), "{status}");

    // One worker is killed. It is replaced, and the other app is not affected.
    let (one, two) = (podman.worker("one").unwrap(), podman.worker("two").unwrap());
    process::signal(one, Signal::SIGKILL);
    assert!(get("two", "/").ends_with("two"));
    until("the crashed app is back", async || get("one", "/").ends_with("one").then_some(())).await;
    assert_eq!(podman.worker("two"), Some(two));
    assert_ne!(podman.worker("one"), Some(one));

    // A worker whose parent is killed becomes a child of PID 1, which must reap it.
    podman.run(&["exec", "--detach", NAME, "nano-supervisor", "serve", "/apps/one", "--port", "0"]);
    let second = async || process::with_arguments("serve /apps/one --port 0");
    let second = until("a second supervisor runs in the container", second).await;
    let orphan = until("it has a worker", async || process::children(second).first().copied()).await;
    process::signal(second, Signal::SIGKILL);
    until("its worker is gone", async || (!process::exists(orphan)).then_some(())).await;

    // Stopping drains: requests in flight are answered, and the exit code is 0.
    let mut held = Raw::connect(address);
    held.send("POST /held HTTP/1.1\r\nhost: one\r\nconnection: close\r\ncontent-length: 1\r\n\r\n");
    let in_flight = async || {
        let status = podman.run(&["exec", NAME, "nano-supervisor", "status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        (status["apps"][0]["in_flight"] == 1).then_some(())
    };
    until("the request is in flight", in_flight).await;
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| podman.run(&["stop", "--time", "60", NAME]));
        // It is released once the end has begun.
        while std::net::TcpStream::connect(address).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(held.send("x").rest().ends_with("\r\n\r\none"));
        stop.join().unwrap();
    });
    assert_eq!(
        podman.run(&["inspect", NAME, "--format", "{{.State.ExitCode}} {{.State.Status}}"]),
        "0 exited"
    );
}
