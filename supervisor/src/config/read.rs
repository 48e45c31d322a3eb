//! Reads whole files, up to a size limit: the configuration file, and files of apps.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::config::errors::Flaw;
use crate::untrusted::beneath;

/// Reads the text of the file at `path`, of at most `limit` bytes.
pub(crate) fn text(path: &Path, limit: u64) -> Result<String, Flaw> {
    whole(File::open(path).map_err(|error| unreadable(&error))?, limit)
}

fn whole(file: File, limit: u64) -> Result<String, Flaw> {
    let mut text = String::new();
    let read = file.take(limit + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if read as u64 > limit {
        return Err(Flaw::new("is too long", format!("keep it below {limit} bytes")));
    }
    Ok(text)
}

/// Like [`text`], but never blocks as a pipe would, because apps are being served meanwhile.
pub(crate) fn regular(path: &Path, limit: u64) -> Result<String, Flaw> {
    let found = path.metadata().map_err(|error| unreadable(&error))?;
    if !found.is_file() && !found.is_dir() {
        return Err(Flaw::new("is neither file nor folder", "name a regular file"));
    }
    text(path, limit)
}

/// Reads a file of an app's folder `root`, or returns `None` if there is no file of that name. `root` must not contain symlinks.
pub(crate) fn of_app(root: &Path, name: &str, limit: u64) -> Result<Option<String>, Flaw> {
    let path = root.join(name);
    match path.canonicalize() {
        Ok(real) if !real.starts_with(root) => Err(Flaw::new(
            format!("leads out of the app's folder, to {}", real.display()),
            "copy it into the folder; only `env_files` and `secrets` may name files elsewhere",
        )),
        Ok(real) if real.is_dir() => Ok(None),
        // If the file is replaced by something else meanwhile, this fails instead of following it.
        Ok(real) => whole(beneath::open_file(&real).map_err(|error| unreadable(&error))?, limit).map(Some),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Returns whether an error means that there is no such file.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Describes why a file cannot be read. Says nothing about its contents.
pub(crate) fn unreadable(error: &io::Error) -> Flaw {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Flaw::new("there is no such file", "create it, or correct the path")
        }
        io::ErrorKind::IsADirectory => Flaw::new("is a folder", "name a file"),
        io::ErrorKind::InvalidData => Flaw::new("is not UTF-8 text", "save it as UTF-8"),
        _ => Flaw::new(format!("cannot be read: {error}"), "make it readable for this user"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "1234").unwrap();
        let error = |path: &Path, limit| regular(path, limit).unwrap_err().to_string();
        assert_eq!(regular(&file, 4), Ok("1234".into()));
        assert_eq!(error(&file, 3), "is too long; fix: keep it below 3 bytes");
        assert_eq!(error(dir.path(), 4), "is a folder; fix: name a file");
        assert_eq!(error(&file.join("x"), 4), "there is no such file; fix: create it, or correct the path");
        assert_eq!(error(Path::new("/dev/zero"), 4), "is neither file nor folder; fix: name a regular file");
        fs::write(&file, b"\xff").unwrap();
        assert_eq!(error(&file, 4), "is not UTF-8 text; fix: save it as UTF-8");
    }

    #[test]
    fn a_file_of_an_app_stays_inside_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("app");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("secret"), "A=1").unwrap();
        assert_eq!(of_app(&root, ".env", 9), Ok(None));
        fs::create_dir(root.join("folder")).unwrap();
        assert_eq!(of_app(&root, "folder", 9), Ok(None));
        symlink("../secret", root.join(".env")).unwrap();
        let error = of_app(&root, ".env", 9).unwrap_err().to_string();
        assert!(error.starts_with("leads out of the app's folder, to "), "{error}");
        fs::write(root.join("real"), "A=2").unwrap();
        fs::remove_file(root.join(".env")).unwrap();
        symlink("real", root.join(".env")).unwrap();
        assert_eq!(of_app(&root, ".env", 9), Ok(Some("A=2".into())));
    }
}
