//! The app's folder, and what may be read of it: nothing outside, symlinks included.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use deno_core::ModuleSpecifier;
use nano_runtime::excerpt;
use nix::fcntl::OFlag;

use super::error::ReadError;

/// Longest source line shown, in characters.
const MAX_SOURCE_LINE: usize = 160;

/// The app's folder: an absolute path without symlinks.
#[derive(Debug, Clone)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// `path` is absolute and without symlinks.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a path that has no `..` in it lies in the folder.
    pub(super) fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.0)
    }

    /// Whether a file belongs to a package of `node_modules`.
    pub(super) fn is_in_package(&self, path: &Path) -> bool {
        let inside = path.strip_prefix(&self.0).unwrap_or(path);
        inside.components().any(|part| part.as_os_str() == "node_modules")
    }

    /// The name of a file in messages: its path relative to the folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.0).unwrap_or(path).display().to_string()
    }

    pub(super) fn url(&self, path: &Path) -> Result<ModuleSpecifier, ReadError> {
        ModuleSpecifier::from_file_path(path).map_err(|()| ReadError::NotAbsolute(path.to_owned()))
    }

    /// The path of a file without symlinks.
    ///
    /// # Errors
    /// If it cannot be read or lies outside.
    pub(super) fn real(&self, path: &Path) -> Result<PathBuf, ReadError> {
        let real = path.canonicalize().map_err(|error| self.unreadable(path, error))?;
        if self.contains(&real) { Ok(real) } else { Err(ReadError::Outside(self.shown(path))) }
    }

    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        if holds_variables(path) {
            return Err(ReadError::Variables(self.shown(path)));
        }
        match self.read(path) {
            Ok(bytes) => Ok(bytes),
            // Whoever may write to the folder may have replaced the file by a symlink meanwhile.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.real(path)?;
                Err(self.unreadable(path, error))
            }
            Err(error) => Err(self.unreadable(path, error)),
        }
    }

    /// Reads a regular file. The check is made on the file that was opened, not on its path. So nothing outside the folder is
    /// read, even if somebody changes the path at the same time.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
        let opened = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        if !self.contains(&opened) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !found.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0).saturating_add(1));
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The text of a file, without a byte order mark.
    pub(super) fn text(&self, path: &Path) -> Result<String, ReadError> {
        let text = String::from_utf8(self.bytes(path)?);
        let mut text =
            text.map_err(|error| ReadError::NotText { file: self.shown(path), source: error.utf8_error() })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(text)
    }

    fn unreadable(&self, path: &Path, source: io::Error) -> ReadError {
        let file = self.shown(path);
        match source.kind() {
            io::ErrorKind::NotFound => ReadError::NotFound { file, source },
            _ => ReadError::Unreadable { file, source },
        }
    }

    /// One line of a module's source, counted from zero.
    pub(super) fn line(&self, file: &str, line: usize) -> Option<String> {
        let path = ModuleSpecifier::parse(file).ok()?.to_file_path().ok()?;
        self.text(&path).ok()?.lines().nth(line).map(str::to_owned)
    }

    /// Appends a position to `text`: file, line and column (from 1), and the source line with a caret.
    pub(super) fn point_at(&self, text: &mut String, path: &Path, line: i64, column: i64) {
        let source = self.text(path).ok();
        let index = usize::try_from(line).unwrap_or(0).checked_sub(1);
        let source_line = index.and_then(|index| source.as_deref()?.lines().nth(index));
        let _ = write!(text, "\n    at {}:{line}:{column}", self.shown(path));
        if let Some(source_line) = source_line.filter(|line| line.chars().count() <= MAX_SOURCE_LINE) {
            excerpt(text, source_line, line, column);
        }
    }

    /// Appends the position of the first quoted `specifier` in a file: that of an import that cannot be resolved.
    pub(super) fn point_at_import(&self, text: &mut String, path: &Path, specifier: &str) {
        let Ok(source) = self.text(path) else { return };
        let quoted = ['"', '\''].map(|quote| format!("{quote}{specifier}{quote}"));
        let position = source.lines().zip(1..).find_map(|(source_line, line)| {
            let at = quoted.iter().filter_map(|quoted| source_line.find(quoted.as_str())).min()?;
            Some((line, i64::try_from(source_line[..at].chars().count() + 1).ok()?))
        });
        if let Some((line, column)) = position {
            self.point_at(text, path, line, column);
        }
    }
}

/// Whether a file holds variables (`.env`, `.dev.vars`, `.env.production`). The supervisor reads these files, because it knows
/// which other sources of variables take precedence over them.
fn holds_variables(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    [".env", ".dev.vars"]
        .iter()
        .any(|file| name.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn nothing_outside_is_read_however_often_a_file_becomes_a_symlink() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        fs::create_dir(base.join("app")).unwrap();
        fs::write(base.join("secret"), "outside").unwrap();
        fs::write(base.join("app/real.txt"), "inside").unwrap();
        symlink("real.txt", base.join("app/in")).unwrap();
        symlink("../secret", base.join("app/out")).unwrap();
        let (root, is_over) = (Root::new(base.join("app")), AtomicBool::new(false));
        assert_eq!(root.text(&base.join("app/in")).unwrap(), "inside");
        let refused = root.text(&base.join("app/out")).unwrap_err();
        assert!(matches!(&refused, ReadError::Outside(file) if file == "out"), "{refused}");
        let file = base.join("app/file.txt");
        thread::scope(|scope| {
            scope.spawn(|| {
                let next = base.join("app/next");
                for is_link in [false, true].into_iter().cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    if is_link { symlink("../secret", &next) } else { fs::write(&next, "inside") }.unwrap();
                    fs::rename(&next, &file).unwrap();
                }
            });
            let texts: Vec<_> = (0..50_000).filter_map(|_| root.text(&file).ok()).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(!texts.is_empty() && texts.iter().all(|text| text == "inside"));
        });
    }

    #[test]
    fn what_would_wait_or_is_no_file_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path().canonicalize().unwrap());
        nix::unistd::mkfifo(&root.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(
            root.text(&root.path().join("pipe")).unwrap_err().to_string(),
            "cannot read \"pipe\": it is no regular file"
        );
        assert!(root.text(root.path()).unwrap_err().to_string().contains("is a directory"));
    }
}
