//! The files of a Workers Site, which its code reads as a KV namespace. As on Workers, the key of a file is made of its path and its
//! contents, and a manifest says which key belongs to which path.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::file::AssetFile;
use super::ignored::{Ignored, IgnoredPatterns};
use super::in_use::{Files, InUse};
use super::index::AssetIndex;
use super::scan::AssetsError;

/// Longest key, in bytes, as on Workers.
pub(crate) const LONGEST_KEY: usize = 512;

/// Most keys of one page of a list, as on Workers.
pub(crate) const MOST_LISTED: usize = 1000;

/// After how many bytes of keys a page ends. A worker may ask for many pages without reading them.
const PAGE: usize = 16 * 1024;

/// Longest manifest, in bytes. The worker is told of it when it loads the app.
pub(crate) const LONGEST_MANIFEST: usize = 960 * 1024;

/// How many digits of the digest of a file are part of its key.
const DIGITS: usize = 10;

static IN_USE: InUse<Bucket> = InUse::new();

/// Which files of the folder belong to a bucket: patterns in the syntax of `.gitignore`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BucketPatterns {
    /// If there are any, no other files belong to it.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

/// The files of a Workers Site.
pub(crate) struct Bucket {
    /// Whose they are, if the app has a usable name.
    app: Option<String>,
    index: Arc<AssetIndex>,
    keys: BTreeMap<String, Arc<AssetFile>>,
    manifest: String,
    /// What is left out, for people.
    notes: Vec<String>,
}

/// A page of keys, as JSON.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KeyPage<'a> {
    keys: Vec<ListedKey<'a>>,
    list_complete: bool,
    /// After which key the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ListedKey<'a> {
    name: &'a str,
}

impl Bucket {
    /// Finds the files of an app in `folder`, an absolute path without symlinks, which people know as `shown`. What has not changed
    /// since the folder was read before is not read again.
    ///
    /// # Errors
    /// Fails if a file cannot be read or is too large, or if there are too many.
    pub(crate) fn read(
        app: Option<&str>,
        folder: &Path,
        shown: &str,
        patterns: &BucketPatterns,
    ) -> Result<Arc<Self>, AssetsError> {
        let before = IN_USE.before(app, folder);
        let parse = |list: &[String], name: &str| {
            IgnoredPatterns::parse(list.iter().map(String::as_str)).map_err(|most| AssetsError::TooMany {
                place: format!("`{name}` of the bucket {shown}"),
                most: format!("{most} patterns"),
            })
        };
        let ignored = Ignored::Bucket {
            include: parse(&patterns.include, "include")?,
            exclude: parse(&patterns.exclude, "exclude")?,
        };
        let mut notes = Vec::new();
        let index = Arc::new(AssetIndex::read(folder, shown, ignored, before.index(folder), &mut notes)?);
        let (mut keys, mut manifest) = (BTreeMap::new(), Map::new());
        // In their order, so that a worker is told something else only if the files are others.
        let files: BTreeMap<_, _> = index.iter().collect();
        for (path, file) in files {
            let path = path.trim_start_matches('/');
            let key = key_of(path, &file.digest()[..DIGITS]);
            if key.len() > LONGEST_KEY {
                let most = LONGEST_KEY - DIGITS - 1;
                return Err(AssetsError::LongPath { path: format!("{shown}/{path}"), most });
            }
            manifest.insert(path.to_owned(), Value::String(key.clone()));
            keys.insert(key, file.clone());
        }
        let manifest = Value::Object(manifest).to_string();
        if manifest.len() > LONGEST_MANIFEST {
            let most = format!(
                "{} of paths and keys: its worker is told of all of them when it starts",
                bytesize::ByteSize(LONGEST_MANIFEST as u64)
            );
            return Err(AssetsError::TooMany { place: shown.to_owned(), most });
        }
        let bucket = Self { app: app.map(str::to_owned), index, keys, manifest, notes };
        Ok(IN_USE.enter(bucket, before))
    }

    pub(crate) fn index(&self) -> &Arc<AssetIndex> {
        &self.index
    }

    /// Returns what is left out, for people.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns the keys of all paths, as JSON text.
    pub(crate) fn manifest(&self) -> &str {
        &self.manifest
    }

    /// Returns the file of a key.
    pub(crate) fn find(&self, key: &str) -> Option<&Arc<AssetFile>> {
        self.keys.get(key)
    }

