//! A folder as deploys see it: what is in it, the digest of that, and a copy.
//!
//! The digest is over paths, kinds, executable bits, link targets and contents; owners, times and other permissions do not
//! count, and are not copied.

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

use crate::beneath::Beneath;

/// How much of a file is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// Symlinks on the way of one, beyond which the kernel does not follow it.
const LINKS: usize = 40;

/// How large a folder may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files, folders and symlinks together.
    pub entries: usize,
    /// Contents of all files together, in bytes.
    pub bytes: u64,
}

/// What a deploy may hold at most: far more than an app with all its packages.
pub const LIMITS: Limits = Limits { entries: 250_000, bytes: 2 * 1024 * 1024 * 1024 };

/// SHA-256 of a folder, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is no digest (64 hexadecimal digits)"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a path in a folder is.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Folder,
    File { is_executable: bool },
    Link(PathBuf),
}

/// What is in a folder.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    opened: Beneath,
    limits: Limits,
    /// By their paths in the folder, in their order: a folder comes before what is in it.
    entries: BTreeMap<PathBuf, Entry>,
}

/// What was read of a folder.
#[derive(Debug)]
pub struct Seen {
    /// The digest of everything.
    pub digest: Digest,
    /// How many files there are.
    pub files: usize,
    /// Their contents together, in bytes.
    pub bytes: u64,
}

impl Tree {
    /// Looks through the folder at `root`, an absolute path without symlinks.
    ///
    /// # Errors
    /// What cannot be read or copied, or which limit it is over; for people.
    pub fn scan(root: &Path, limits: Limits, is_cancelled: &AtomicBool) -> Result<Self, String> {
        let opened = Beneath::open(root).map_err(|error| unreadable(root, &error))?;
        let mut tree = Self { root: root.to_owned(), opened, limits, entries: BTreeMap::new() };
        let mut pending = vec![PathBuf::new()];
        let mut bytes = 0;
        while let Some(folder) = pending.pop() {
            go_on(is_cancelled)?;
            let path = root.join(&folder);
            for found in tree.opened.entries(&folder).map_err(|error| unreadable(&path, &error))? {
                let found = found.map_err(|error| unreadable(&path, &error))?;
                let path = folder.join(found.file_name());
                let (entry, size) = tree.entry(&path)?;
                bytes += size;
                if entry == Entry::Folder {
                    pending.push(path.clone());
                }
                tree.entries.insert(path, entry);
                tree.within_limits(bytes)?;
            }
        }
        tree.check_ways()?;
        Ok(tree)
    }

    fn within_limits(&self, bytes: u64) -> Result<(), String> {
        let Limits { entries, bytes: most } = self.limits;
        let fix = "fix: leave out what the app does not need";
        let root = self.root.display();
        if self.entries.len() > entries {
            return Err(format!("{root} holds more than {entries} files and folders; {fix}"));
        }
        if bytes > most {
            return Err(format!("{root} holds more than {}; {fix}", bytesize::ByteSize(most)));
        }
        Ok(())
    }

