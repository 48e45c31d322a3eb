//! An app in miniflare, which runs it in workerd as `wrangler dev` does, with the bindings that only wrangler makes.

#![expect(clippy::disallowed_methods, reason = "tests start miniflare")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::npm;

/// miniflare with one app, ended on drop.
#[derive(Debug)]
pub(crate) struct Miniflare {
    child: Child,
    address: SocketAddr,
    /// Keeps the pipe open. Otherwise its output would fail.
    _output: BufReader<ChildStdout>,
}

/// Returns the folder with the files of `tests/sites`.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sites")
}

/// Returns the folder with the packages of `tests/sites`. Returns `None`, with the reason on stderr, if npm cannot be run.
pub(crate) fn installed() -> Option<PathBuf> {
    let folder = npm::installed_from("sites", &sources())?;
    npm::copy_files(&sources(), &folder).expect("copy the files");
    Some(folder)
}

impl Miniflare {
    /// Serves an app with these options of miniflare, from the folder that [`installed`] returns.
    pub(crate) fn serve(folder: &Path, options: &Value) -> Self {
        let mut child = Command::new("node")
            .args(["miniflare.mjs", &options.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start node");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        // It also prints what it is doing.
        let address = loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).expect("read its output") > 0, "miniflare has ended");
            if let Some(address) = line.trim().strip_prefix("listens on ") {
                break address.parse().expect("an address");
            }
        };
        Self { child, address, _output: output }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Miniflare {
    fn drop(&mut self) {
        // Its workerd ends with it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
