//! Finds the files of a Workers Site, in a folder inside the app's.

use std::path::Path;
use std::sync::Arc;

use crate::assets::bucket::Bucket;
use crate::assets::scan::AssetsError;
use crate::config::errors::Flaw;
use crate::config::sources::assets;
use crate::config::sources::wrangler::site::SiteSettings;
use crate::config::types::app_name::AppName;

/// Reads the files of the app in the folder `root`, an absolute path without symlinks, which people know as `shown`. The app has this
/// name, if it has one that is usable.
///
/// # Errors
/// Says what is wrong with the settings, with the folder, or with a file in it.
pub(crate) fn read(
    app: Option<&AppName>,
    root: &Path,
    shown: &Path,
    settings: &SiteSettings,
) -> Result<Arc<Bucket>, Flaw> {
    let (found, name) = assets::folder(root, shown, "bucket", &settings.bucket)?;
    Bucket::read(app.map(AppName::as_str), &found, &name, &settings.patterns).map_err(|error| {
        let fix = match error {
            AssetsError::Unreadable { .. } => "make it readable for this user, or name it in `exclude`",
            AssetsError::TooLarge { .. } => "name it in `exclude`, and have another server serve it",
            AssetsError::LongPath { .. } => "name it in `exclude`, or move it",
            AssetsError::TooMany { .. } => {
                "leave some out with `exclude`, or serve them as static files, which need no code: \
                 assets = { directory = \"./public\" }"
            }
        };
        Flaw::new(error.to_string(), fix)
    })
}
