//! Finds the files of a folder, and reads each once for its digest. No symlink is followed out of the folder.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::file::{AssetFile, FileIdentity};
use super::ignored::{self, Ignored, IgnoredPatterns};
use super::media_type;
use crate::untrusted::beneath::Beneath;

/// Most files of an app, as on Workers.
const MOST_FILES: usize = 100_000;

/// Largest file, as on Workers.
pub(super) const LARGEST: u64 = 25 * 1024 * 1024;

/// Most entries of all folders that are looked at, among them those that are left out.
const MOST_ENTRIES: usize = 250_000;

/// Most bytes of all files together. They are read when the app starts.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Most bytes of all paths together. They are kept in memory.
const MOST_BYTES_OF_PATHS: usize = 16 * 1024 * 1024;

/// How many files that are left out are named.
const NAMED: usize = 3;

/// Largest file with rules.
const LARGEST_META: u64 = 1024 * 1024;

/// Size of the read buffer, in bytes.
const CHUNK: usize = 128 * 1024;

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssetsError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file or folder, as people know it.
        path: String,
        #[source]
        error: io::Error,
    },
    /// A file is too large.
    #[error("{path} has {size}, and a file may have {most} at most")]
    TooLarge {
        /// The file, as people know it.
        path: String,
        size: bytesize::ByteSize,
        most: bytesize::ByteSize,
    },
    /// The path of a file is too long.
    #[error("{path} has too long a path: {most} bytes are possible, as on Workers")]
    LongPath {
        /// The file, as people know it.
        path: String,
        most: usize,
    },
    /// There is too much of something.
    #[error("{place} holds more than {most}")]
    TooMany {
        /// The folder or file, as people know it.
        place: String,
        /// How much there may be of it.
        most: String,
    },
}

/// A folder while its files are found.
pub(super) struct Scan<'a> {
    root: &'a Path,
    shown: &'a str,
    opened: Beneath,
    ignored: Ignored,
    /// By the path under which each is served, decoded.
    pub(super) files: HashMap<String, Arc<AssetFile>>,
    /// Paths that are no assets, and are not meant to be left out: the first ones, and how many there are.
    pub(super) left_out: (Vec<String>, usize),
    /// What is left of each limit.
    entries: usize,
    bytes: u64,
    bytes_of_paths: usize,
    /// `files` as it was when the folder was read before, or another one of the app.
    known: Option<&'a HashMap<String, Arc<AssetFile>>>,
    /// Those of them of which something is in memory, by their tags.
    in_memory: HashMap<&'a HeaderValue, &'a AssetFile>,
    media_types: HashMap<String, Option<HeaderValue>>,
    buffer: Vec<u8>,
}

impl<'a> Scan<'a> {
    /// Begins with the folder `root`. Files that are what they are in `known` are not read again.
    pub(super) fn open(
        root: &'a Path,
        shown: &'a str,
        ignored: Ignored,
        known: Option<&'a HashMap<String, Arc<AssetFile>>>,
    ) -> Result<Self, AssetsError> {
        let opened =
            Beneath::open(root).map_err(|error| AssetsError::Unreadable { path: shown.to_owned(), error })?;
        Ok(Self {
            root,
            shown,
            opened,
            ignored,
            files: HashMap::new(),
            left_out: (Vec::new(), 0),
            entries: MOST_ENTRIES,
            bytes: MOST_BYTES,
            bytes_of_paths: MOST_BYTES_OF_PATHS,
            known,
            in_memory: known
                .into_iter()
                .flat_map(HashMap::values)
                .filter(|file| file.is_in_memory())
                .map(|file| (&file.tag, &**file))
                .collect(),
            media_types: HashMap::new(),
            buffer: vec![0; CHUNK],
        })
    }

