//! One static file: what it is, and whether it is still what it was when it was found.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::header::HeaderValue;
use nix::sys::stat::FileStat;

use super::coding::{self, CODINGS, Coding};

/// After how many seconds the time of a change tells it from the next one.
const SETTLED: u64 = 2;

/// A file of the index, with all that a response says of it.
#[derive(Debug)]
pub(crate) struct AssetFile {
    /// Relative to the folder. It contains no symlink.
    pub(super) path: PathBuf,
    pub(super) identity: FileIdentity,
    /// Whether a change after it was last read must have changed its identity.
    pub(super) is_settled: AtomicBool,
    /// Its strong entity tag, made of its contents.
    pub tag: HeaderValue,
    pub media_type: Option<HeaderValue>,
    /// Whether it may be compressed.
    pub is_compressible: bool,
    pub(super) kept: OnceLock<Bytes>,
    /// Its compressed forms, once they were asked for: `None` for one that is not worth it.
    coded: [OnceLock<Option<Bytes>>; CODINGS.len()],
    /// Whether it could not be read, and that was logged.
    is_reported: AtomicBool,
}

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    place: (u64, u64),
    pub(super) length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileIdentity {
    pub(super) fn of(found: &Metadata) -> Self {
        Self {
            place: (found.dev(), found.ino()),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    pub(super) fn of_stat(found: &FileStat) -> Self {
        Self {
            place: (found.st_dev, found.st_ino),
            length: u64::try_from(found.st_size).unwrap_or_default(),
            modified: (found.st_mtime, found.st_mtime_nsec),
            changed: (found.st_ctime, found.st_ctime_nsec),
        }
    }

    /// Whether nothing was written meanwhile. The file may have been renamed or deleted.
    fn has_same_contents(&self, other: &Self) -> bool {
        (self.place, self.length, self.modified) == (other.place, other.length, other.modified)
    }

    /// Whether the file was last changed so long ago that another change has another time: clocks of file systems are coarse.
    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        u64::try_from(self.changed.0).is_ok_and(|changed| changed + SETTLED < now)
    }
}

impl AssetFile {
    pub(super) fn new(
        path: PathBuf,
        identity: FileIdentity,
        digest: [u8; 16],
        media_type: Option<HeaderValue>,
    ) -> Self {
        let tag = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let tag = HeaderValue::try_from(format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self {
            is_compressible: coding::is_compressible(media_type.as_ref(), identity.length),
            path,
            is_settled: AtomicBool::new(identity.is_settled()),
            identity,
            tag,
            media_type,
            kept: OnceLock::new(),
            coded: Default::default(),
            is_reported: AtomicBool::new(false),
        }
    }

    /// Returns the digest of its contents, in hexadecimal digits.
    pub(super) fn digest(&self) -> &str {
        self.tag.to_str().unwrap_or_default().trim_matches('"')
    }

    pub(crate) fn length(&self) -> u64 {
        self.identity.length
    }

    /// Returns whether a file that has this identity has the contents that were read.
    pub(super) fn is_surely(&self, identity: &FileIdentity) -> bool {
        self.is_settled.load(Ordering::Relaxed) && self.identity == *identity
    }

    /// Notes that it was read again, and had not changed.
    pub(super) fn read_again(&self) {
        self.is_settled.store(self.identity.is_settled(), Ordering::Relaxed);
    }

    /// Whether this is the same file, unchanged.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity && self.path == other.path && self.tag == other.tag
    }

    /// Whether its contents or a compressed form are in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.kept.get().is_some() || self.coded.iter().any(|coded| coded.get().is_some())
    }

    /// Has what another file with the same contents has in memory.
    pub(super) fn take_over(&self, same: &Self) {
        for (own, theirs) in self.coded.iter().zip(&same.coded) {
            if let Some(coded) = theirs.get() {
                own.get_or_init(|| coded.clone());
            }
        }
        if let Some(contents) = same.kept.get() {
            self.kept.get_or_init(|| contents.clone());
        }
    }

    /// Returns its contents if they are in memory.
    pub(crate) fn kept(&self) -> Option<&Bytes> {
        self.kept.get()
    }

    /// Returns the place of a compressed form.
    pub(crate) fn coded(&self, coding: Coding) -> &OnceLock<Option<Bytes>> {
        let [brotli, zstandard, gzip] = &self.coded;
        match coding {
            Coding::Brotli => brotli,
            Coding::Zstandard => zstandard,
            Coding::Gzip => gzip,
        }
    }

    /// Returns whether it is the first time that the file could not be read.
    pub(crate) fn report(&self) -> bool {
        !self.is_reported.swap(true, Ordering::Relaxed)
    }

    /// Fails if the open file is not what it was when the folder was read.
    pub(super) fn check(&self, opened: &File) -> io::Result<()> {
        unchanged(FileIdentity::of(&opened.metadata()?) == self.identity)
    }

    /// Fails if the open file was written to since. It may be deleted while it is sent, as by a deploy.
    pub(super) fn check_contents(&self, opened: &File) -> io::Result<()> {
        unchanged(FileIdentity::of(&opened.metadata()?).has_same_contents(&self.identity))
    }
}

fn unchanged(is_unchanged: bool) -> io::Result<()> {
    let why = "it has changed since the app's files were read; fix: nano-supervisor reload";
    if is_unchanged { Ok(()) } else { Err(io::Error::other(why)) }
}

/// Files with the same content are equal.
impl PartialEq for AssetFile {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_change_counts_once_it_is_past() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let file = |changed: u64| {
            let changed = (i64::try_from(changed).unwrap(), 0);
            let identity = FileIdentity { place: (0, 0), length: 0, modified: (0, 0), changed };
            AssetFile::new("a".into(), identity, [0; 16], None)
        };
        let new = file(now + 60);
        new.read_again();
        assert!(!new.is_surely(&new.identity), "the next change may have the same time");
        let old = file(now - 60);
        assert!(old.is_surely(&old.identity) && !old.is_surely(&new.identity));
        old.is_settled.store(false, Ordering::Relaxed);
        assert!(!old.is_surely(&old.identity));
        old.read_again();
        assert!(old.is_surely(&old.identity));
    }
}
