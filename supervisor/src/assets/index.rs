//! The files of a folder, found when the configuration is read. A request finds a file only by its entry here.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::coding::Coding;
use super::file::AssetFile;
use super::ignored::Ignored;
use super::memory::AssetMemory;
use super::scan::{AssetsError, Scan, meta};
use crate::untrusted::beneath::Beneath;

/// Largest file that is kept in memory once it was asked for.
const KEPT: u64 = 128 * 1024;

/// The files of a folder.
#[derive(Debug)]
pub(crate) struct AssetIndex {
    folder: PathBuf,
    shown: String,
    /// By the path under which each is served, decoded.
    files: HashMap<String, Arc<AssetFile>>,
    /// The length of the longest of these paths.
    longest: usize,
    memory: Arc<AssetMemory>,
    /// Taken while a file is compressed, so that the files of one app keep one thread busy at most.
    pub(crate) compressing: Arc<Semaphore>,
}

/// The same files, unchanged since.
impl PartialEq for AssetIndex {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |(path, file): (&String, &Arc<AssetFile>)| {
            other.files.get(path).is_some_and(|known| Arc::ptr_eq(known, file) || known.is_same(file))
        };
        self.folder == other.folder && self.files.len() == other.files.len() && self.files.iter().all(is_same)
    }
}

impl AssetIndex {
    /// Finds all files in `folder`, an absolute path without symlinks, which people know as `shown`, except those that are
    /// `ignored`. Adds what else is left out to `notes`. `known` is the same folder as it was read before, or another one of the app.
    ///
    /// # Errors
    /// Fails if something cannot be read, or is over a limit.
    pub(super) fn read(
        folder: &Path,
        shown: &str,
        ignored: Ignored,
        known: Option<&Self>,
        notes: &mut Vec<String>,
    ) -> Result<Self, AssetsError> {
        let mut scan = Scan::open(folder, shown, ignored, known.map(|known| &known.files))?;
        scan.look()?;
        let Scan { files, left_out: (named, count), .. } = scan;
        if count > 0 {
            let more = match count - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            notes.push(format!(
                "{shown}: left out, because they are symlinks to folders, out of this one or to what is left out, or no regular \
                 files of UTF-8 names: {}{more}",
                named.join(", ")
            ));
        }
        Ok(Self {
            folder: folder.to_owned(),
            shown: shown.to_owned(),
            longest: files.keys().map(String::len).max().unwrap_or_default(),
            files,
            memory: known.map(|known| known.memory.clone()).unwrap_or_default(),
            compressing: Arc::new(Semaphore::new(1)),
        })
    }

    /// Returns the folder, an absolute path without symlinks.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the number of files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns the file that is served under a path, which is decoded and starts with a slash.
    pub(crate) fn find(&self, path: &str) -> Option<&Arc<AssetFile>> {
        // Paths that are longer than any file's need not be hashed.
        (path.len() <= self.longest).then(|| self.files.get(path)).flatten()
    }

    /// Returns all files, each with the path under which it is served.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Arc<AssetFile>)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Returns how many bytes of files are in memory.
    pub(crate) fn kept(&self) -> usize {
        self.memory.taken()
    }

    /// Returns the text of a file at the top that is never served, if there is one.
    pub(super) fn meta(&self, name: &str) -> Result<Option<String>, AssetsError> {
        meta(&self.folder, &self.shown, name)
    }

    /// Returns whether a file is small enough to be kept in memory.
    pub(crate) fn may_keep(file: &AssetFile) -> bool {
        file.length() <= KEPT
    }

    /// Opens a file. A small one is read, and kept in memory if there is room. Blocks.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is not what it was when the folder was read.
    pub(crate) fn open(&self, file: &AssetFile) -> io::Result<Opened> {
        let opened = self.opened(file)?;
        let length = usize::try_from(file.length()).unwrap_or(usize::MAX);
        let place = Self::may_keep(file).then(|| self.memory.take(length)).flatten();
        let Some(place) = place else { return Ok(Opened::File(opened)) };
        let contents = place.keep(read(file, &opened)?);
        // Another thread may have been faster.
        Ok(Opened::Contents(file.kept.get_or_init(|| contents).clone()))
    }

