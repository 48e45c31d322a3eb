//! The admin listener: where it is, and who may use it.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::bounds;
use crate::config::document::section::Section;
use crate::config::document::value::{parsed, text};
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::read;
use crate::config::sources::flags::ServerFlags;

/// Shortest token, in characters: shorter ones can be guessed.
const SHORTEST: usize = 16;

/// An admin listener.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    /// What clients must know, if that is configured; none where only this machine can connect.
    pub token: Option<String>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("Admin").field("address", &self.address).field("token", &token).finish()
    }
}

/// What the configuration says of it.
#[derive(Debug, Default)]
pub(crate) struct AdminDraft {
    address: Option<(SocketAddr, Place)>,
    token: Option<(PathBuf, Place)>,
}

/// An address with its port, as messages ask for it.
struct Address(SocketAddr);

impl std::str::FromStr for Address {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        text.parse().map(Self).map_err(|_| {
            let fix = "write address and port, such as \"127.0.0.1:9100\" or \"[::1]:9100\"";
            Flaw::new(format!("{text:?} is not an address with a port"), fix)
        })
    }
}

impl AdminDraft {
    /// What the fields `admin` and `admin_token_file` say. Paths are relative to `folder`.
    pub(crate) fn read(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Self {
        let address = section.read("admin", parsed::<Address>, problems);
        let token = section.read("admin_token_file", text, problems);
        Self {
            address: address.map(|Address(address)| (address, section.place("admin"))),
            token: token.map(|path| (folder.join(path), section.place("admin_token_file"))),
        }
    }

    /// This, except for what flags say otherwise.
    pub(crate) fn overridden(mut self, flags: &ServerFlags, problems: &mut Problems) -> Self {
        if let Some(text) = &flags.admin {
            let place = Place::flag(format!("--admin {text}"));
            if let Some(Address(address)) = problems.keep(|| place.clone(), text.parse()) {
                self.address = Some((address, place));
            }
        }
        if let Some(path) = &flags.admin_token_file {
            let place = Place::flag(format!("--admin-token-file {}", path.display()));
            self.token = Some((path.clone(), place));
        }
        self
    }

    /// The listener, if there is to be one. What can be reached from elsewhere needs a token.
    pub(crate) fn resolve(self, problems: &mut Problems) -> Option<Admin> {
        let token = self.token.and_then(|(path, place)| problems.keep(|| place, read_token(&path)));
        let (address, place) = self.address?;
        if token.is_none() && !address.ip().to_canonical().is_loopback() {
            let what = format!("{address} can be reached from elsewhere");
            problems.add(place, Flaw::new(what, "set `admin_token_file`, or listen on 127.0.0.1"));
            return None;
        }
        Some(Admin { address, token })
    }
}

fn read_token(path: &Path) -> Result<String, Flaw> {
    let text = read::regular(path, bounds::SECRET_FILE)?;
    let token = text.trim();
    if !is_token(token) {
        let fix = format!("write at least {SHORTEST} printable characters without spaces into it");
        return Err(Flaw::new("holds no token", fix));
    }
    Ok(token.to_owned())
}

/// Whether `text` can be a token: nobody guesses it, and it can be sent in a header.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;

    fn admin(section: &str, base: &Path, flags: &ServerFlags) -> (Option<Admin>, Vec<String>) {
        let table = DeTable::parse(section).unwrap();
        let top = Section::top(Document::config("nano.toml", section), table.get_ref());
        let mut problems = Problems::default();
        let draft = AdminDraft::read(&top, base, &mut problems).overridden(flags, &mut problems);
        (draft.resolve(&mut problems), problems.texts())
    }

    #[test]
    fn it_is_off_unless_asked_for_and_needs_a_token_for_others() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "0123456789abcdef\n").unwrap();
        fs::write(dir.path().join("short"), "0123456789").unwrap();
        let read = |section: &str| admin(section, dir.path(), &ServerFlags::default());
        assert_eq!(read(""), (None, vec![]));
        let local = Admin { address: "127.0.0.1:1".parse().unwrap(), token: None };
        assert_eq!(read("admin = '127.0.0.1:1'"), (Some(local), vec![]));
        let open = Admin { address: "0.0.0.0:1".parse().unwrap(), token: Some("0123456789abcdef".into()) };
        assert_eq!(read("admin = '0.0.0.0:1'\nadmin_token_file = 'token'").0, Some(open.clone()));
        assert!(!format!("{open:?}").contains("0123"));
        for (section, problem) in [
            (
                "admin = 'x'",
                "nano.toml:1: admin: \"x\" is not an address with a port; fix: write address and port,",
            ),
            ("admin = '[::]:1'", "nano.toml:1: admin: [::]:1 can be reached from elsewhere; fix: set"),
            (
                "admin = '127.0.0.1:1'\nadmin_token_file = 'short'",
                "nano.toml:2: admin_token_file: holds no token; fix: write at least 16",
            ),
            ("admin_token_file = 'none'", "nano.toml:1: admin_token_file: there is no such file; fix: "),
        ] {
            let found = read(section).1;
            assert!(found[0].starts_with(problem), "{found:?}");
        }
        let flags = ServerFlags {
            admin: Some("[::1]:2".into()),
            admin_token_file: Some(dir.path().join("token")),
            ..ServerFlags::default()
        };
        let flagged = Admin { address: "[::1]:2".parse().unwrap(), ..open };
        assert_eq!(admin("admin = '127.0.0.1:1'", dir.path(), &flags).0, Some(flagged));
    }
}
