//! Scans, hashes and copies the folder of an app.
//!
//! The digest covers paths, kinds, executable bits, link targets and contents. Owners, times and other permissions are
//! neither hashed nor copied.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::stat::SFlag;
use sha2::{Digest as _, Sha256};

use super::error::{CopyError, DigestError};
use crate::untrusted::beneath::Beneath;

/// Size of the read buffer, in bytes.
const CHUNK: usize = 256 * 1024;

/// The kernel follows at most this many symlinks while it resolves a path.
const LINKS: usize = 40;

/// Size limits of a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Files, folders and symlinks together.
    pub entries: usize,
    /// Total size of all files, in bytes.
    pub bytes: u64,
}

/// The limits of a deploy: far above an app with all its packages.
pub(crate) const LIMITS: Limits = Limits { entries: 250_000, bytes: 2 * 1024 * 1024 * 1024 };

/// SHA-256 of a folder, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(DigestError(text.to_owned()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One entry of a folder.
#[derive(Debug, PartialEq, Eq)]
enum TreeEntry {
    Folder,
    File { is_executable: bool },
    Link(PathBuf),
}

/// A scanned folder.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    opened: Beneath,
    limits: Limits,
    /// By relative path. In this order, a folder comes before its contents.
    entries: BTreeMap<PathBuf, TreeEntry>,
}

/// The result of hashing a folder.
#[derive(Debug)]
pub(crate) struct FolderDigest {
    pub digest: Digest,
    /// Number of files.
    pub files: usize,
    /// Their total size, in bytes.
    pub bytes: u64,
}

impl Tree {
    /// Lists the folder at `root`, an absolute path without symlinks.
    ///
    /// # Errors
    /// What cannot be read or copied, or which limit is exceeded.
    pub(crate) fn scan(root: &Path, limits: Limits, is_cancelled: &AtomicBool) -> Result<Self, CopyError> {
        let opened = Beneath::open(root).map_err(|error| CopyError::unreadable(root, error))?;
        let mut tree = Self { root: root.to_owned(), opened, limits, entries: BTreeMap::new() };
        let mut pending = vec![PathBuf::new()];
        let mut bytes = 0;
        while let Some(folder) = pending.pop() {
            check_cancelled(is_cancelled)?;
            let path = root.join(&folder);
            for found in tree.opened.entries(&folder).map_err(|error| CopyError::unreadable(&path, error))? {
                let found = found.map_err(|error| CopyError::unreadable(&path, error))?;
                let path = folder.join(found.file_name());
                let (entry, size) = tree.entry(&path)?;
                bytes += size;
                if entry == TreeEntry::Folder {
                    pending.push(path.clone());
                }
                tree.entries.insert(path, entry);
                tree.within_limits(bytes)?;
            }
        }
        tree.check_resolved_links()?;
        Ok(tree)
    }

    fn within_limits(&self, bytes: u64) -> Result<(), CopyError> {
        let Limits { entries, bytes: most } = self.limits;
        let fix = "fix: leave out what the app does not need";
        let root = self.root.display();
        if self.entries.len() > entries {
            return Err(CopyError::Folder(format!(
                "{root} holds more than {entries} files and folders; {fix}"
            )));
        }
        if bytes > most {
            return Err(CopyError::Folder(format!(
                "{root} holds more than {}; {fix}",
                bytesize::ByteSize(most)
            )));
        }
        Ok(())
    }

