//! Finds the static files of an app, in a folder inside the app's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::assets::routing::WorkerFirst;
use crate::assets::scan::AssetsError;
use crate::assets::{AssetPolicy, Assets};
use crate::config::errors::Flaw;
use crate::config::read::is_missing;
use crate::config::schema::assets::AssetSettings;
use crate::config::types::app_name::AppName;

/// Reads the static files of the app in the folder `root`, an absolute path without symlinks, which people know as `shown`. The app
/// has this name, if it has one that is usable. If `is_files_only`, it has no code. If `is_for_pages`, it is a build for Cloudflare
/// Pages.
///
/// # Errors
/// Says what is wrong with the settings, with the folder, or with a file in it.
pub(crate) fn read(
    app: Option<&AppName>,
    root: &Path,
    shown: &Path,
    settings: &AssetSettings,
    is_files_only: bool,
    is_for_pages: bool,
) -> Result<Arc<Assets>, Flaw> {
    let AssetSettings { directory, html_handling, not_found_handling, run_worker_first, .. } = settings;
    if is_files_only && *run_worker_first != WorkerFirst::Never {
        let fix = "name the entry module, or leave out `run_worker_first`";
        return Err(Flaw::new(
            "`run_worker_first` is set, and the app has no code that could come first",
            fix,
        ));
    }
    let (found, name) = folder(root, shown, "directory", directory)?;
    let policy = AssetPolicy {
        html: *html_handling,
        not_found: *not_found_handling,
        worker_first: run_worker_first.clone(),
        is_for_pages,
    };
    Assets::read(app.map(AppName::as_str), &found, &name, policy).map_err(|error| {
        let fix = match error {
            AssetsError::Unreadable { .. } => "make it readable for this user, or name it in .assetsignore",
            AssetsError::TooLarge { .. } => {
                "name it in .assetsignore, and have the worker serve it or another server"
            }
            AssetsError::LongPath { .. } => "name it in .assetsignore, or move it",
            AssetsError::TooMany { .. } => "name folders that need not be served in .assetsignore",
        };
        Flaw::new(error.to_string(), fix)
    })
}

/// Finds the folder that the setting `field` names as `directory`, for the app in the folder `root`, which people know as `shown`.
/// Returns its absolute path without symlinks, and its name for people.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn folder(
    root: &Path,
    shown: &Path,
    field: &str,
    directory: &str,
) -> Result<(PathBuf, String), Flaw> {
    let name = shown.join(directory).display().to_string();
    let inside = "name a folder inside the app's folder by its relative path, such as \"public\"";
    let found = root.join(directory).canonicalize().map_err(|error| match is_missing(&error) {
        true => Flaw::new(
            format!("there is no folder {name}"),
            format!(
                "build the app first, such as by `npm run build`, or correct `{field}` (a path inside the app's folder)"
            ),
        ),
        false => Flaw::new(format!("cannot open {name}: {error}"), "make it readable for this user"),
    })?;
    if !found.starts_with(root) {
        return Err(Flaw::new(
            format!("{name} leads out of the app's folder, to {}", found.display()),
            inside,
        ));
    }
    if !found.is_dir() {
        return Err(Flaw::new(format!("{name} is not a folder"), inside));
    }
    Ok((found, name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_folder_lies_inside_that_of_the_app() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("app");
        fs::create_dir_all(root.join("dist/client")).unwrap();
        fs::create_dir(root.with_file_name("other")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        symlink("../other", root.join("link")).unwrap();
        let find = |directory: &str| {
            let settings = AssetSettings { directory: directory.to_owned(), ..AssetSettings::default() };
            let found = read(None, &root, Path::new("app"), &settings, false, false);
            found
                .map(drop)
                .map_err(|flaw| flaw.what().replace(root.parent().unwrap().to_str().unwrap(), "DIR"))
        };
        for fine in ["dist/client", "./dist/", "dist/../dist/client", ""] {
            assert_eq!(find(fine), Ok(()), "{fine}");
        }
        for (directory, what) in [
            ("public", "there is no folder app/public"),
            ("../other", "app/../other leads out of the app's folder, to DIR/other"),
            ("link", "app/link leads out of the app's folder, to DIR/other"),
            ("/", "/ leads out of the app's folder, to /"),
            ("file", "app/file is not a folder"),
        ] {
            assert_eq!(find(directory), Err(what.to_owned()));
        }
    }
}
