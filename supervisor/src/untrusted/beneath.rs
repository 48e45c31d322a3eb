//! Opens files and folders component by component, never through a symlink. So the file that was checked is the file that is
//! read, even if somebody changes the path in between.

use std::ffi::{OsStr, OsString};
use std::fs::{File, ReadDir};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, fstatat};

/// Greatest depth. Each level holds a descriptor.
const DEEPEST: usize = 256;

/// A folder, and the open folders on the path to what was used last.
#[derive(Debug)]
pub(crate) struct Beneath {
    root: OwnedFd,
    way: Vec<(OsString, OwnedFd)>,
}

impl Beneath {
    /// Opens the folder at an absolute path without symlinks.
    ///
    /// # Errors
    /// The error of the system call, such as if there is a symlink by now.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let mut folder = open("/", flags(), Mode::empty())?;
        for part in root.components() {
            if let Component::Normal(name) = part {
                folder = openat(&folder, name, flags(), Mode::empty())?;
            }
        }
        Ok(Self { root: folder, way: Vec::new() })
    }

    /// Lists a folder at a path relative to this one.
    ///
    /// # Errors
    /// The error of the system call.
    pub(crate) fn entries(&mut self, folder: &Path) -> io::Result<ReadDir> {
        let folder = self.folder(folder)?;
        // Through the descriptor, not the path, which may name something else by now.
        std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))
    }

    /// The metadata of `path`, without following a symlink.
    ///
    /// # Errors
    /// The error of the system call.
    pub(crate) fn look(&mut self, path: &Path) -> io::Result<FileStat> {
        let (folder, name) = self.parent(path)?;
        Ok(fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    /// The target of the symlink at `path`.
    ///
    /// # Errors
    /// The error of the system call.
    pub(crate) fn target(&mut self, path: &Path) -> io::Result<PathBuf> {
        let (folder, name) = self.parent(path)?;
        Ok(readlinkat(folder, name)?.into())
    }

    /// Opens the regular file at `path`. Does not block on a FIFO.
    ///
    /// # Errors
    /// The error of the system call, or that it is not a regular file.
    pub(crate) fn file(&mut self, path: &Path) -> io::Result<File> {
        let (folder, name) = self.parent(path)?;
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = File::from(openat(folder, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(file)
    }

    fn parent<'a>(&mut self, path: &'a Path) -> io::Result<(&OwnedFd, &'a OsStr)> {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok((self.folder(path.parent().unwrap_or(Path::new("")))?, name))
    }

    /// Opens a folder, reusing the folders on its path that are open already.
    fn folder(&mut self, path: &Path) -> io::Result<&OwnedFd> {
        let names: Vec<_> = path.iter().collect();
        if names.len() > DEEPEST {
            return Err(io::Error::other(format!("it is more than {DEEPEST} folders deep")));
        }
        let shared = self.way.iter().zip(&names).take_while(|((open, _), name)| open == *name).count();
        self.way.truncate(shared);
        for name in names.into_iter().skip(shared) {
            let above = self.way.last().map_or(&self.root, |(_, folder)| folder);
            let folder = openat(above, name, flags(), Mode::empty())?;
            self.way.push((name.to_owned(), folder));
        }
        Ok(self.way.last().map_or(&self.root, |(_, folder)| folder))
    }
}

/// The flags for folders. `O_PATH`: a folder need not be readable to be passed through.
fn flags() -> OFlag {
    OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

/// Opens the regular file at an absolute path without symlinks.
///
/// # Errors
/// The error of the system call, such as if there is a symlink by now.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Beneath::open(folder)?.file(Path::new(name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_symlink_is_followed_on_the_way_or_at_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("app/a/b")).unwrap();
        fs::write(root.join("app/a/b/file"), "inside").unwrap();
        fs::create_dir(root.join("elsewhere")).unwrap();
        fs::write(root.join("elsewhere/file"), "outside").unwrap();
        let mut app = Beneath::open(&root.join("app")).unwrap();
        assert_eq!(io::read_to_string(app.file(Path::new("a/b/file")).unwrap()).unwrap(), "inside");
        assert_eq!(app.entries(Path::new("a")).unwrap().count(), 1);
        symlink("../../elsewhere", root.join("app/a/link")).unwrap();
        assert_eq!(app.target(Path::new("a/link")).unwrap(), Path::new("../../elsewhere"));
        assert!(app.file(Path::new("a/link/file")).is_err() && app.entries(Path::new("a/link")).is_err());
        symlink("b/file", root.join("app/a/alias")).unwrap();
        assert!(app.file(Path::new("a/alias")).is_err() && app.file(Path::new("a/b")).is_err());
        // What has been opened stays what it is.
        fs::rename(root.join("app"), root.join("old")).unwrap();
        symlink("elsewhere", root.join("app")).unwrap();
        assert!(app.file(Path::new("a/b/file")).is_ok());
        assert!(Beneath::open(&root.join("app")).is_err() && open_file(&root.join("app/file")).is_err());
        assert!(open_file(&root.join("elsewhere/file")).is_ok());
    }
}
