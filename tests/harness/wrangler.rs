//! wrangler, which reads an app's wrangler file, bundles what is to be bundled, and serves the app and its files in workerd, as it does
//! for whoever develops the app, or uploads them.

#![expect(clippy::disallowed_methods, reason = "tests start wrangler")]

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::{Log, workerd};

/// `wrangler dev` in a folder. Killed on drop, together with its workerd.
#[derive(Debug)]
pub(crate) struct Wrangler {
    child: Child,
    log: Log,
    /// The folder of its temporary files, which it leaves when it is killed.
    rest: PathBuf,
    _home: TempDir,
}

impl Wrangler {
    /// Starts it with the packages of the lock file for the app in `folder`, which is a build for Pages or a worker. Returns `None`, with
    /// the reason on stderr, if the packages have no workerd for this system or no Node: wrangler wants a newer one than systems have.
    pub(crate) fn dev(packages: &Path, folder: &Path, is_for_pages: bool) -> Option<Self> {
        let (home, log) = (tempfile::tempdir().expect("a temporary folder"), Log::default());
        let mut command = command(packages, folder, home.path())?;
        command.args(is_for_pages.then_some("pages"));
        command.args(["dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0", "--persist-to"]);
        command.arg(home.path().join("state"));
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start wrangler");
        log.collect(child.stdout.take().expect("its output"));
        log.collect(child.stderr.take().expect("its errors"));
        Some(Self { child, log, rest: folder.join(".wrangler/tmp"), _home: home })
    }

    /// Returns where the app is, once it is there.
    pub(crate) async fn url(&self) -> String {
        let line = self.log.line_with("Ready on http://").await;
        format!("http://{}", line.rsplit_once("http://").expect("an address").1.trim())
    }

    /// Returns what it has said so far.
    pub(crate) fn said(&self) -> String {
        self.log.lines().join("\n")
    }
}

impl Drop for Wrangler {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.rest);
    }
}

/// Runs `wrangler deploy` for the worker in `folder`, which talks to Cloudflare's API at `api`. Returns `None` as [`Wrangler::dev`] does.
pub(crate) fn deploy(packages: &Path, folder: &Path, api: SocketAddr) -> Option<Output> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = command(packages, folder, home.path())?;
    command.arg("deploy").env("CLOUDFLARE_API_TOKEN", "none").env("CLOUDFLARE_ACCOUNT_ID", "account");
    command.env("CLOUDFLARE_API_BASE_URL", format!("http://{api}"));
    Some(command.output().expect("start wrangler"))
}

/// Returns the command for wrangler in a folder. `None`, with the reason on stderr, if there is no Node for it.
fn command(packages: &Path, folder: &Path, home: &Path) -> Option<Command> {
    let programs = packages.join("node_modules/.bin");
    if !programs.join("node").exists() || workerd::executable_of(packages).is_none() {
        eprintln!(
            "not compared with workerd: its package, or that of the Node for wrangler, is not for this system"
        );
        return None;
    }
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new(programs.join("wrangler"));
    command.current_dir(folder).stdin(Stdio::null());
    command.env("PATH", format!("{}:{path}", programs.display())).env("HOME", home);
    command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME").env_remove("NODE_OPTIONS");
    // It asks nobody outside for news, and reports to nobody.
    command.envs([("CI", "1"), ("WRANGLER_HIDE_BANNER", "true"), ("WRANGLER_SEND_METRICS", "false")]);
    command.env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
    Some(command)
}
