//! Apps made with frameworks, in `tests/frameworks`: installed from their lock files, built by their own command with their framework's
//! adapter for Cloudflare, served as they are with `serve .` and by wrangler in workerd, and driven by `drive.mjs` over HTTP and in a
//! headless Chromium, which compares what it sees of both. Skipped with a message if there is no npm or no `chromium`. Where wrangler
//! cannot run, a message says so, and the app is driven here alone. `scripts/frameworks` also runs those that are ignored here.

#![expect(clippy::disallowed_methods, reason = "npm builds what these tests serve, and node drives it")]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::{fs, io};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::wrangler::Wrangler;
use crate::harness::{Log, executable, npm, process};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/frameworks")
}

/// Returns the files of an app, relative to its folder and sorted.
fn files(app: &Path) -> Vec<PathBuf> {
    let (mut pending, mut files) = (vec![app.to_owned()], Vec::new());
    while let Some(folder) = pending.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let into = if path.is_dir() { &mut pending } else { &mut files };
            into.push(path);
        }
    }
    files.sort();
    files.into_iter().map(|file| file.strip_prefix(app).unwrap().to_owned()).collect()
}

/// Runs a command of npm in a folder. It must succeed.
fn npm(name: &str, arguments: &[&str], folder: &Path) {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    // No framework asks, and none reports to its makers.
    for variable in ["CI", "DO_NOT_TRACK", "ASTRO_TELEMETRY_DISABLED", "NEXT_TELEMETRY_DISABLED"] {
        command.env(variable, "1");
    }
    command.env("NUXT_TELEMETRY_DISABLED", "1").env("WRANGLER_SEND_METRICS", "false");
    let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let group = Pid::from_raw(child.id().cast_signed());
    let output = child.wait_with_output().unwrap();
    // SvelteKit's build leaves a workerd behind.
    let _ = killpg(group, Signal::SIGKILL);
    assert!(output.status.success(), "{name}: npm {}:\n{}", arguments.join(" "), text(&output));
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Installs and builds an app in a folder.
fn build(name: &str, folder: &Path) -> io::Result<()> {
    let app = sources().join(name);
    for file in files(&app) {
        let copy = folder.join(&file);
        fs::create_dir_all(copy.parent().expect("a folder"))?;
        fs::copy(app.join(file), copy)?;
    }
    fs::copy(sources().join(".npmrc"), folder.join(".npmrc"))?;
    npm(name, &["ci"], folder);
    npm(name, &["run", "build"], folder);
    Ok(())
}

/// Returns the folder of an app that was built by this test or by an earlier one from the same files.
fn kept(name: &str) -> PathBuf {
    let app = sources().join(name);
    let mut hasher = DefaultHasher::new();
    for file in files(&app) {
        fs::read(app.join(&file)).unwrap().hash(&mut hasher);
        file.hash(&mut hasher);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).canonicalize().unwrap();
    let folder = target.join(format!("framework-{name}-{:016x}", hasher.finish()));
    let lock = fs::File::create(target.join(format!("framework-{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if !folder.exists() {
        let prefix = format!("framework-{name}-");
        let entries = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap());
        for old in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)) {
            fs::remove_dir_all(old.path()).unwrap();
        }
        let new = tempfile::tempdir_in(&target).unwrap();
        build(name, new.path()).unwrap();
        fs::rename(new.keep(), &folder).unwrap();
    }
    folder
}

/// `serve .` in a folder. Killed on drop.
struct Served {
    child: Child,
    log: Log,
    url: String,
    _states: TempDir,
}

