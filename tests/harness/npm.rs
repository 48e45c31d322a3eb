//! The packages and apps of `tests/npm`, at the versions of its lock file.

#![expect(clippy::disallowed_methods, reason = "npm installs what tests run")]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// Returns the folder with `package.json`, the lock file and the apps.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/npm")
}

/// Returns the folder with the installed packages and the apps. The first test that needs it creates it. Returns
/// `None`, with the reason on stderr, if npm cannot be run.
pub(crate) fn installed() -> Option<PathBuf> {
    let folder = installed_from("npm", &sources())?;
    copy_files(&sources().join("apps"), &folder.join("apps")).unwrap();
    Some(folder)
}

/// Returns a folder with the packages of the lock file in `manifests`. The first test that needs it creates it.
/// `name` is that of the folder. Returns `None`, with the reason on stderr, if npm cannot be run.
pub(crate) fn installed_from(name: &str, manifests: &Path) -> Option<PathBuf> {
    if let Err(error) = Command::new("npm").arg("--version").stdout(Stdio::null()).status() {
        eprintln!("skipped: npm cannot be run here: {error}");
        return None;
    }
    let files =
        [manifests.join("package.json"), manifests.join("package-lock.json"), sources().join(".npmrc")];
    let mut hasher = DefaultHasher::new();
    for file in &files {
        fs::read(file).unwrap().hash(&mut hasher);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).canonicalize().unwrap();
    let folder = target.join(format!("{name}-{:016x}", hasher.finish()));
    let lock = fs::File::create(target.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if !folder.exists() {
        let new = tempfile::tempdir_in(&target).unwrap();
        for file in &files {
            fs::copy(file, new.path().join(file.file_name().expect("a name"))).unwrap();
        }
        let output = Command::new("npm").arg("ci").current_dir(new.path()).output().unwrap();
        assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
        fs::rename(new.keep(), &folder).unwrap();
    }
    Some(folder)
}

/// Returns the folder with the packages that drive a browser, among others, or `None`, with the reason on stderr, if npm or
/// `chromium` is missing.
pub(crate) fn with_browser() -> Option<PathBuf> {
    if let Err(error) = Command::new("chromium").arg("--version").stdout(Stdio::null()).status() {
        eprintln!("skipped: chromium cannot be run here: {error}");
        return None;
    }
    installed()
}

/// Copies the files of a folder, such as apps, which change more often than their packages. Each file is replaced atomically, because
/// other tests read it at the same time.
pub(crate) fn copy_files(from: &Path, into: &Path) -> io::Result<()> {
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let new = tempfile::NamedTempFile::new_in(into)?;
        fs::copy(entry.path(), new.path())?;
        new.persist(into.join(entry.file_name()))?;
    }
    Ok(())
}
