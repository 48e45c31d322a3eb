//! The supervisor's own folders: where translated modules are kept between starts, and where deploys are.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::errors::{Flaw, Place, Problems};

/// The folder below what the system has for such things.
const FOLDER: &str = "nano-supervisor";

/// What a folder is for, and where it usually is.
#[derive(Debug)]
pub(crate) struct Purpose {
    /// Its field in `[server]`.
    field: &'static str,
    /// What it is for, for people.
    what: &'static str,
    /// systemd's variable for such a folder of this service.
    service: &'static str,
    /// The variable for the user's folder of such things (XDG Base Directory), and where that is without it.
    user: (&'static str, &'static str),
}

/// Where translated modules are kept.
pub(crate) const CACHE: Purpose = Purpose {
    field: "cache_dir",
    what: "cache",
    service: "CACHE_DIRECTORY",
    user: ("XDG_CACHE_HOME", ".cache"),
};

/// Where deploys are kept.
pub(crate) const STATE: Purpose = Purpose {
    field: "state_dir",
    what: "state folder",
    service: "STATE_DIRECTORY",
    user: ("XDG_STATE_HOME", ".local/state"),
};

/// What the configuration says of such a folder.
#[derive(Debug, Default)]
pub(crate) enum OwnFolder {
    /// Nothing: it is where such things usually are, if it can be.
    #[default]
    Usual,
    /// It is here.
    At(PathBuf, Place),
    /// There is none.
    Off,
}

impl OwnFolder {
    /// What the purpose's field says: a path, relative to `folder`, or `false`.
    pub(crate) fn read(
        purpose: &Purpose,
        section: &Section<'_>,
        folder: &Path,
        problems: &mut Problems,
    ) -> Self {
        let Purpose { field, what, .. } = purpose;
        let convert = |value: &DeValue<'_>| match value {
            DeValue::Boolean(false) => Ok(Self::Off),
            DeValue::Boolean(true) => {
                let fix = format!("leave it out: there is a {what} unless this is false");
                Err(Flaw::new("true is no folder", fix))
            }
            _ => {
                let path = value::text(value)?;
                if path.is_empty() {
                    return Err(Flaw::new("is empty", format!("write false, without quotes, for no {what}")));
                }
                Ok(Self::At(folder.join(path), section.place(field)))
            }
        };
        section.read(field, convert, problems).unwrap_or_default()
    }

    /// This, except for what flags say otherwise: a path, or that there is none.
    pub(crate) fn overridden(self, purpose: &Purpose, path: Option<&PathBuf>, is_off: bool) -> Self {
        let flag = |path: &Path| format!("--{} {}", purpose.field.replace('_', "-"), path.display());
        match path {
            Some(path) => Self::At(path.clone(), Place::flag(flag(path))),
            None if is_off => Self::Off,
            None => self,
        }
    }

    /// Whether somebody has named a folder.
    pub(crate) fn is_asked_for(&self) -> bool {
        matches!(self, Self::At(..))
    }

    /// The folder, if there is one. One that was asked for must be usable; the usual one is made when it is needed.
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

/// Makes a folder that only this user can use, and those above it.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The folder that the environment names for this purpose: systemd's for this service, or the user's.
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

/// The path in full, once a file could be made in it.
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

    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;
    use crate::config::sources::flags::ServerFlags;

    /// The folder that this `[server]` section gives, and what is wrong with it.
    fn folder(section: &str, base: &Path, flags: &ServerFlags) -> (Option<PathBuf>, Vec<String>) {
        let table = DeTable::parse(section).unwrap();
        let top = Section::top(Document::config("nano.toml", section), table.get_ref());
        let mut problems = Problems::default();
        let cache = OwnFolder::read(&CACHE, &top, base, &mut problems).overridden(
            &CACHE,
            flags.cache_dir.as_ref(),
            flags.no_cache,
        );
        let folder = cache.folder(&CACHE, |name| (name == "HOME").then(|| "/home/me".into()), &mut problems);
        (folder, problems.texts())
    }

    #[test]
    fn a_folder_that_is_asked_for_is_made_for_this_user_only() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let none = ServerFlags::default();
        let flag = ServerFlags { cache_dir: Some(base.join("flag")), ..ServerFlags::default() };
        assert_eq!(folder("cache_dir = 'a/b'", &base, &none), (Some(base.join("a/b")), vec![]));
        assert_eq!(fs::metadata(base.join("a/b")).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(base.join("a/b")).unwrap().count(), 0);
        assert_eq!(folder("cache_dir = 'c'", &base, &flag), (Some(base.join("flag")), vec![]));
        assert!(!base.join("c").exists());
        let off = ServerFlags { no_cache: true, ..ServerFlags::default() };
        assert_eq!(folder("cache_dir = 'c'", &base, &off), (None, vec![]));
        assert_eq!(folder("cache_dir = false", &base, &none), (None, vec![]));
        assert_eq!(folder("", &base, &none), (Some("/home/me/.cache/nano-supervisor".into()), vec![]));
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_an_error_if_it_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let (found, problems) = folder("\ncache_dir = 'file/x'", dir.path(), &ServerFlags::default());
        let problems = problems.join("").replace(dir.path().to_str().unwrap(), "DIR");
        assert_eq!(found, None);
        assert!(
            problems.starts_with("nano.toml:2: cache_dir: cannot write to DIR/file/x: Not a directory"),
            "{problems}"
        );
        for (value, what) in [
            ("true", "true is no folder; fix: leave it out: there is a cache unless this is false"),
            ("''", "is empty; fix: write false, without quotes, for no cache"),
            ("1", "expected text, found a whole number; fix: put it in quotes: \"1\""),
        ] {
            let (_, problems) = folder(&format!("cache_dir = {value}"), dir.path(), &ServerFlags::default());
            assert_eq!(problems, [format!("nano.toml:1: cache_dir: {what}")]);
        }
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