impl Served {
    async fn start(folder: &Path) -> Self {
        let checked = executable().current_dir(folder).args(["check", "--strict", "."]).output().unwrap();
        assert!(checked.status.success(), "{}", text(&checked));
        let (states, log) = (tempfile::tempdir().unwrap(), Log::default());
        let mut command = executable();
        command.current_dir(folder).args(["serve", ".", "--host", "127.0.0.1", "--port", "0"]);
        let mut child = command.env("XDG_RUNTIME_DIR", states.path()).stdout(Stdio::piped()).spawn().unwrap();
        log.collect(child.stdout.take().unwrap());
        let mut served = Self { child, log, url: String::new(), _states: states };
        let line = served.log.line_with("listening address=").await;
        let address = line.split("address=").nth(1).expect("an address").split(' ').next();
        served.url = format!("http://{}", address.expect("an address"));
        served.log.line_with("worker ready").await;
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        process::signal(self.child.id(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Serves the build of an app in a folder here and in workerd, and runs `drive.mjs`, which compares them and holds ours to what each of
/// these apps does.
async fn drive(name: &str, folder: &Path, packages: &Path) {
    let settings = fs::read_to_string(folder.join("wrangler.jsonc")).unwrap();
    let theirs = Wrangler::dev(packages, folder, settings.contains("pages_build_output_dir"));
    drive_beside(theirs, name, folder, packages).await;
}

/// Does the same with what serves the app in workerd, if there is one.
async fn drive_beside(theirs: Option<Wrangler>, name: &str, folder: &Path, packages: &Path) {
    let ours = Served::start(folder).await;
    // Beyond all waits of the script: only a browser that no longer answers reaches it.
    let mut node = Command::new("timeout");
    node.args(["--kill-after=10", "900", "node"])
        .arg(sources().join("drive.mjs"))
        .envs([("FRAMEWORK", name), ("APP", &ours.url)])
        .env("PACKAGES", packages)
        .env_remove("WORKERD");
    if let Some(theirs) = &theirs {
        node.env("WORKERD", theirs.url().await);
    }
    let output = node.stdin(Stdio::null()).output().unwrap();
    let (said, log) = (text(&output), ours.log.lines().join("\n"));
    // The last line proves that the script ran all of its checks.
    let end = if theirs.is_some() { "\nall is well, and as under workerd\n" } else { "\nall is well\n" };
    let is_well = output.status.success() && format!("\n{said}").ends_with(end);
    let of_theirs = theirs.map(|theirs| theirs.said()).unwrap_or_default();
    assert!(is_well, "{name}: {said}\nlog of the supervisor:\n{log}\nlog of wrangler:\n{of_theirs}");
    assert!(!log.contains(" ERROR supervisor:"), "{name}: {log}");
}

/// Builds an app, or takes what an earlier test has built, and drives it.
async fn keeps(name: &str) {
    let Some(packages) = npm::with_browser() else { return };
    drive(name, &kept(name), &packages).await;
}

/// Builds an app in a folder that is removed in the end, because its packages take hundreds of megabytes, and drives it.
async fn builds(name: &str) {
    let Some(packages) = npm::with_browser() else { return };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    build(name, folder.path()).unwrap();
    drive(name, folder.path(), &packages).await;
}

#[tokio::test]
async fn an_app_is_driven_where_wrangler_cannot_run() {
    let Some(packages) = npm::with_browser() else { return };
    let without = tempfile::tempdir().unwrap();
    fs::create_dir(without.path().join("node_modules")).unwrap();
    assert!(Wrangler::dev(without.path(), without.path(), false).is_none());
    drive_beside(None, "hono", &kept("hono"), &packages).await;
}

/// Makes a test of each app.
macro_rules! apps {
    ($($test:ident $name:literal $run:ident $(#[$ignored:meta])?,)*) => {
        $(
            #[tokio::test]
            $(#[$ignored])?
            async fn $test() {
                $run($name).await;
            }
        )*

        #[test]
        fn every_app_has_a_test_and_a_row_in_the_document() {
            let document = fs::read_to_string(sources().join("../../docs/frameworks.md")).unwrap();
            let mut folders: Vec<_> = fs::read_dir(sources()).unwrap().map(|entry| entry.unwrap().path()).collect();
            folders.retain(|path| path.is_dir());
            let names = folders.iter().map(|path| path.file_name().unwrap().to_str().unwrap());
            for name in names {
                assert!([$($name),*].contains(&name), "no test builds tests/frameworks/{name}");
                let row = document.lines().find(|line| line.contains(&format!("(../tests/frameworks/{name}/package.json)")));
                let row = row.unwrap_or_else(|| panic!("{name} is not in docs/frameworks.md"));
                let manifest = fs::read_to_string(sources().join(name).join("package.json")).unwrap();
                let manifest: Value = serde_json::from_str(&manifest).unwrap();
                let packages = row.split('|').nth(2).unwrap();
                for package in packages.split('`').skip(1).step_by(2) {
                    let (package, version) = package.rsplit_once(' ').unwrap_or_else(|| panic!("{row}"));
                    let pinned = [&manifest["dependencies"][package], &manifest["devDependencies"][package]];
                    assert!(pinned.iter().any(|pinned| **pinned == version), "{name} has another {package} than {version}");
                }
            }
        }
    };
}

apps! {
    astro "astro" builds #[ignore = "its packages take 530 MB"],
    hono "hono" keeps,
    next "next" builds #[ignore = "its packages take 950 MB"],
    nitro "nitro" keeps,
    nuxt "nuxt" builds #[ignore = "its packages take 390 MB"],
    react_router "react-router" builds #[ignore = "its packages take 500 MB"],
    sveltekit "sveltekit" builds #[ignore = "its packages take 440 MB"],
    tanstack_start "tanstack-start" builds #[ignore = "its packages take 490 MB"],
    vite_worker "vite-worker" builds #[ignore = "its packages take 430 MB"],
}
