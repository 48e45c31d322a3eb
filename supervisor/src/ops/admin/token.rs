//! The token of an admin listener without a configured one: generated at the first start, and stored in a file that only this
//! user can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use tracing::{info, warn};

use crate::config::{ControlPath, ServerSettings, is_token, make_private_folder, usual_control_path};

/// File name in the state folder. Beside the control socket, the extension of the socket's name.
const FILE: &str = "admin-token";

/// Random bytes in a token.
const BYTES: usize = 16;

/// Maximum size of the file, in bytes.
const LONGEST: u64 = 4096;

/// The token of this supervisor. A new one is logged once, with its file.
pub(crate) fn of(settings: &ServerSettings) -> io::Result<String> {
    for file in places(settings) {
        match kept(&file) {
            Ok((token, is_new)) => {
                if is_new {
                    let file = file.display();
                    info!(%file, token, "made a token for the admin listener; it is not shown again");
                }
                return Ok(token);
            }
            Err(error) => {
                info!(file = %file.display(), %error, "the token of the admin listener cannot be kept here");
            }
        }
    }
    let token = random()?;
    warn!(token, "made a token for the admin listener, until this supervisor ends; fix: set `state_dir`");
    Ok(token)
}

/// Possible files for it, best first.
fn places(settings: &ServerSettings) -> impl Iterator<Item = PathBuf> {
    let state = settings.state_dir.as_ref().map(|dir| dir.path.join(FILE));
    let control = match &settings.control {
        ControlPath::At(path) => Some(path.clone()),
        ControlPath::Usual => Some(usual_control_path(|name| std::env::var_os(name))),
        ControlPath::Off => None,
    };
    let control = control.map(|path| path.with_added_extension(FILE));
    state.into_iter().chain(control)
}

/// The token in a file, generated if there is none, and whether it is new.
fn kept(file: &Path) -> io::Result<(String, bool)> {
    let is_there = match read(file) {
        Ok(Some(token)) => return Ok((token, false)),
        Ok(None) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        // For instance a symlink, which was not created here.
        Err(_) => true,
    };
    if let Some(folder) = file.parent() {
        make_private_folder(folder)?;
    }
    let token = random()?;
    // Written under a temporary name: a reader never sees an incomplete file.
    let unfinished = file.with_added_extension(std::process::id().to_string());
    let _ = fs::remove_file(&unfinished);
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let done = writeln!(written, "{token}").and_then(|()| written.sync_all()).and_then(|()| {
        if is_there {
            warn!(file = %file.display(), "this is no token that only this user can read: another takes its place");
            return fs::rename(&unfinished, file);
        }
        fs::hard_link(&unfinished, file)
    });
    let _ = fs::remove_file(&unfinished);
    match done {
        Ok(()) => Ok((token, true)),
        // Another supervisor of this user has created it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let token = read(file)?.ok_or_else(|| io::Error::other("is no token"))?;
            Ok((token, false))
        }
        Err(error) => Err(error),
    }
}

/// The token in a file; none if the file is not private to this user or holds no valid token.
fn read(file: &Path) -> io::Result<Option<String>> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(file)?;
    let found = opened.metadata()?;
    if !found.is_file() || found.uid() != geteuid().as_raw() || found.mode() & 0o077 != 0 {
        return Ok(None);
    }
    let mut text = String::new();
    opened.take(LONGEST).read_to_string(&mut text)?;
    let token = text.trim();
    Ok(is_token(token).then(|| token.to_owned()))
}

fn random() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn it_is_made_once_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/admin-token");
        let (token, is_new) = kept(&file).unwrap();
        assert!(is_new && token.len() == 2 * BYTES);
        assert_eq!(kept(&file).unwrap(), (token.clone(), false));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        // A token that others could read, or have written, is not used.
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let (second, is_new) = kept(&file).unwrap();
        assert!(is_new && second != token);
        fs::write(dir.path().join("elsewhere"), "0123456789abcdef").unwrap();
        fs::remove_file(&file).unwrap();
        symlink(dir.path().join("elsewhere"), &file).unwrap();
        let (third, is_new) = kept(&file).unwrap();
        assert!(is_new && third != "0123456789abcdef");
        assert_eq!(fs::read_to_string(dir.path().join("elsewhere")).unwrap(), "0123456789abcdef");
        fs::write(&file, "short").unwrap();
        assert!(kept(&file).unwrap().1);
    }
}
