//! A log file with rotation by size, reopened on demand.
//!
//! The crates for this (file-rotate, rolling-file, logroller, tracing-rolling-file) cannot reopen their file on demand, and
//! with a full disk they panic, lose lines silently, or report each one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Mode of new files, before the umask.
const MODE: u32 = 0o640;

/// A file of whole lines. Writers never see an error: a failure is reported on standard error, once until writing works
/// again.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    max_size: u64,
    keep: usize,
    file: File,
    /// Current size in bytes.
    size: u64,
    /// The size at which to rotate; greater than `max_size` after a rotation has failed.
    full_at: u64,
    /// Whether the file ends with an incomplete line.
    is_torn: bool,
    /// Lines lost since writing began to fail.
    lost: u64,
    reopen: Arc<AtomicBool>,
}

impl LogFile {
    /// Opens or creates the file. It is renamed to `path.1` before it grows beyond `max_size` bytes; `keep` such files are
    /// kept. If `reopen` is set, the file is reopened before the next line or flush.
    ///
    /// # Errors
    /// If it cannot be opened; the text names the file.
    pub(super) fn open(path: &Path, max_size: u64, keep: usize, reopen: Arc<AtomicBool>) -> io::Result<Self> {
        let named = |error: io::Error| {
            let hint = match error.kind() {
                io::ErrorKind::NotFound => "create its folder first",
                _ => "name a file that this user may write",
            };
            io::Error::new(error.kind(), format!("log file {}: {error}; fix: {hint}", path.display()))
        };
        let (file, size) = open(path).map_err(named)?;
        let (path, full_at) = (path.to_owned(), max_size);
        Ok(Self { path, max_size, keep, file, size, full_at, is_torn: false, lost: 0, reopen })
    }

    /// Reopens the path if requested. If that fails, the open file stays in use.
    fn reopen(&mut self) {
        if self.reopen.swap(false, Ordering::Relaxed) {
            match open(&self.path) {
                Ok((file, size)) => self.enter(file, size),
                Err(error) => self.complain("cannot be opened again", &error),
            }
        }
    }

    fn enter(&mut self, file: File, size: u64) {
        (self.file, self.size, self.full_at, self.is_torn) = (file, size, self.max_size, false);
    }

    /// Rotates the file. If that fails, it is tried again after another `max_size` bytes.
    fn rotate(&mut self) {
        let rotated = self.put_aside().and_then(|()| open(&self.path));
        match rotated {
            Ok((file, size)) => self.enter(file, size),
            Err(error) => {
                self.full_at = self.size.saturating_add(self.max_size);
                self.complain("cannot be put aside and goes on growing", &error);
            }
        }
    }

    fn put_aside(&self) -> io::Result<()> {
        if self.keep == 0 {
            return gone(fs::remove_file(&self.path));
        }
        for number in (1..self.keep).rev() {
            gone(fs::rename(self.numbered(number), self.numbered(number + 1)))?;
        }
        gone(fs::rename(&self.path, self.numbered(1)))
    }

    fn numbered(&self, number: usize) -> PathBuf {
        self.path.with_added_extension(number.to_string())
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.write(b"\n")?;
        }
        let mut rest = line;
        while !rest.is_empty() {
            let count = self.write(rest)?;
            self.is_torn = true;
            rest = &rest[count..];
        }
        self.is_torn = false;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.size += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn complain(&self, what: &str, why: &dyn std::fmt::Display) {
        // A failure of standard error cannot be reported anywhere.
        let _ = writeln!(io::stderr(), "nano-supervisor: log file {}: {what}: {why}", self.path.display());
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line).map(|()| line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.reopen();
        let is_full = self.size > 0 && self.size + line.len() as u64 > self.full_at;
        // Only regular files: /dev/stdout must not be renamed.
        if is_full && fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_file()) {
            self.rotate();
        }
        match self.append(line) {
            Ok(()) if self.lost > 0 => {
                self.complain("is written again", &format_args!("{} lines were lost", self.lost));
                self.lost = 0;
            }
            Ok(()) => {}
            Err(error) => {
                if self.lost == 0 {
                    self.complain("cannot be written; lines are lost until that has changed", &error);
                }
                self.lost += 1;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.reopen();
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// Treats a missing file as success.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn text(path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    #[test]
    fn full_files_are_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "before\n").unwrap();
        let mut log = LogFile::open(&path, 10, 2, Arc::default()).unwrap();
        for line in ["1\n", "2222222\n", "3333333333333333\n", "4\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let aside = |number: usize| text(&folder.path().join(format!("a.log.{number}")));
        assert_eq!(text(&path).as_deref(), Some("4\n"));
        // A line is never split, even if it is longer than the maximum file size.
        assert_eq!(aside(1).as_deref(), Some("3333333333333333\n"));
        assert_eq!(aside(2).as_deref(), Some("2222222\n"));
        assert_eq!(aside(3), None);
    }

    #[test]
    fn none_are_kept_if_none_are_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::open(&path, 4, 0, Arc::default()).unwrap();
        log.write_all(b"one\n").unwrap();
        log.write_all(b"two\n").unwrap();
        assert_eq!(text(&path).as_deref(), Some("two\n"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.log"), folder.path().join("moved"));
        let reopen = Arc::new(AtomicBool::new(false));
        let mut log = LogFile::open(&path, 1000, 1, reopen.clone()).unwrap();
        log.write_all(b"one\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        log.write_all(b"two\n").unwrap();
        reopen.store(true, Ordering::Relaxed);
        log.flush().unwrap();
        assert_eq!((text(&moved).as_deref(), text(&path).as_deref()), (Some("one\ntwo\n"), Some("")));
        log.write_all(b"three\n").unwrap();
        assert_eq!(text(&path).as_deref(), Some("three\n"));
    }

    #[test]
    fn what_is_no_file_is_not_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        let mut log = LogFile::open(&path, 4, 1, Arc::default()).unwrap();
        log.write_all(b"one\n").unwrap();
        log.write_all(b"two\n").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_full_disk_loses_lines_and_nothing_else() {
        // Every write to /dev/full fails as with a full disk.
        let mut log = LogFile::open(Path::new("/dev/full"), 1000, 1, Arc::default()).unwrap();
        log.write_all(b"one\n").unwrap();
        log.write_all(b"two\n").unwrap();
        assert_eq!(log.lost, 2);
        log.file = tempfile::tempfile().unwrap();
        log.write_all(b"three\n").unwrap();
        assert_eq!((log.lost, log.size), (0, 6));
    }
}
