//! The supervisor's own folders: the cache of translated modules, and the folder for deploys.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use toml::de::DeValue;

use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::setting::Setting;
use crate::config::setting::json::text_or_false;

/// The name of the supervisor's folder inside the user's folder for such files.
const FOLDER: &str = "nano-supervisor";

/// The purpose of a folder, and its usual path.
#[derive(Debug)]
pub(crate) struct Purpose {
    /// Its field in `[server]`.
    field: &'static str,
    /// What it is called in messages.
    what: &'static str,
    /// The variable in which systemd passes such a folder to a service.
    service: &'static str,
    /// The variable for the user's folder of this kind (XDG Base Directory), and its default below the home folder.
    user: (&'static str, &'static str),
}

/// The folder for translated modules.
pub(crate) const CACHE: Purpose = Purpose {
    field: "cache_dir",
    what: "cache",
    service: "CACHE_DIRECTORY",
    user: ("XDG_CACHE_HOME", ".cache"),
};

/// The folder for deploys.
pub(crate) const STATE: Purpose = Purpose {
    field: "state_dir",
    what: "state folder",
    service: "STATE_DIRECTORY",
    user: ("XDG_STATE_HOME", ".local/state"),
};

/// One of these folders as configured.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum OwnFolder {
    /// Not configured: the usual folder, if it can be used.
    #[default]
    Usual,
    /// This folder.
    At(PathBuf, Place),
    /// No folder.
    Off,
}

impl Purpose {
    /// The setting of this folder: a path, or `false`.
    pub(crate) fn setting(&'static self) -> Setting<OwnFolder> {
        let what = self.what;
        let read = move |section: &Section<'_>,
                         name: &str,
                         _: Option<&OwnFolder>,
                         problems: &mut Problems| {
            let convert = |value: &DeValue<'_>| match value {
                DeValue::Boolean(false) => Ok(OwnFolder::Off),
                DeValue::Boolean(true) => {
                    let fix = format!("leave it out: there is a {what} unless this is false");
                    Err(Flaw::new("true is no folder", fix))
                }
                _ => match value::text(value)? {
                    "" => Err(Flaw::new("is empty", format!("write false, without quotes, for no {what}"))),
                    path => Ok(OwnFolder::At(section.folder().join(path), section.place(name))),
                },
            };
            section.read(name, convert, problems)
        };
        let show = |folder: &OwnFolder| match folder {
            OwnFolder::Usual => json!(null),
            OwnFolder::At(path, _) => json!(path),
            OwnFolder::Off => json!(false),
        };
        Setting::new("folder", text_or_false(), read, show)
    }
}

impl OwnFolder {
    /// Returns whether a folder is configured explicitly.
    pub(crate) fn is_asked_for(&self) -> bool {
        matches!(self, Self::At(..))
    }

    /// Returns the folder, if there is one. A configured folder must be usable; the usual one is created when it is needed.
    pub(crate) fn folder(
        self,
        purpose: &Purpose,
        variable: impl Fn(&str) -> Option<OsString>,
        problems: &mut Problems,
    ) -> Option<PathBuf> {
        match self {
            Self::Usual => usual(purpose, variable),
            Self::Off => None,
            Self::At(path, place) => {
                let usable = prove(&path).map_err(|error| {
                    let field = purpose.field;
                    let fix = format!("name a folder in which this user may write, or set `{field} = false`");
                    Flaw::new(format!("cannot write to {}: {error}", path.display()), fix)
                });
                problems.keep(|| place, usable)
            }
        }
    }
}

/// Creates a folder that only this user can access, and its parents.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Returns the folder that the environment specifies for this purpose: that of the systemd service, or that of the user.
fn usual(purpose: &Purpose, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let first = |list: OsString| {
        let list = list.to_str()?;
        Some(PathBuf::from(list.split(':').next()?)).filter(|path| path.is_absolute())
    };
    let (user, below_home) = purpose.user;
    variable(purpose.service)
        .and_then(first)
        .or_else(|| path(user).map(|folder| folder.join(FOLDER)))
        .or_else(|| path("HOME").map(|home| home.join(below_home).join(FOLDER)))
}

/// Returns the canonical path, after checking that a file can be created in the folder.
fn prove(path: &Path) -> io::Result<PathBuf> {
    make_private_folder(path)?;
    let path = path.canonicalize()?;
    if path.to_str().is_none() {
        return Err(io::Error::other("the path is not UTF-8"));
    }
    let probe = path.join(format!(".probe-{}", std::process::id()));
    OpenOptions::new().write(true).create(true).truncate(true).open(&probe)?;
    fs::remove_file(probe)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Returns the folder and the problems for a configured path.
    fn folder(path: &Path) -> (Option<PathBuf>, String) {
        let mut problems = Problems::default();
        let named = OwnFolder::At(path.to_owned(), Place::flag("--cache-dir"));
        assert!(named.is_asked_for());
        let folder = named.folder(&CACHE, |_| None, &mut problems);
        (folder, problems.texts().concat())
    }

    #[test]
    fn a_folder_that_is_asked_for_is_made_for_this_user_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("a/b");
        assert_eq!(folder(&path), (Some(path.clone()), String::new()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_an_error_if_it_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let path = dir.path().join("file/x");
        let (found, problem) = folder(&path);
        let expected = format!("--cache-dir: cannot write to {}: Not a directory", path.display());
        assert!(found.is_none() && problem.starts_with(&expected), "{problem}");
    }

    #[test]
    fn the_usual_folder_is_where_the_environment_says() {
        let of = |purpose: &Purpose, variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
            let found = usual(purpose, |name| find(name).map(|(_, value)| value.into()));
            found.map(|path| path.display().to_string())
        };
        let usual = |variables: &[(&str, &str)]| of(&CACHE, variables);
        let all = [("CACHE_DIRECTORY", "/var/cache/a:/b"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(usual(&all).as_deref(), Some("/var/cache/a"));
        assert_eq!(usual(&all[1..]).as_deref(), Some("/x/nano-supervisor"));
        assert_eq!(usual(&all[2..]).as_deref(), Some("/h/.cache/nano-supervisor"));
        assert_eq!(
            usual(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")]).as_deref(),
            Some("/h/.cache/nano-supervisor")
        );
        assert_eq!(usual(&[("HOME", "")]), None);
        let all = [("STATE_DIRECTORY", "/var/lib/a"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(of(&STATE, &all).as_deref(), Some("/var/lib/a"));
        assert_eq!(of(&STATE, &all[1..]).as_deref(), Some("/x/nano-supervisor"));
        assert_eq!(of(&STATE, &all[2..]).as_deref(), Some("/h/.local/state/nano-supervisor"));
    }
}
