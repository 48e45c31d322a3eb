//! The folder in which the compiled and translated sources of an app are kept between starts. Workers read it directly and ask
//! the supervisor to write. What a file contains is the worker's business; how large each file and the whole folder may be is
//! limited here.

use std::fs::{self, File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use nano_protocol::Receiver;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

/// Longest file, in bytes.
const MAX_KEPT: u64 = 64 * 1024 * 1024;

/// Largest total size of an app's folder, in bytes. Beyond it the oldest files are removed.
const MAX_FOLDER: u64 = 512 * 1024 * 1024;

/// How many files an app's folder may hold.
const MAX_FILES: usize = 16 * 1024;

/// How many bytes are buffered before they are written.
const BLOCK: usize = 256 * 1024;

/// Extension of a file that is not complete.
const DRAFT: &str = "tmp";

/// Age from which an incomplete file counts as abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The cache folder of one app.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    /// Its size, once it was scanned. Others may write to the folder as well, so this is not exact.
    size: Mutex<Option<Size>>,
}

/// The outcome of [`Cache::keep`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// The file is kept for the next start.
    Yes,
    /// The body is too long.
    TooLarge,
    /// The body ended early, or it could not be written.
    No,
}

/// The size of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size {
    bytes: u64,
    files: usize,
}

impl Cache {
    /// Creates a cache in this folder, which must exist.
    pub(super) fn new(folder: &str) -> Self {
        Self { folder: folder.into(), size: Mutex::new(None) }
    }

    /// Keeps a body under a name, and replaces what was kept there before. A reader sees either the old or the new file, never a
    /// part.
    pub(super) async fn keep(&self, name: u128, body: &Receiver) -> Keeping {
        let path = self.folder.join(format!("{name:032x}"));
        let (mut draft, mut block) = (None, BytesMut::new());
        let mut length = 0;
        while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await {
            let Ok(chunk) = chunk else { return Keeping::No };
            length += chunk.len() as u64;
            if length > MAX_KEPT {
                return Keeping::TooLarge;
            }
            block.extend_from_slice(&chunk);
            if block.len() >= BLOCK {
                draft = match write(draft, path.clone(), block.split()).await {
                    Ok(draft) => Some(draft),
                    Err(_) => return Keeping::No,
                };
            }
        }
        let written = async {
            let draft = write(draft, path, block).await?;
            // One at a time: the cost of a scan grows with the number of files.
            let mut known = self.size.lock().await;
            let (folder, size) = (self.folder.clone(), known.take());
            let settled = spawn_blocking(move || {
                draft.complete()?;
                settle(&folder, size, length)
            });
            *known = Some(settled.await.map_err(io::Error::other)??);
            io::Result::Ok(())
        };
        match written.await {
            Ok(()) => Keeping::Yes,
            Err(_) => Keeping::No,
        }
    }
}

/// Appends to a draft, or creates it.
async fn write(draft: Option<CacheDraft>, path: PathBuf, block: BytesMut) -> io::Result<CacheDraft> {
    let written = spawn_blocking(move || {
        let mut draft = draft.map_or_else(|| CacheDraft::create(path), Ok)?;
        draft.file.write_all(&block)?;
        Ok(draft)
    });
    written.await.map_err(io::Error::other)?
}

/// A file that is being written under a temporary name. It is removed when dropped before it is complete.
#[derive(Debug)]
struct CacheDraft {
    file: File,
    path: PathBuf,
    goal: PathBuf,
}

impl CacheDraft {
    fn create(goal: PathBuf) -> io::Result<Self> {
        let path = goal.with_extension(format!("{:016x}.{DRAFT}", fastrand::u64(..)));
        // Never opens an existing file, and never follows a link.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file, path, goal })
    }

    fn complete(self) -> io::Result<()> {
        fs::rename(&self.path, &self.goal)
    }
}

