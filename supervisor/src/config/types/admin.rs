//! The admin listener: its address and its token.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use toml::de::DeValue;

use crate::config::document::value;
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::setting::json::text;
use crate::config::setting::{Setting, kinds};
use crate::config::{bounds, read};

/// Shortest token, in characters. Shorter ones could be guessed.
const SHORTEST: usize = 16;

/// An admin listener.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    /// The token that clients must send, if one is configured. `None` only if the listener is reachable only from this machine.
    pub token: Option<String>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("Admin").field("address", &self.address).field("token", &token).finish()
    }
}

/// The setting `admin`: an address with a port.
pub(crate) fn address() -> Setting<SocketAddr> {
    let convert = |value: &DeValue<'_>| {
        let text = value::text(value)?;
        text.parse().map_err(|_| {
            let fix = "write address and port, such as \"127.0.0.1:9100\" or \"[::1]:9100\"";
            Flaw::new(format!("{text:?} is not an address with a port"), fix)
        })
    };
    kinds::value("address", text(), convert, |address| json!(address))
}

impl Admin {
    /// Returns the listener, if one is configured. A listener that other machines can reach needs a token.
    pub(crate) fn resolve(
        address: Option<(SocketAddr, Place)>,
        token: Option<(PathBuf, Place)>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let token = token.and_then(|(path, place)| problems.keep(|| place, read_token(&path)));
        let (address, place) = address?;
        if token.is_none() && !address.ip().to_canonical().is_loopback() {
            let what = format!("{address} can be reached from elsewhere");
            problems.add(place, Flaw::new(what, "set `admin_token_file`, or listen on 127.0.0.1"));
            return None;
        }
        Some(Self { address, token })
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

/// Returns whether `text` can be a token: it is hard to guess, and can be sent in a header.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() >= SHORTEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn admin(address: &str, token: Option<&Path>) -> (Option<Admin>, Vec<String>) {
        let place = |field| Place::flag(format!("--{field}"));
        let token = token.map(|path| (path.to_owned(), place("admin-token-file")));
        let mut problems = Problems::default();
        let address = Some((address.parse().unwrap(), place("admin")));
        (Admin::resolve(address, token, &mut problems), problems.texts())
    }

    #[test]
    fn it_needs_a_token_for_others() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "0123456789abcdef\n").unwrap();
        fs::write(dir.path().join("short"), "0123456789").unwrap();
        let local = Admin { address: "127.0.0.1:1".parse().unwrap(), token: None };
        assert_eq!(admin("127.0.0.1:1", None), (Some(local), vec![]));
        let open = Admin { address: "0.0.0.0:1".parse().unwrap(), token: Some("0123456789abcdef".into()) };
        assert_eq!(admin("0.0.0.0:1", Some(&dir.path().join("token"))).0, Some(open.clone()));
        assert!(!format!("{open:?}").contains("0123"));
        for (address, token, problem) in [
            ("[::]:1", None, "--admin: [::]:1 can be reached from elsewhere; fix: set"),
            ("127.0.0.1:1", Some("short"), "--admin-token-file: holds no token; fix: write at least 16"),
            ("127.0.0.1:1", Some("none"), "--admin-token-file: there is no such file; fix: "),
        ] {
            let found = admin(address, token.map(|name| dir.path().join(name)).as_deref()).1;
            assert!(found[0].starts_with(problem), "{found:?}");
        }
    }
}
