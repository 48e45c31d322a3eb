//! Who may ask the admin listener for what: a token, and no page of somebody else's in an operator's browser.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use sha2::{Digest as _, Sha256};

/// Which changes must carry: a page of another origin cannot send it without asking first, and is not answered then.
const CHANGE: &str = "x-nano-admin";

/// What clients must bring along.
#[derive(Debug)]
pub struct Guard {
    /// The digest of the token: comparing digests tells nothing about the token by how long it takes.
    token: Option<[u8; 32]>,
}

impl Guard {
    /// With this token, or for clients of this machine alone.
    pub fn new(token: Option<&str>) -> Self {
        Self { token: token.map(|token| Sha256::digest(token).into()) }
    }

    /// Whether the request carries the token, if there is one.
    pub fn knows_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = self.token else { return true };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.split_once(' '));
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case("bearer") && Sha256::digest(given.trim()) == token.into()
        })
    }

    /// Without a token, whoever makes a browser of this machine ask must not be answered: a name that leads here by a trick
    /// (DNS rebinding) is not one of this machine's own.
    ///
    /// # Errors
    /// What to do, for people.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_own = |name: &str| {
            let name = name.trim_start_matches('[').trim_end_matches(']');
            let is_local = name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
            is_local || name == "localhost" || name.ends_with(".localhost")
        };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        if self.token.is_some() || is_own(name) {
            return Ok(());
        }
        Err("ask for localhost or 127.0.0.1, or set `admin_token_file`")
    }

    /// Whether a change comes from our own page or from a program, and not from a page of another origin.
    ///
    /// # Errors
    /// What to do, for people.
    pub fn check_change(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        if !headers.contains_key(CHANGE) || !matches!(site, None | Some("same-origin" | "none")) {
            return Err("a change needs the header x-nano-admin: 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        fields.iter().map(field).collect()
    }

    #[test]
    fn the_token_must_be_right() {
        let guard = Guard::new(Some("secret"));
        assert!(guard.knows_token(&headers(&[("authorization", "Bearer secret")])));
        assert!(guard.knows_token(&headers(&[("authorization", "bearer  secret")])));
        for wrong in ["Bearer secre", "Bearer secret1", "Basic secret", "secret", "Bearer ", "Bearer"] {
            assert!(!guard.knows_token(&headers(&[("authorization", wrong)])), "{wrong}");
        }
        assert!(!guard.knows_token(&headers(&[])));
        assert!(Guard::new(None).knows_token(&headers(&[])));
    }

    #[test]
    fn without_a_token_only_names_of_this_machine_are_answered() {
        let open = Guard::new(None);
        for own in
            ["localhost", "localhost:1", "127.0.0.1:1", "127.0.0.2", "[::1]:1", "[::1]", "nano.localhost:80"]
        {
            assert!(open.check_host(&headers(&[("host", own)])).is_ok(), "{own}");
        }
        for other in ["evil.example", "evil.example:1", "192.0.2.1", "localhost.evil.example", "", "[::2]:1"]
        {
            let host = headers(&[("host", other)]);
            assert!(open.check_host(&host).is_err(), "{other}");
            assert!(Guard::new(Some("secret")).check_host(&host).is_ok(), "{other}");
        }
    }

    #[test]
    fn changes_come_from_our_page_or_from_programs() {
        let guard = Guard::new(None);
        let mark = ("x-nano-admin", "1");
        assert!(guard.check_change(&headers(&[mark])).is_ok());
        assert!(guard.check_change(&headers(&[mark, ("sec-fetch-site", "same-origin")])).is_ok());
        assert!(guard.check_change(&headers(&[])).is_err());
        for site in ["cross-site", "same-site"] {
            assert!(guard.check_change(&headers(&[mark, ("sec-fetch-site", site)])).is_err(), "{site}");
        }
    }
}