    /// What `path` is, and its size in bytes.
    fn entry(&mut self, path: &Path) -> Result<(Entry, u64), String> {
        let full = self.root.join(path);
        let found = self.opened.look(path).map_err(|error| unreadable(&full, &error))?;
        let what = match SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFDIR => return Ok((Entry::Folder, 0)),
            SFlag::S_IFREG => {
                let is_executable = found.st_mode & 0o100 != 0;
                return Ok((Entry::File { is_executable }, u64::try_from(found.st_size).unwrap_or_default()));
            }
            SFlag::S_IFLNK => {
                let target = self.opened.target(path).map_err(|error| unreadable(&full, &error))?;
                self.check_link(path, &target)?;
                return Ok((Entry::Link(target), 0));
            }
            SFlag::S_IFSOCK => "a socket",
            SFlag::S_IFIFO => "a named pipe",
            _ => "a device",
        };
        let full = full.display();
        Err(format!("{full} is {what}, which cannot be copied; fix: remove it from the folder"))
    }

    /// A copy must not depend on anything outside of it.
    fn check_link(&self, path: &Path, target: &Path) -> Result<(), String> {
        if target.is_absolute() {
            let (shown, aim) = (self.root.join(path), target.display());
            let fix = "make it relative, or copy there what it leads to";
            return Err(format!("{} is a symlink to an absolute path, {aim}; fix: {fix}", shown.display()));
        }
        if stays_inside(&path.parent().unwrap_or(Path::new("")).join(target)) {
            return Ok(());
        }
        Err(self.leads_out(path, target))
    }

    /// Other symlinks on its way may lead a symlink out although its text does not.
    fn check_ways(&self) -> Result<(), String> {
        for (path, entry) in &self.entries {
            if let Entry::Link(target) = entry
                && self.goes_out(path, target)
            {
                return Err(self.leads_out(path, target));
            }
        }
        Ok(())
    }

    /// Whether a symlink goes above the folder, as the kernel would follow it among what was found.
    fn goes_out(&self, path: &Path, target: &Path) -> bool {
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
            if let Some(Entry::Link(next)) = self.entries.get(&at) {
                followed += 1;
                // It leads nowhere, which harms nobody.
                if followed > LINKS {
                    return false;
                }
                at.pop();
                next.components().rev().for_each(|part| left.push_front(part.as_os_str().to_owned()));
            }
        }
        false
    }

    fn leads_out(&self, path: &Path, target: &Path) -> String {
        let (shown, aim) = (self.root.join(path), target.display());
        let fix = "copy there what it leads to";
        format!("{} is a symlink that leads out of the folder, to {aim}; fix: {fix}", shown.display())
    }

    /// Reads everything.
    ///
    /// # Errors
    /// What cannot be read; for people.
    pub fn digest(&mut self, is_cancelled: &AtomicBool) -> Result<Seen, String> {
        self.read(None, is_cancelled)
    }

    /// Copies everything into the folder `to`, which is made. The digest is that of what was written.
    ///
    /// # Errors
    /// What cannot be read or written; for people.
    pub fn copy(&mut self, to: &Path, is_cancelled: &AtomicBool) -> Result<Seen, String> {
        let made = DirBuilder::new().mode(0o700).create(to);
        made.map_err(|error| unwritable(to, &error))?;
        self.read(Some(to), is_cancelled)
    }

    fn read(&mut self, to: Option<&Path>, is_cancelled: &AtomicBool) -> Result<Seen, String> {
        let (mut all, mut files, mut bytes) = (Sha256::new(), 0, 0);
        let entries = std::mem::take(&mut self.entries);
        let done = self.read_entries(&entries, to, &mut all, (&mut files, &mut bytes), is_cancelled);
        self.entries = entries;
        done?;
        let digest = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Seen { digest: Digest(digest), files, bytes })
    }

    fn read_entries(
        &mut self,
        entries: &BTreeMap<PathBuf, Entry>,
        to: Option<&Path>,
        all: &mut Sha256,
        (files, bytes): (&mut usize, &mut u64),
        is_cancelled: &AtomicBool,
    ) -> Result<(), String> {
        for (path, entry) in entries {
            let copy = to.map(|to| to.join(path));
            // Every part with its length: no two folders have the same parts.
            add(all, path.as_os_str().as_bytes());
            match entry {
                Entry::Folder => {
                    add(all, b"folder");
                    if let Some(copy) = &copy {
                        let made = DirBuilder::new().mode(0o700).create(copy);
                        made.map_err(|error| unwritable(copy, &error))?;
                    }
                }
                Entry::Link(target) => {
                    add(all, b"link");
                    add(all, target.as_os_str().as_bytes());
                    if let Some(copy) = &copy {
                        symlink(target, copy).map_err(|error| unwritable(copy, &error))?;
                    }
                }
                Entry::File { is_executable } => {
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

    /// The digest of a file, which is written to `copy` meanwhile.
    fn read_file(
        &mut self,
        path: &Path,
        copy: Option<&Path>,
        mode: u32,
        bytes: &mut u64,
        is_cancelled: &AtomicBool,
    ) -> Result<[u8; 32], String> {
        let full = self.root.join(path);
        let mut file = self.opened.file(path).map_err(|error| unreadable(&full, &error))?;
        let create = |copy: &Path| OpenOptions::new().write(true).create_new(true).mode(mode).open(copy);
        let mut copy = match copy {
            Some(copy) => Some((create(copy).map_err(|error| unwritable(copy, &error))?, copy)),
            None => None,
        };
        let (mut digest, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
        loop {
            go_on(is_cancelled)?;
            let count = file.read(&mut chunk).map_err(|error| unreadable(&full, &error))?;
            let read = chunk.get(..count).unwrap_or_default();
            if read.is_empty() {
                return Ok(digest.finalize().into());
            }
            *bytes += count as u64;
            self.within_limits(*bytes)?;
            digest.update(read);
            if let Some((copy, path)) = &mut copy {
                copy.write_all(read).map_err(|error| unwritable(path, &error))?;
            }
        }
    }
}

/// Has the kernel write everything below `folder` to the disk: one call, where a folder of packages has thousands of files.
///
/// # Errors
/// What the kernel says.
pub fn sync_all_below(folder: &Path) -> io::Result<()> {
    Ok(nix::unistd::syncfs(File::open(folder)?)?)
}

/// Whether a path that is relative to a folder stays in it, by its text.
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

fn go_on(is_cancelled: &AtomicBool) -> Result<(), String> {
    if is_cancelled.load(Ordering::Relaxed) { Err("the supervisor is about to end".into()) } else { Ok(()) }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    format!("cannot read {path}: {error}; fix: make it readable for the supervisor's user, and deploy again")
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}; fix: make room or give the right to write there", path.display())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::thread;

    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

    use super::*;

    static ON: AtomicBool = AtomicBool::new(false);

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn scan(dir: &tempfile::TempDir) -> Result<Tree, String> {
        let root = dir.path().canonicalize().unwrap();
        let scanned = Tree::scan(&root, LIMITS, &ON);
        scanned.map_err(|error| error.replace(root.to_str().unwrap(), "DIR"))
    }

    fn digest(dir: &tempfile::TempDir) -> Digest {
        scan(dir).unwrap().digest(&ON).unwrap().digest
    }

    #[test]
    fn a_copy_has_the_digest_of_its_source_and_nobody_may_change_it() {
        let dir = tree(&[("index.js", "a"), ("node_modules/x/run", "b"), ("empty/.keep", "")]);
        fs::set_permissions(dir.path().join("node_modules/x/run"), fs::Permissions::from_mode(0o755))
            .unwrap();
        symlink("../node_modules/x/run", dir.path().join("empty/run")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        let to = tempfile::tempdir().unwrap();
        let copy = to.path().join("copy");
        let seen = scan(&dir).unwrap().copy(&copy, &ON).unwrap();
        assert_eq!((seen.files, seen.bytes, &seen.digest), (3, 2, &digest(&dir)));
        assert_eq!(Tree::scan(&copy, LIMITS, &ON).unwrap().digest(&ON).unwrap().digest, seen.digest);
        assert_eq!(fs::read_to_string(copy.join("empty/run")).unwrap(), "b");
        let mode = |path: &str| fs::metadata(copy.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(""), mode("index.js"), mode("node_modules/x/run")], [0o700, 0o400, 0o500]);
        sync_all_below(&copy).unwrap();
    }

    #[test]
    fn whatever_differs_makes_another_digest() {
        let files = [("a", "1"), ("b/c", "2")];
        let first = digest(&tree(&files));
        assert_eq!(digest(&tree(&files)), first);
        for other in [
            &[("a", "1"), ("b/c", "3")][..],
            &[("a", "1"), ("b/d", "2")],
            &[("a", "1"), ("bc", "2")],
            &[("a", "1"), ("b/c", "2"), ("d", "")],
        ] {
            assert_ne!(digest(&tree(other)), first, "{other:?}");
        }
        let changed = tree(&files);
        fs::create_dir(changed.path().join("d")).unwrap();
        assert_ne!(digest(&changed), first);
        let changed = tree(&files);
        fs::set_permissions(changed.path().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(digest(&changed), first);
        // Other permissions do not count.
        fs::set_permissions(changed.path().join("a"), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(digest(&changed), first);
    }

    #[test]
    fn links_must_stay_inside() {
        let link = |path: &str, target: &str| {
            let dir = tree(&[("a/b", "")]);
            symlink(target, dir.path().join(path)).unwrap();
            scan(&dir).map(|_| ())
        };
        for (path, target) in [("x", "a/b"), ("a/x", "../a/b"), ("a/x", "."), ("x", "none")] {
            assert_eq!(link(path, target), Ok(()), "{path} {target}");
        }
        for (path, target) in [("x", ".."), ("a/x", "../../x"), ("x", "a/../../none")] {
            let expected = format!(
                "DIR/{path} is a symlink that leads out of the folder, to {target}; fix: copy there what it leads to"
            );
            assert_eq!(link(path, target), Err(expected));
        }
        assert_eq!(
            link("x", "/etc"),
            Err("DIR/x is a symlink to an absolute path, /etc; fix: make it relative, or copy there what it leads to"
                .into())
        );
    }

    #[test]
    fn links_must_stay_inside_on_all_their_ways() {
        let dir = tree(&[("sub/file", "")]);
        symlink(".", dir.path().join("sub/here")).unwrap();
        symlink("sub/here/here/file", dir.path().join("fine")).unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        assert!(scan(&dir).is_ok());
        symlink("here/../../secret", dir.path().join("sub/x")).unwrap();
        let expected = "DIR/sub/x is a symlink that leads out of the folder, to here/../../secret; fix: copy there what it leads to";
        assert_eq!(scan(&dir).unwrap_err(), expected);
    }

    /// Somebody exchanges a folder and a file of the app for symlinks, as fast as possible, while they are deployed.
    #[test]
    fn what_becomes_a_symlink_meanwhile_is_not_followed() {
        let dir = tree(&[("app/data/file", "inside"), ("app/single", "inside"), ("secret/file", "outside")]);
        let root = dir.path().canonicalize().unwrap();
        symlink("../secret", root.join("folder-link")).unwrap();
        symlink("../secret/file", root.join("file-link")).unwrap();
        let is_over = AtomicBool::new(false);
        let exchange = |one: &str, other: &str| {
            let (one, other) = (root.join(one), root.join(other));
            renameat2(AT_FDCWD, &one, AT_FDCWD, &other, RenameFlags::RENAME_EXCHANGE).unwrap();
        };
        let copied = thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    exchange("app/data", "folder-link");
                    exchange("app/single", "file-link");
                }
            });
            let mut copied = 0;
            for turn in 0..2000 {
                let copy = root.join(format!("copy-{turn}"));
                let done =
                    Tree::scan(&root.join("app"), LIMITS, &ON).and_then(|mut tree| tree.copy(&copy, &ON));
                copied += usize::from(done.is_ok());
                for file in ["data/file", "single"] {
                    let is_file = fs::symlink_metadata(copy.join(file)).is_ok_and(|found| found.is_file());
                    let text = is_file.then(|| fs::read_to_string(copy.join(file)).unwrap());
                    // A copy that was cut off may hold nothing yet.
                    assert!(text.is_none_or(|text| text.is_empty() || text == "inside"), "turn {turn}");
                }
                let _ = fs::remove_dir_all(&copy);
            }
            is_over.store(true, Ordering::Relaxed);
            copied
        });
        // Between the exchanges there is something to copy.
        assert!(copied > 0);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let dir = tree(&[("a", "123"), ("b", "456")]);
        let scan = |entries, bytes| {
            let root = dir.path().canonicalize().unwrap();
            let scanned = Tree::scan(&root, Limits { entries, bytes }, &ON).map(|_| ());
            scanned.map_err(|error| error.replace(root.to_str().unwrap(), "DIR"))
        };
        let fix = "fix: leave out what the app does not need";
        assert_eq!(scan(2, 6), Ok(()));
        assert_eq!(scan(1, 6), Err(format!("DIR holds more than 1 files and folders; {fix}")));
        assert_eq!(scan(2, 5), Err(format!("DIR holds more than 5 B; {fix}")));
        // A file may have grown since it was looked at.
        let limits = Limits { entries: 2, bytes: 6 };
        let mut scanned = Tree::scan(dir.path(), limits, &ON).unwrap();
        fs::write(dir.path().join("a"), "1234").unwrap();
        assert!(scanned.digest(&ON).unwrap_err().contains("holds more than 6 B"));
    }

    #[test]
    fn it_ends_when_nobody_waits_for_it_any_more() {
        let dir = tree(&[("a", "1")]);
        let mut scanned = scan(&dir).unwrap();
        let off = AtomicBool::new(true);
        assert_eq!(scanned.digest(&off).unwrap_err(), "the supervisor is about to end");
        assert!(Tree::scan(dir.path(), LIMITS, &off).is_err());
    }
}