impl Drop for CacheDraft {
    fn drop(&mut self) {
        // Once the draft is complete, there is no file of this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// Accounts for one more file of this length in the folder. Scans the folder unless its size is known and within the limits, and
/// removes the oldest files if it is too large.
fn settle(folder: &Path, known: Option<Size>, length: u64) -> io::Result<Size> {
    if let Some(size) = known {
        // A file that was replaced is counted twice until the next scan.
        let size = Size { bytes: size.bytes + length, files: size.files + 1 };
        if size.fits() {
            return Ok(size);
        }
    }
    let (mut found, now) = (Vec::new(), SystemTime::now());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Something else may have removed the file meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        let (path, changed) = (entry.path(), metadata.modified()?);
        if path.extension().is_some_and(|extension| extension == DRAFT) {
            if now.duration_since(changed).is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(path);
            }
        } else if metadata.is_file() && is_name(&path) {
            found.push((changed, metadata.len(), path));
        }
    }
    let mut size = Size { bytes: found.iter().map(|(_, length, _)| length).sum(), files: found.len() };
    if size.fits() {
        return Ok(size);
    }
    found.sort_unstable();
    for (_, length, path) in found {
        if size.leaves_room() {
            break;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        size = Size { bytes: size.bytes - length, files: size.files - 1 };
    }
    Ok(size)
}

/// Returns whether this is the name of a kept file. An operator may have other files in the folder.
fn is_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Size {
    fn fits(self) -> bool {
        self.bytes <= MAX_FOLDER && self.files <= MAX_FILES
    }

    /// Returns whether enough is free that the next file does not cause another scan.
    fn leaves_room(self) -> bool {
        self.bytes <= MAX_FOLDER / 4 * 3 && self.files <= MAX_FILES / 4 * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str, length: u64, age: u64) {
        let file = File::create(folder.join(name)).unwrap();
        file.set_len(length).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_oldest_go_where_there_is_too_much_and_so_does_what_was_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let quarter = MAX_FOLDER / 4;
        // The files are sparse and take no disk space.
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|name| name.repeat(32));
        put(folder, &a, quarter, 10);
        put(folder, &b, quarter, 40);
        put(folder, &c, quarter, 30);
        put(folder, "c.1.tmp", 1, 4000);
        put(folder, "d.2.tmp", 1, 10);
        // Not a kept file: an operator may have named a folder with other files.
        put(folder, "index.js", 4 * quarter, 5000);
        let size = settle(folder, None, quarter).unwrap();
        assert_eq!(size, Size { bytes: 3 * quarter, files: 3 });
        assert_eq!(names(folder), [&a, &b, &c, "d.2.tmp", "index.js"]);
        // The known size is used as long as there is room.
        put(folder, &d, quarter, 0);
        assert_eq!(settle(folder, Some(size), quarter).unwrap(), Size { bytes: 4 * quarter, files: 4 });
        put(folder, &e, 1, 0);
        let size = settle(folder, Some(Size { bytes: 4 * quarter, files: 4 }), 1).unwrap();
        assert_eq!(size, Size { bytes: 2 * quarter + 1, files: 3 });
        assert_eq!(names(folder), [&a, "d.2.tmp", &d, &e, "index.js"]);
    }

    #[tokio::test]
    async fn a_draft_takes_no_place_that_is_taken_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("name");
        fs::write(folder.path().join("other"), "untouched").unwrap();
        std::os::unix::fs::symlink("other", &goal).unwrap();
        drop(write(None, goal.clone(), BytesMut::from(&b"half"[..])).await.unwrap());
        assert_eq!(names(folder.path()), ["name", "other"]);
        let draft = write(None, goal.clone(), BytesMut::from(&b"whole"[..])).await.unwrap();
        write(Some(draft), goal.clone(), BytesMut::from(&b", and more"[..]))
            .await
            .unwrap()
            .complete()
            .unwrap();
        assert_eq!(names(folder.path()), ["name", "other"]);
        assert!(!goal.is_symlink(), "it was replaced, and not followed");
        assert_eq!(fs::read_to_string(goal).unwrap(), "whole, and more");
        assert_eq!(fs::read_to_string(folder.path().join("other")).unwrap(), "untouched");
    }
}