    /// Finds all files.
    ///
    /// # Errors
    /// Fails if something cannot be read, or is over a limit.
    pub(super) fn look(&mut self) -> Result<(), AssetsError> {
        let mut pending = VecDeque::from([String::new()]);
        while let Some(folder) = pending.pop_front() {
            let unreadable =
                |error| AssetsError::Unreadable { path: format!("{}/{folder}", self.shown), error };
            let mut entries = Vec::new();
            for entry in self.opened.entries(Path::new(&folder)).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                self.entries = match self.entries.checked_sub(1) {
                    Some(left) => left,
                    None => return Err(self.too_many(format!("{MOST_ENTRIES} files and folders"))),
                };
                entries.push((entry.file_name(), entry.file_type().map_err(unreadable)?));
            }
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            for (name, kind) in entries {
                let separator = if folder.is_empty() { "" } else { "/" };
                let Some(path) = name.to_str().map(|name| format!("{folder}{separator}{name}")) else {
                    self.leave_out(format!("{folder}{separator}{}", name.to_string_lossy()));
                    continue;
                };
                if self.ignored.has(&path, kind.is_dir()) {
                    continue;
                }
                if kind.is_dir() {
                    pending.push_back(path);
                } else if let Some(real) = self.regular(&path, kind.is_file()) {
                    self.add(path, real)?;
                } else {
                    self.leave_out(path);
                }
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, path: String) {
        let (named, count) = &mut self.left_out;
        *count += 1;
        if named.len() < NAMED {
            named.push(path);
        }
    }

    fn too_many(&self, most: String) -> AssetsError {
        AssetsError::TooMany { place: self.shown.to_owned(), most }
    }

    /// Returns the path, without symlinks, of the regular file at `path`, if it is one inside the folder.
    fn regular(&self, path: &str, is_file: bool) -> Option<PathBuf> {
        if is_file {
            return Some(path.into());
        }
        let real = self.root.join(path).canonicalize().ok()?;
        let inside = real.strip_prefix(self.root).ok()?.to_owned();
        let is_ignored = self.ignored.holds_for_targets()
            && inside.ancestors().any(|above| {
                above.to_str().is_none_or(|text| !text.is_empty() && self.ignored.has(text, above != inside))
            });
        (real.is_file() && !is_ignored).then_some(inside)
    }

    fn add(&mut self, path: String, real: PathBuf) -> Result<(), AssetsError> {
        if self.files.len() >= MOST_FILES {
            return Err(self.too_many(format!("{MOST_FILES} files")));
        }
        self.bytes_of_paths = match self.bytes_of_paths.checked_sub(path.len()) {
            Some(left) => left,
            None => {
                let most = bytesize::ByteSize(MOST_BYTES_OF_PATHS as u64);
                return Err(self.too_many(format!("{most} of paths")));
            }
        };
        let shown = || format!("{}/{path}", self.shown);
        let place = format!("/{path}");
        let known = self.known.and_then(|known| known.get(&place)).filter(|known| known.path == real);
        if let Some(known) = known
            && self.opened.look(&real).is_ok_and(|found| known.is_surely(&FileIdentity::of_stat(&found)))
        {
            self.files.insert(place, known.clone());
            return self.takes(known.length());
        }
        let (read, digest) = match digest(&mut self.opened, &real, &mut self.buffer) {
            Ok(Some(found)) => found,
            Ok(None) => {
                let size = self.root.join(&real).metadata().map_or(0, |found| found.len());
                let (size, most) = (bytesize::ByteSize(size), bytesize::ByteSize(LARGEST));
                return Err(AssetsError::TooLarge { path: shown(), size, most });
            }
            // It was there a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(AssetsError::Unreadable { path: shown(), error }),
        };
        self.takes(read.length)?;
        let extension = path.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_owned());
        let media_type = || media_type::of(path.rsplit('/').next().unwrap_or_default());
        let media_type = match extension.contains('/') || extension.is_empty() {
            true => None,
            false => self.media_types.entry(extension).or_insert_with(media_type).clone(),
        };
        let file = AssetFile::new(real, read, digest, media_type);
        let file = match known.filter(|known| known.is_same(&file)) {
            Some(known) => {
                known.read_again();
                known.clone()
            }
            None => {
                if let Some(same) = self.in_memory.get(&file.tag) {
                    file.take_over(same);
                }
                Arc::new(file)
            }
        };
        self.files.insert(place, file);
        Ok(())
    }

    /// Counts a file of this length.
    fn takes(&mut self, length: u64) -> Result<(), AssetsError> {
        let left = self.bytes.checked_sub(length);
        self.bytes = left.ok_or_else(|| self.too_many(bytesize::ByteSize(MOST_BYTES).to_string()))?;
        Ok(())
    }
}

/// Returns what `.assetsignore` says in the folder `root`.
pub(super) fn of_assets(root: &Path, shown: &str) -> Result<Ignored, AssetsError> {
    let text = meta(root, shown, ignored::FILE)?.unwrap_or_default();
    let patterns = IgnoredPatterns::parse(text.lines()).map_err(|most| AssetsError::TooMany {
        place: format!("{shown}/{}", ignored::FILE),
        most: format!("{most} patterns"),
    })?;
    Ok(Ignored::Assets(patterns))
}

/// Reads a file, and returns its digest. `None` if it is too large.
fn digest(
    folder: &mut Beneath,
    path: &Path,
    buffer: &mut [u8],
) -> io::Result<Option<(FileIdentity, [u8; 16])>> {
    let mut file = folder.file(path)?;
    let identity = FileIdentity::of(&file.metadata()?);
    if identity.length > LARGEST {
        return Ok(None);
    }
    let (mut hasher, mut length) = (Sha256::new(), 0);
    loop {
        let count = file.read(buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
        length += count as u64;
        hasher.update(part);
        if length > LARGEST {
            return Ok(None);
        }
    }
    if FileIdentity::of(&file.metadata()?) != identity || length != identity.length {
        return Err(io::Error::other("it changes while it is read"));
    }
    let mut digest = [0; 16];
    for (to, from) in digest.iter_mut().zip(hasher.finalize()) {
        *to = from;
    }
    Ok(Some((identity, digest)))
}

/// Returns the text of a file at the top of the folder `root`, if there is one.
pub(super) fn meta(root: &Path, shown: &str, name: &str) -> Result<Option<String>, AssetsError> {
    let read = || -> io::Result<String> {
        let file = Beneath::open(root)?.file(Path::new(name))?;
        let mut text = String::new();
        if file.take(LARGEST_META + 1).read_to_string(&mut text)? as u64 > LARGEST_META {
            return Err(io::Error::other(format!("it has more than {}", bytesize::ByteSize(LARGEST_META))));
        }
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AssetsError::Unreadable { path: format!("{shown}/{name}"), error }),
    }
}