    /// Returns whether the compressed form of a file could be kept in memory.
    pub(crate) fn may_compress(&self, file: &AssetFile) -> bool {
        self.memory.has(longest_coded(file))
    }

    /// Returns the compressed form of a file, and keeps it in memory. `None` if it is not worth it, or if there is no room. Blocks.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is not what it was when the folder was read.
    pub(crate) fn compress(&self, file: &AssetFile, coding: Coding) -> io::Result<Option<Bytes>> {
        let coded = file.coded(coding);
        if let Some(known) = coded.get() {
            return Ok(known.clone());
        }
        let longest = longest_coded(file);
        let Some(place) = self.memory.take(longest) else { return Ok(None) };
        let contents = match file.kept() {
            Some(contents) => contents.clone(),
            None => read(file, &self.opened(file)?)?.into(),
        };
        let made = coding.compress(&contents)?;
        Ok(coded.get_or_init(|| (made.len() <= longest).then(|| place.keep(made))).clone())
    }

    fn opened(&self, file: &AssetFile) -> io::Result<File> {
        let opened = Beneath::open(&self.folder)?.file(&file.path)?;
        file.check(&opened)?;
        Ok(opened)
    }

    /// Returns where a file is, for people.
    pub(crate) fn shown(&self, file: &AssetFile) -> String {
        format!("{}/{}", self.shown, file.path.display())
    }
}

/// Reads a file that was opened.
fn read(file: &AssetFile, mut opened: &File) -> io::Result<Vec<u8>> {
    // One byte more, so that the end is found without another allocation.
    let mut contents = Vec::with_capacity(usize::try_from(file.length()).unwrap_or_default() + 1);
    opened.by_ref().take(file.length() + 1).read_to_end(&mut contents)?;
    file.check(opened)?;
    Ok(contents)
}

/// How long the compressed form of a file is at most, if it is worth it.
fn longest_coded(file: &AssetFile) -> usize {
    let length = usize::try_from(file.length()).unwrap_or(usize::MAX);
    length - length / 10
}

/// A file that was opened.
#[derive(Debug)]
pub(crate) enum Opened {
    Contents(Bytes),
    /// The file, of which nothing was read.
    File(File),
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use hyper::header::HeaderValue;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::super::scan::{LARGEST, of_assets};
    use super::*;