    /// The entry at `path`, and its size in bytes.
    fn entry(&mut self, path: &Path) -> Result<(TreeEntry, u64), CopyError> {
        let full = self.root.join(path);
        let found = self.opened.look(path).map_err(|error| CopyError::unreadable(&full, error))?;
        let what = match SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFDIR => return Ok((TreeEntry::Folder, 0)),
            SFlag::S_IFREG => {
                let is_executable = found.st_mode & 0o100 != 0;
                return Ok((
                    TreeEntry::File { is_executable },
                    u64::try_from(found.st_size).unwrap_or_default(),
                ));
            }
            SFlag::S_IFLNK => {
                let target = self.opened.target(path).map_err(|error| CopyError::unreadable(&full, error))?;
                self.check_link(path, &target)?;
                return Ok((TreeEntry::Link(target), 0));
            }
            SFlag::S_IFSOCK => "a socket",
            SFlag::S_IFIFO => "a named pipe",
            _ => "a device",
        };
        let full = full.display();
        Err(CopyError::Folder(format!(
            "{full} is {what}, which cannot be copied; fix: remove it from the folder"
        )))
    }

    /// Refuses symlinks whose text leads out of the folder: a copy must not depend on anything outside.
    fn check_link(&self, path: &Path, target: &Path) -> Result<(), CopyError> {
        if target.is_absolute() {
            let (shown, aim) = (self.root.join(path), target.display());
            let fix = "make it relative, or copy there what it leads to";
            return Err(CopyError::Folder(format!(
                "{} is a symlink to an absolute path, {aim}; fix: {fix}",
                shown.display()
            )));
        }
        if stays_inside(&path.parent().unwrap_or(Path::new("")).join(target)) {
            return Ok(());
        }
        Err(self.escape_error(path, target))
    }

    /// Refuses symlinks that lead out through other symlinks although their own text does not.
    fn check_resolved_links(&self) -> Result<(), CopyError> {
        for (path, entry) in &self.entries {
            if let TreeEntry::Link(target) = entry
                && self.escapes(path, target)
            {
                return Err(self.escape_error(path, target));
            }
        }
        Ok(())
    }

    /// Whether a symlink resolves to a path above the folder. Resolves it among the scanned entries as the kernel would.
    fn escapes(&self, path: &Path, target: &Path) -> bool {
        let mut at = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut left: VecDeque<_> = target.components().map(|part| part.as_os_str().to_owned()).collect();
        let mut followed = 0;
        while let Some(part) = left.pop_front() {
            match part.as_encoded_bytes() {
                b"." => {}
                b".." if !at.pop() => return true,
                b".." => {}
                _ => at.push(&part),
            }
            if let Some(TreeEntry::Link(next)) = self.entries.get(&at) {
                followed += 1;
                // The kernel would fail with ELOOP: harmless.
                if followed > LINKS {
                    return false;
                }
                at.pop();
                next.components().rev().for_each(|part| left.push_front(part.as_os_str().to_owned()));
            }
        }
        false
    }

    fn escape_error(&self, path: &Path, target: &Path) -> CopyError {
        let (shown, aim) = (self.root.join(path), target.display());
        let fix = "copy there what it leads to";
        CopyError::Folder(format!(
            "{} is a symlink that leads out of the folder, to {aim}; fix: {fix}",
            shown.display()
        ))
    }

    /// Reads and hashes all files.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn digest(&mut self, is_cancelled: &AtomicBool) -> Result<FolderDigest, CopyError> {
        self.read(None, is_cancelled)
    }

    /// Copies everything into the new folder `to`. The digest is that of the copy.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub(crate) fn copy(&mut self, to: &Path, is_cancelled: &AtomicBool) -> Result<FolderDigest, CopyError> {
        let made = DirBuilder::new().mode(0o700).create(to);
        made.map_err(|error| CopyError::unwritable(to, error))?;
        self.read(Some(to), is_cancelled)
    }

    fn read(&mut self, to: Option<&Path>, is_cancelled: &AtomicBool) -> Result<FolderDigest, CopyError> {
        let (mut all, mut files, mut bytes) = (Sha256::new(), 0, 0);
        let entries = std::mem::take(&mut self.entries);
        let done = self.read_entries(&entries, to, &mut all, (&mut files, &mut bytes), is_cancelled);
        self.entries = entries;
        done?;
        let digest = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(FolderDigest { digest: Digest(digest), files, bytes })
    }

    fn read_entries(
        &mut self,
        entries: &BTreeMap<PathBuf, TreeEntry>,
        to: Option<&Path>,
        all: &mut Sha256,
        (files, bytes): (&mut usize, &mut u64),
        is_cancelled: &AtomicBool,
    ) -> Result<(), CopyError> {
        for (path, entry) in entries {
            let copy = to.map(|to| to.join(path));
            // Every part is hashed with its length, so that different folders never give the same input.
            add(all, path.as_os_str().as_bytes());
            match entry {
                TreeEntry::Folder => {
                    add(all, b"folder");
                    if let Some(copy) = &copy {
                        let made = DirBuilder::new().mode(0o700).create(copy);
                        made.map_err(|error| CopyError::unwritable(copy, error))?;
                    }
                }
                TreeEntry::Link(target) => {
                    add(all, b"link");
                    add(all, target.as_os_str().as_bytes());
                    if let Some(copy) = &copy {
                        symlink(target, copy).map_err(|error| CopyError::unwritable(copy, error))?;
                    }
                }
                TreeEntry::File { is_executable } => {
                    add(all, if *is_executable { b"program" } else { b"file" });
                    let mode = if *is_executable { 0o500 } else { 0o400 };
                    let contents = self.read_file(path, copy.as_deref(), mode, bytes, is_cancelled)?;
                    add(all, &contents);
                    *files += 1;
                }
            }
        }
        Ok(())
    }

    /// Hashes a file and, if given, writes it to `copy`.
    fn read_file(
        &mut self,
        path: &Path,
        copy: Option<&Path>,
        mode: u32,
        bytes: &mut u64,
        is_cancelled: &AtomicBool,
    ) -> Result<[u8; 32], CopyError> {
        let full = self.root.join(path);
        let mut file = self.opened.file(path).map_err(|error| CopyError::unreadable(&full, error))?;
        let create = |copy: &Path| OpenOptions::new().write(true).create_new(true).mode(mode).open(copy);
        let mut copy = match copy {
            Some(copy) => Some((create(copy).map_err(|error| CopyError::unwritable(copy, error))?, copy)),
            None => None,
        };
        let (mut digest, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
        loop {
            check_cancelled(is_cancelled)?;
            let count = file.read(&mut chunk).map_err(|error| CopyError::unreadable(&full, error))?;
            let read = chunk.get(..count).unwrap_or_default();
            if read.is_empty() {
                return Ok(digest.finalize().into());
            }
            *bytes += count as u64;
            self.within_limits(*bytes)?;
            digest.update(read);
            if let Some((copy, path)) = &mut copy {
                copy.write_all(read).map_err(|error| CopyError::unwritable(path, error))?;
            }
        }
    }
}

/// Flushes the file system of `folder` to disk. One call, instead of one for each of thousands of files.
///
/// # Errors
/// If the folder cannot be opened or flushed.
pub(crate) fn sync_all_below(folder: &Path) -> io::Result<()> {
    Ok(nix::unistd::syncfs(File::open(folder)?)?)
}

/// Whether a relative path stays inside, judged by its text alone.
fn stays_inside(path: &Path) -> bool {
    let mut depth = 0_usize;
    for part in path.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

fn add(digest: &mut Sha256, part: &[u8]) {
    digest.update((part.len() as u64).to_le_bytes());
    digest.update(part);
}

fn check_cancelled(is_cancelled: &AtomicBool) -> Result<(), CopyError> {
    if is_cancelled.load(Ordering::Relaxed) { Err(CopyError::Cancelled) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
