//! The key `site` of a wrangler file: a Workers Site, whose files its worker reads.

use std::path::Path;

use super::fields::Field;
use super::found::within;
use crate::assets::bucket::BucketPatterns;
use crate::config::errors::{Flaw, Place, Problems};

/// The name in `env` of the files.
pub(crate) const BINDING: &str = "__STATIC_CONTENT";

/// Where the code is if nothing says so.
const ENTRY: &str = "workers-site";

/// A Workers Site as its wrangler file describes it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SiteSettings {
    /// The folder with its files, relative to the app's if it is inside.
    pub(crate) bucket: String,
    pub(crate) patterns: BucketPatterns,
    /// Its entry module, relative to the folder of the wrangler file, and whether the file says so.
    pub(super) entry: (String, bool),
}

/// Reads the settings below the key, which is at `place`. The bucket is relative to the second of the folders, which is relative to the
/// first, that of the app. Also returns the names of settings that have no effect.
pub(super) fn read(
    fields: Vec<Field>,
    place: &Place,
    (root, folder): (&Path, &Path),
    problems: &mut Problems,
) -> Option<(SiteSettings, Vec<String>)> {
    let (mut bucket, mut entry, mut patterns, mut ignored) =
        (None, None, BucketPatterns::default(), Vec::new());
    for Field { name, place, content } in fields {
        let read = match &*name {
            "bucket" => content.text().map(|text| bucket = Some(text)),
            "include" => content.texts().map(|texts| patterns.include = texts),
            "exclude" => content.texts().map(|texts| patterns.exclude = texts),
            "entry-point" => content.text().map(|text| entry = Some(text)),
            _ => {
                ignored.push(format!("site.{name}"));
                Ok(())
            }
        };
        problems.keep(|| place, read);
    }
    let Some(bucket) = bucket.filter(|bucket| !bucket.is_empty()) else {
        let fix = "name the folder with the files of the Workers Site: bucket = \"./public\"";
        problems.add(place.clone(), Flaw::new("has no `bucket`", fix));
        return None;
    };
    // One that leads out is reported when it is looked for.
    let inside = within(root, folder, &bucket).map(|path| path.to_string_lossy().into_owned());
    let entry = entry.filter(|entry| !entry.is_empty());
    let is_named = entry.is_some();
    let mut entry = entry.unwrap_or_else(|| ENTRY.to_owned());
    // As in wrangler, it is a folder if it has no extension.
    if Path::new(&entry).extension().is_none() {
        entry = format!("{}/index.js", entry.trim_end_matches('/'));
    }
    Some((SiteSettings { bucket: inside.unwrap_or(bucket), patterns, entry: (entry, is_named) }, ignored))
}
