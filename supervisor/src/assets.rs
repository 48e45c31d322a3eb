//! Static files of apps: which files there are, which rules hold for them, and what a request for one is answered. No app's
//! JavaScript is involved.
//!
//! - `index`: the files of a folder, found when the configuration is read; nothing else leads to a file. `scan`: finds them.
//!   `file`: one of them. `ignored`: which files are left out. `media_type`: what a file is called in `Content-Type`.
//! - `path`: the path of a URL and the path of a file. `html`: which file answers a path.
//! - `rule`: patterns of paths. `redirects` and `headers`: the files `_redirects` and `_headers`. `routing`: whether the worker
//!   comes first.
//! - `answer`: all of that together. `pages`: what is said besides about those of a build for Pages. `conditions`: conditional requests and ranges. `coding`: compression.
//! - `bucket`: the files of a Workers Site, which only its code reads. `in_use`: what is known of files already.
//! - `reader`: reads files without blocking an I/O thread. `memory`: how many bytes of them are kept in memory.

pub(crate) mod answer;
pub(crate) mod bucket;
pub(crate) mod coding;
mod conditions;
pub(crate) mod file;
mod headers;
pub(crate) mod html;
mod ignored;
mod in_use;
pub(crate) mod index;
mod media_type;
mod memory;
mod pages;
pub(crate) mod path;
pub(crate) mod reader;
mod redirects;
pub(crate) mod routing;
mod rule;
pub(crate) mod scan;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use headers::HeaderRules;
use html::{HtmlHandling, NotFoundHandling};
use in_use::{Files, InUse};
use index::AssetIndex;
use redirects::Redirects;
use routing::WorkerFirst;
use scan::AssetsError;

/// Most lines of a file of rules that are named because they are left out.
const NOTES: usize = 20;

static IN_USE: InUse<Assets> = InUse::new();

/// The static files of an app, with the rules for them.
pub(crate) struct Assets {
    /// Whose they are, if the app has a usable name.
    app: Option<String>,
    index: Arc<AssetIndex>,
    policy: AssetPolicy,
    redirects: Redirects,
    headers: HeaderRules,
    /// What is left out or ignored, for people.
    notes: Vec<String>,
}

/// How the files of an app are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssetPolicy {
    pub html: HtmlHandling,
    pub not_found: NotFoundHandling,
    pub worker_first: WorkerFirst,
    /// Whether they are those of a build for Cloudflare Pages.
    pub is_for_pages: bool,
}

impl Assets {
    /// Finds the files of an app in `folder`, an absolute path without symlinks, and reads the rules in it. `shown` is the folder as
    /// people know it. What has not changed since the folder was read before is not read again, and is the same in memory; so is
    /// what another folder of the app has in memory of files with the same contents, such as that of its last deploy.
    ///
    /// # Errors
    /// Fails if a file cannot be read or is too large, or if there are too many.
    pub(crate) fn read(
        app: Option<&str>,
        folder: &Path,
        shown: &str,
        policy: AssetPolicy,
    ) -> Result<Arc<Self>, AssetsError> {
        let before = IN_USE.before(app, folder);
        let mut notes = Vec::new();
        let ignored = scan::of_assets(folder, shown)?;
        let index = Arc::new(AssetIndex::read(folder, shown, ignored, before.index(folder), &mut notes)?);
        let place = |file: &str| format!("{shown}/{file}");
        let (mut of_redirects, mut of_headers) = (Vec::new(), Vec::new());
        let redirects = match index.meta(redirects::FILE)? {
            Some(text) => Redirects::parse(&text, policy.html, &place(redirects::FILE), &mut of_redirects),
            None => Redirects::default(),
        };
        let headers = match index.meta(headers::FILE)? {
            Some(text) => HeaderRules::parse(&text, &place(headers::FILE), &mut of_headers),
            None => HeaderRules::default(),
        };
        notes.extend(first_of(of_redirects, &place(redirects::FILE)));
        notes.extend(first_of(of_headers, &place(headers::FILE)));
        let assets = Self { app: app.map(str::to_owned), index, policy, redirects, headers, notes };
        Ok(IN_USE.enter(assets, before))
    }

    pub(crate) fn index(&self) -> &Arc<AssetIndex> {
        &self.index
    }

    /// Returns what is left out or ignored, for people.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Files for Assets {
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

/// Returns the first notes about a file, and how many more there are: it may have lines without number.
fn first_of(mut notes: Vec<String>, file: &str) -> Vec<String> {
    let more = notes.len().saturating_sub(NOTES);
    notes.truncate(NOTES);
    notes.extend((more > 0).then(|| format!("{file}: {more} more lines are left out")));
    notes
}

/// The same files, at the same places and unchanged, with the same rules.
impl PartialEq for Assets {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.policy == other.policy
                && self.index == other.index
                && self.redirects == other.redirects
                && self.headers == other.headers)
    }
}

impl fmt::Debug for Assets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assets").field("files", &self.index.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::coding::Coding;
    use super::*;

    #[test]
    fn what_a_deploy_leaves_unchanged_is_in_memory_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let deploy = |number: u32, pages: &[(&str, &str)]| {
            let folder = root.join(number.to_string());
            fs::create_dir(&folder).unwrap();
            for (path, text) in pages {
                fs::write(folder.join(path), text.repeat(500)).unwrap();
            }
            let policy = AssetPolicy {
                html: HtmlHandling::default(),
                not_found: NotFoundHandling::default(),
                worker_first: WorkerFirst::default(),
                is_for_pages: false,
            };
            Assets::read(Some("a deployed app"), &folder, "public", policy).unwrap()
        };
        let first = deploy(1, &[("a.txt", "one "), ("b.txt", "two ")]);
        for path in ["/a.txt", "/b.txt"] {
            let file = first.index.find(path).unwrap();
            first.index.open(file).unwrap();
            first.index.compress(file, Coding::Zstandard).unwrap();
        }
        let kept = first.index.kept();
        let second = deploy(2, &[("renamed.txt", "one "), ("b.txt", "other ")]);
        let (old, new) = (first.index.find("/a.txt").unwrap(), second.index.find("/renamed.txt").unwrap());
        assert_eq!(new.kept().unwrap().as_ptr(), old.kept().unwrap().as_ptr());
        let compressed = |file: &file::AssetFile| file.coded(Coding::Zstandard).get().cloned().flatten();
        assert_eq!(compressed(new).unwrap().as_ptr(), compressed(old).unwrap().as_ptr());
        let other = second.index.find("/b.txt").unwrap();
        assert!(other.kept().is_none() && compressed(other).is_none());
        assert_eq!(second.index.kept(), kept, "what both have counts once");
        let of_b = first
            .index
            .find("/b.txt")
            .map(|file| file.kept().unwrap().len() + compressed(file).unwrap().len());
        drop(first);
        assert_eq!(second.index.kept(), kept - of_b.unwrap());
    }
}
