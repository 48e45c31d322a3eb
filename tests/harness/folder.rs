//! Temporary folders, and running the executable on them. `check` loads an app's folder in a real worker.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::executable;

/// The folder `app`, inside a temporary one.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("app")).expect("make a folder");
        Self(folder)
    }

    /// Creates a folder with these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        files.iter().fold(Self::new(), |folder, (path, text)| folder.file(path, text))
    }

    /// Adds a file. A path that starts with `../` is outside of the app's folder.
    pub(crate) fn file(self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        fs::write(path, contents).expect("write a file");
        self
    }

    /// Adds a symlink at `path` to `target`.
    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        symlink(target, path).expect("make a symlink");
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join("app").join(path)
    }

    /// Loads the app and returns the error, in which `TMP` stands for the temporary folder.
    pub(crate) fn load_error(&self) -> String {
        let output = executable()
            .args(["check", "--port", "0"])
            .arg(self.path(""))
            .output()
            .expect("run the executable");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("text");
        let real = self.0.path().canonicalize().expect("a path");
        let text = text.replace(real.to_str().expect("a path of text"), "TMP");
        text.trim_start_matches("app: does not load: ").trim_end().to_owned()
    }

    /// Loads an app that throws JSON text, and returns that value.
    pub(crate) fn thrown(&self) -> Value {
        // Output shows the line separator in Rust's notation.
        let text = self.load_error().replace("\\u{2028}", "\\u2028");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
    }
}

/// Creates a temporary folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
        fs::write(path, text).expect("write a file");
    }
    folder
}

/// Runs the executable in a folder. Returns exit code, stdout and stderr.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = executable().current_dir(folder).args(arguments).output().expect("run the executable");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

/// Returns the parsed output of `crashes APP --json`.
pub(crate) fn crashes(supervisor: &super::TestSupervisor, app: &str) -> Value {
    let socket = supervisor.socket().to_str().unwrap();
    let (code, text, errors) = run(supervisor.folder(), &["crashes", app, "--json", "--control", socket]);
    assert_eq!((code, &*errors), (0, ""), "{text}");
    serde_json::from_str(&text).unwrap()
}
