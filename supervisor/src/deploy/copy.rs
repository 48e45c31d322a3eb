//! A folder as deploys see it: what is in it, the digest of that, and a copy.
//!
//! The digest is over paths, kinds, executable bits, link targets and contents; owners, times and other permissions do not
//! count, and are not copied.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, symlink,
};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;
use sha2::{Digest as _, Sha256};

/// How much of a file is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

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
        let mut tree = Self { root: root.to_owned(), limits, entries: BTreeMap::new() };
        let mut pending = vec![PathBuf::new()];
        let mut bytes = 0;
        while let Some(folder) = pending.pop() {
            go_on(is_cancelled)?;
            let path = root.join(&folder);
            for found in fs::read_dir(&path).map_err(|error| unreadable(&path, &error))? {
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
    fn entry(&self, path: &Path) -> Result<(Entry, u64), String> {
        let full = self.root.join(path);
        let found = fs::symlink_metadata(&full).map_err(|error| unreadable(&full, &error))?;
        let kind = found.file_type();
        if kind.is_dir() {
            return Ok((Entry::Folder, 0));
        }
        if kind.is_file() {
            return Ok((Entry::File { is_executable: found.mode() & 0o100 != 0 }, found.len()));
        }
        if kind.is_symlink() {
            let target = fs::read_link(&full).map_err(|error| unreadable(&full, &error))?;
            self.check_link(path, &target)?;
            return Ok((Entry::Link(target), 0));
        }
        let what = match () {
            () if kind.is_socket() => "a socket",
            () if kind.is_fifo() => "a named pipe",
            () => "a device",
        };
        let full = full.display();
        Err(format!("{full} is {what}, which cannot be copied; fix: remove it from the folder"))
    }

    /// A copy must not depend on anything outside of it.
    fn check_link(&self, path: &Path, target: &Path) -> Result<(), String> {
        let full = self.root.join(path);
        let (shown, aim) = (full.display(), target.display());
        if target.is_absolute() {
            let fix = "make it relative, or copy there what it leads to";
            return Err(format!("{shown} is a symlink to an absolute path, {aim}; fix: {fix}"));
        }
        let parent = path.parent().unwrap_or(Path::new(""));
        let is_inside = match full.canonicalize() {
            Ok(real) => real.starts_with(&self.root),
            // It leads nowhere, which harms nobody, unless that is elsewhere.
            Err(_) => stays_inside(&parent.join(target)),
        };
        if is_inside && stays_inside(&parent.join(target)) {
            return Ok(());
        }
        let fix = "copy there what it leads to";
        Err(format!("{shown} is a symlink that leads out of the folder, to {aim}; fix: {fix}"))
    }

    /// Reads everything.
    ///
    /// # Errors
    /// What cannot be read; for people.
    pub fn digest(&self, is_cancelled: &AtomicBool) -> Result<Seen, String> {
        self.read(None, is_cancelled)
    }

    /// Copies everything into the folder `to`, which is made. The digest is that of what was written.
    ///
    /// # Errors
    /// What cannot be read or written; for people.
    pub fn copy(&self, to: &Path, is_cancelled: &AtomicBool) -> Result<Seen, String> {
        let made = DirBuilder::new().mode(0o700).create(to);
        made.map_err(|error| unwritable(to, &error))?;
        self.read(Some(to), is_cancelled)
    }

    fn read(&self, to: Option<&Path>, is_cancelled: &AtomicBool) -> Result<Seen, String> {
        let (mut all, mut files, mut bytes) = (Sha256::new(), 0, 0);
        for (path, entry) in &self.entries {
            let copy = to.map(|to| to.join(path));
            // Every part with its length: no two folders have the same parts.
            add(&mut all, path.as_os_str().as_bytes());
            match entry {
                Entry::Folder => {
                    add(&mut all, b"folder");
                    if let Some(copy) = &copy {
                        let made = DirBuilder::new().mode(0o700).create(copy);
                        made.map_err(|error| unwritable(copy, &error))?;
                    }
                }
                Entry::Link(target) => {
                    add(&mut all, b"link");
                    add(&mut all, target.as_os_str().as_bytes());
                    if let Some(copy) = &copy {
                        symlink(target, copy).map_err(|error| unwritable(copy, &error))?;
                    }
                }
                Entry::File { is_executable } => {
                    add(&mut all, if *is_executable { b"program" } else { b"file" });
                    let mode = if *is_executable { 0o500 } else { 0o400 };
                    let contents = self.read_file(path, copy.as_deref(), mode, &mut bytes, is_cancelled)?;
                    add(&mut all, &contents);
                    files += 1;
                }
            }
        }
        let digest = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Seen { digest: Digest(digest), files, bytes })
    }

    /// The digest of a file, which is written to `copy` meanwhile.
    fn read_file(
        &self,
        path: &Path,
        copy: Option<&Path>,
        mode: u32,
        bytes: &mut u64,
        is_cancelled: &AtomicBool,
    ) -> Result<[u8; 32], String> {
        let full = self.root.join(path);
        // It may have become something else since it was looked at.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(&full);
        let mut file = file.map_err(|error| unreadable(&full, &error))?;
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
    use std::os::unix::fs::PermissionsExt as _;

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
        let scanned = Tree::scan(dir.path(), limits, &ON).unwrap();
        fs::write(dir.path().join("a"), "1234").unwrap();
        assert!(scanned.digest(&ON).unwrap_err().contains("holds more than 6 B"));
    }

    #[test]
    fn it_ends_when_nobody_waits_for_it_any_more() {
        let dir = tree(&[("a", "1")]);
        let scanned = scan(&dir).unwrap();
        let off = AtomicBool::new(true);
        assert_eq!(scanned.digest(&off).unwrap_err(), "the supervisor is about to end");
        assert!(Tree::scan(dir.path(), LIMITS, &off).is_err());
    }
}