    /// Returns a page of the keys that begin with `prefix`, in their order, and come after `cursor`: `limit` of them, or fewer.
    pub(crate) fn list(&self, prefix: &str, limit: usize, cursor: Option<&str>) -> KeyPage<'_> {
        let start = match cursor {
            Some(cursor) if cursor >= prefix => Bound::Excluded(cursor),
            _ => Bound::Included(prefix),
        };
        let found = (self.keys.range::<str, _>((start, Bound::Unbounded)))
            .map(|(key, _)| key.as_str())
            .take_while(|key| key.starts_with(prefix));
        let (mut keys, mut left) = (Vec::new(), PAGE);
        let mut list_complete = true;
        for name in found {
            if keys.len() >= limit.clamp(1, MOST_LISTED) || left == 0 {
                list_complete = false;
                break;
            }
            left = left.saturating_sub(name.len());
            keys.push(ListedKey { name });
        }
        let cursor = keys.last().filter(|_| !list_complete).map(|last| last.name);
        KeyPage { keys, list_complete, cursor }
    }
}

/// Returns the key of a file, as wrangler makes it: part of the digest of its contents comes before its extension.
fn key_of(path: &str, digest: &str) -> String {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let extension = path[name..].rfind('.').filter(|dot| *dot > 0).map_or(path.len(), |dot| name + dot);
    format!("{}.{digest}{}", &path[..extension], &path[extension..])
}

impl Files for Bucket {
    fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    fn index(&self) -> &AssetIndex {
        &self.index
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// The same files, at the same places and unchanged.
impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.index == other.index
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("files", &self.keys.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_has_the_digest_before_its_extension() {
        for (path, key) in [
            ("index.html", "index.0123456789.html"),
            ("a/b.min.js", "a/b.min.0123456789.js"),
            ("a.b/c", "a.b/c.0123456789"),
            (".well-known/x", ".well-known/x.0123456789"),
            ("a/.well-known", "a/.well-known.0123456789"),
            ("a.", "a.0123456789."),
            ("é.txt", "é.0123456789.txt"),
        ] {
            assert_eq!(key_of(path, "0123456789"), key);
        }
    }

    #[test]
    fn a_page_is_not_large() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        for number in 0..300 {
            fs::write(folder.join(format!("{number:0240}")), "").unwrap();
        }
        let bucket = Bucket::read(None, &folder, "public", &BucketPatterns::default()).unwrap();
        let (mut count, mut cursor) = (0, None);
        loop {
            let page = bucket.list("", MOST_LISTED, cursor);
            assert!(serde_json::to_vec(&page).unwrap().len() < 2 * PAGE);
            count += page.keys.len();
            cursor = page.cursor;
            if page.list_complete {
                break;
            }
        }
        assert_eq!(count, 300);
    }

    #[test]
    fn keys_are_listed_in_pages() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        fs::create_dir(folder.join("img")).unwrap();
        for path in ["a.txt", "b.txt", "img/1.png", "img/2.png", "img/3.png", "z.txt"] {
            fs::write(folder.join(path), path).unwrap();
        }
        let bucket = Bucket::read(None, &folder, "public", &BucketPatterns::default()).unwrap();
        let pages = |prefix: &str, limit: usize| {
            let (mut pages, mut names, mut cursor) = (Vec::new(), Vec::new(), None);
            loop {
                let page = bucket.list(prefix, limit, cursor);
                pages.push(page.keys.len());
                names.extend(page.keys.iter().map(|key| key.name));
                cursor = page.cursor;
                assert_eq!(cursor.is_none(), page.list_complete);
                if cursor.is_none() {
                    assert!(names.is_sorted() && names.iter().all(|name| name.starts_with(prefix)));
                    return pages;
                }
            }
        };
        assert_eq!(pages("", 4), [4, 2]);
        assert_eq!(pages("", 6), [6]);
        assert_eq!(pages("img/", 2), [2, 1]);
        assert_eq!(pages("img/", 3), [3]);
        assert_eq!(pages("nothing", 10), [0]);
        assert_eq!(pages("", 0), [1; 6]);
        assert_eq!(bucket.list("img/", 10, Some("a")).keys.len(), 3);
        assert_eq!(
            bucket.list("img/", 10, Some("z")),
            KeyPage { keys: Vec::new(), list_complete: true, cursor: None }
        );
        let manifest: Map<String, Value> = serde_json::from_str(bucket.manifest()).unwrap();
        assert_eq!(manifest.len(), 6);
        for (path, key) in &manifest {
            let file = bucket.find(key.as_str().unwrap()).unwrap();
            assert_eq!(file.length(), path.len() as u64);
        }
        assert!(bucket.find("a.txt").is_none() && bucket.find("../a.txt").is_none());
    }
}
