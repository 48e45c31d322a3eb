//! The app's folder, and what may be read of it: nothing outside, symlinks included.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use deno_core::ModuleSpecifier;

use crate::ext::error_report;

/// Longest source line shown, in characters.
const MAX_SOURCE_LINE: usize = 160;

/// An absolute path without symlinks.
#[derive(Debug, Clone)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// Of an app; `path` is absolute and without symlinks.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a path that has no `..` in it lies in the folder.
    pub(super) fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.0)
    }

    /// Whether a file belongs to a package of `node_modules`.
    pub(super) fn is_in_package(&self, path: &Path) -> bool {
        let inside = path.strip_prefix(&self.0).unwrap_or(path);
        inside.components().any(|part| part.as_os_str() == "node_modules")
    }

    /// How people call a file: by its path inside the folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.0).unwrap_or(path).display().to_string()
    }

    /// The URL of a file.
    pub(super) fn url(&self, path: &Path) -> Result<ModuleSpecifier, String> {
        ModuleSpecifier::from_file_path(path)
            .map_err(|()| format!("{} is not an absolute path", path.display()))
    }

    /// The path of a file without symlinks.
    ///
    /// # Errors
    /// If it cannot be read or lies outside.
    pub(super) fn real(&self, path: &Path) -> Result<PathBuf, String> {
        let real = path.canonicalize().map_err(|error| self.unreadable(path, &error))?;
        if !self.contains(&real) {
            return Err(format!(
                "{:?} is outside the app's folder; an app may only import files inside it (symlinks included)",
                self.shown(path)
            ));
        }
        Ok(real)
    }

    /// The contents of a file.
    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        if is_of_variables(path) {
            return Err(format!("{:?} is no module; what it says is in `env`", self.shown(path)));
        }
        fs::read(self.real(path)?).map_err(|error| self.unreadable(path, &error))
    }

    /// The text of a file, without a byte order mark.
    pub(super) fn text(&self, path: &Path) -> Result<String, String> {
        let text = String::from_utf8(self.bytes(path)?);
        let mut text =
            text.map_err(|_| format!("cannot read {:?}; the file is not UTF-8 text", self.shown(path)))?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(text)
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> String {
        let shown = self.shown(path);
        match error.kind() {
            io::ErrorKind::NotFound => format!("there is no file {shown:?} in the app's folder"),
            _ => format!("cannot read {shown:?}: {error}"),
        }
    }

    /// One line of a module's source, counted from zero.
    pub(super) fn line(&self, file: &str, line: usize) -> Option<String> {
        let path = ModuleSpecifier::parse(file).ok()?.to_file_path().ok()?;
        self.text(&path).ok()?.lines().nth(line).map(str::to_owned)
    }

    /// Appends a place to `text`: file, line and column (from 1), and the source line with a caret.
    pub(super) fn point_at(&self, text: &mut String, path: &Path, line: i64, column: i64) {
        let source = self.text(path).ok();
        let index = usize::try_from(line).unwrap_or(0).checked_sub(1);
        let source_line = index.and_then(|index| source.as_deref()?.lines().nth(index));
        let _ = write!(text, "\n    at {}:{line}:{column}", self.shown(path));
        if let Some(source_line) = source_line.filter(|line| line.chars().count() <= MAX_SOURCE_LINE) {
            error_report::excerpt(text, source_line, line, column);
        }
    }

    /// Appends the place of the first quoted `specifier` in a file: where an import that cannot be resolved stands.
    pub(super) fn point_at_import(&self, text: &mut String, path: &Path, specifier: &str) {
        let Ok(source) = self.text(path) else { return };
        let quoted = ['"', '\''].map(|quote| format!("{quote}{specifier}{quote}"));
        let place = source.lines().zip(1..).find_map(|(source_line, line)| {
            let at = quoted.iter().filter_map(|quoted| source_line.find(quoted.as_str())).min()?;
            Some((line, i64::try_from(source_line[..at].chars().count() + 1).ok()?))
        });
        if let Some((line, column)) = place {
            self.point_at(text, path, line, column);
        }
    }
}
/// Files of variables are for the supervisor, which knows what outranks them.
fn is_of_variables(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    [".env", ".dev.vars"]
        .iter()
        .any(|file| name.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