    fn index_of(root: &Path) -> (Result<AssetIndex, AssetsError>, Vec<String>) {
        let mut notes = Vec::new();
        let folder = root.canonicalize().unwrap().join("public");
        let ignored = of_assets(&folder, "public");
        (ignored.and_then(|ignored| AssetIndex::read(&folder, "public", ignored, None, &mut notes)), notes)
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("public")).unwrap();
        for path in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("{}", path.display())).unwrap();
        }
        dir
    }

    fn paths(index: &AssetIndex) -> Vec<&str> {
        let mut paths: Vec<_> = index.files.keys().map(String::as_str).collect();
        paths.sort_unstable();
        paths
    }

    #[test]
    fn only_files_inside_the_folder_are_found_and_none_that_is_hidden() {
        let dir = folder(&[
            "outside.txt",
            "public/index.html",
            "public/a/b c.txt",
            "public/.env",
            "public/.git/config",
            "public/.well-known/x",
            "public/_headers",
            "public/_worker.js/index.js",
            "public/secret/x",
        ]);
        fs::write(dir.path().join("public/.assetsignore"), "secret\n").unwrap();
        for (link, target) in [
            ("inside.html", "index.html"),
            ("outside", "../outside.txt"),
            ("folder", "a"),
            ("loop", "loop"),
            ("hidden", ".env"),
            ("ignored", "secret/x"),
            ("up", ".."),
        ] {
            symlink(target, dir.path().join("public").join(link)).unwrap();
        }
        let (index, notes) = index_of(dir.path());
        let index = index.unwrap();
        assert_eq!(paths(&index), ["/.well-known/x", "/a/b c.txt", "/index.html", "/inside.html"]);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].ends_with("names: folder, hidden, ignored and 3 more"), "{notes:?}");
        assert_eq!(index.find("/inside.html").unwrap().tag, index.find("/index.html").unwrap().tag);
    }

    #[test]
    fn a_file_that_has_changed_is_not_served() {
        let dir = folder(&["public/a.txt", "public/b.txt"]);
        let index = index_of(dir.path()).0.unwrap();
        let [a, b] = ["/a.txt", "/b.txt"].map(|path| index.find(path).unwrap());
        assert!(matches!(index.open(a).unwrap(), Opened::Contents(_)) && a.kept().is_some());
        fs::write(dir.path().join("public/a.txt"), "new").unwrap();
        let place = dir.path().join("public/b.txt");
        fs::remove_file(&place).unwrap();
        assert!(index.open(a).is_err() && index.open(b).is_err());
        symlink("a.txt", &place).unwrap();
        assert!(index.open(b).is_err());
        fs::remove_file(&place).unwrap();
        // Nobody writes to it: opening it would wait for ever.
        mkfifo(&place, Mode::S_IRWXU).unwrap();
        assert!(index.open(b).is_err());
        assert!(a.kept().is_some(), "what is in memory is what it was");
        assert_eq!(index.kept(), usize::try_from(a.length()).unwrap());
        assert!(index != index_of(dir.path()).0.unwrap());
    }

    #[test]
    fn what_is_too_large_is_named() {
        let dir = folder(&["public/a.txt"]);
        let large = File::create(dir.path().join("public/large.bin")).unwrap();
        large.set_len(LARGEST).unwrap();
        let index = index_of(dir.path()).0.unwrap();
        assert!(matches!(index.open(index.find("/large.bin").unwrap()).unwrap(), Opened::File(_)));
        large.set_len(LARGEST + 1).unwrap();
        let error = index_of(dir.path()).0.unwrap_err().to_string();
        assert!(error.starts_with("public/large.bin has 25.0 MiB") && error.ends_with("at most"), "{error}");
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let dir = folder(&["public/a.txt", "public/b.txt", "public/c.txt"]);
        let mut known = index_of(dir.path()).0.unwrap();
        let read_again = |known: &AssetIndex| {
            let folder = dir.path().canonicalize().unwrap().join("public");
            let ignored = of_assets(&folder, "public").unwrap();
            AssetIndex::read(&folder, "public", ignored, Some(known), &mut Vec::new()).unwrap()
        };
        let next = read_again(&known);
        assert!(next == known && Arc::ptr_eq(&next.files["/a.txt"], &known.files["/a.txt"]));
        drop(next);
        // A tag that is wrong shows what was read.
        let (wrong, right) = (HeaderValue::from_static("wrong"), known.files["/a.txt"].tag.clone());
        for (is_settled, expected) in [(false, &right), (true, &wrong)] {
            for file in known.files.values_mut() {
                let file = Arc::get_mut(file).unwrap();
                (file.tag, file.is_settled) = (wrong.clone(), is_settled.into());
            }
            assert_eq!(read_again(&known).files["/a.txt"].tag, expected);
        }
        known.open(known.find("/a.txt").unwrap()).unwrap();
        fs::write(dir.path().join("public/b.txt"), "other").unwrap();
        fs::rename(dir.path().join("public/c.txt"), dir.path().join("public/d.txt")).unwrap();
        let next = read_again(&known);
        assert_eq!(paths(&next), ["/a.txt", "/b.txt", "/d.txt"]);
        assert!(Arc::ptr_eq(&next.files["/a.txt"], &known.files["/a.txt"]) && next != known);
        assert!(next.find("/b.txt").unwrap().tag != known.find("/b.txt").unwrap().tag);
        assert_eq!(next.kept(), known.kept());
        // What is in memory counts as long as somebody has it.
        drop(known);
        assert!(next.kept() > 0);
        drop(next.files);
        assert_eq!(next.memory.taken(), 0);
    }

    #[test]
    fn what_is_left_out_is_counted_and_only_the_first_is_named() {
        let dir = folder(&["public/a.txt"]);
        for number in 0..100 {
            mkfifo(&dir.path().join(format!("public/{number:02}")), Mode::S_IRWXU).unwrap();
        }
        let (index, notes) = index_of(dir.path());
        assert_eq!(index.unwrap().len(), 1);
        assert!(notes[0].ends_with("names: 00, 01, 02 and 97 more"), "{notes:?}");
    }
}
