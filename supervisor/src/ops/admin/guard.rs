//! Authorisation of the admin listener: a bearer token, and protection against foreign pages in an operator's browser (CSRF
//! and DNS rebinding).

use std::net::IpAddr;

use hyper::Method;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use sha2::{Digest as _, Sha256};

/// Requests that change something must carry this header. A page of another origin can only send it after a CORS preflight,
/// which is not granted.
const CHANGE: &str = "x-nano-admin";

/// The access rules of one admin listener.
#[derive(Debug)]
pub(crate) struct Guard {
    /// SHA-256 of the token. Comparing digests leaks nothing about the token through timing.
    token: [u8; 32],
    /// Whether an operator configured the token. Then everything but probes and the page needs it.
    is_configured: bool,
}

/// What a request asks for, by the access that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// `/healthz` and `/readyz`: open to everybody, with any Host header.
    Probe,
    /// The dashboard's static files: open to everybody. They hold no data.
    Page,
    /// States and numbers: open on this machine, unless a token is configured.
    Overview,
    /// Everything else, such as logs, requests, and every change: needs the token.
    Protected,
}

impl Access {
    /// Classifies a request. `is_page` says whether `path` is a file of the dashboard.
    pub(crate) fn of(method: &Method, path: &str, is_page: bool) -> Self {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Self::Protected;
        }
        let app = path.strip_prefix("/v1/apps/").map(|rest| rest.split('/').skip(1).collect::<Vec<_>>());
        match (path, app.as_deref()) {
            ("/healthz" | "/readyz", _) => Self::Probe,
            _ if is_page => Self::Page,
            ("/metrics" | "/v1/status" | "/v1/news", _) => Self::Overview,
            (_, Some([] | ["history"])) => Self::Overview,
            _ => Self::Protected,
        }
    }
}

impl Guard {
    /// `is_configured` says whether an operator set the token or the supervisor generated it.
    pub(crate) fn new(token: &str, is_configured: bool) -> Self {
        Self { token: Sha256::digest(token).into(), is_configured }
    }

    /// Whether the request carries the token, or needs none.
    pub(crate) fn allows(&self, access: Access, headers: &HeaderMap) -> bool {
        match access {
            Access::Probe | Access::Page => true,
            Access::Overview => !self.is_configured || self.has_token(headers),
            Access::Protected => self.has_token(headers),
        }
    }

    pub(crate) fn has_token(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.split_once(' '));
        given.is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case("bearer") && Sha256::digest(given.trim()) == self.token.into()
        })
    }

    /// Refuses Host headers that do not name this machine while parts are open without a token: by DNS rebinding, a foreign
    /// page could otherwise read them through a browser on this machine.
    ///
    /// # Errors
    /// The fix, for people.
    pub(crate) fn check_host(&self, headers: &HeaderMap) -> Result<(), &'static str> {
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
        if self.is_configured || is_own(name) {
            return Ok(());
        }
        Err("ask for localhost or 127.0.0.1, or set `admin_token_file`")
    }

    /// Refuses a change that comes from a page of another origin, and not from the dashboard or a program.
    ///
    /// # Errors
    /// The fix, for people.
    pub(crate) fn check_change(&self, headers: &HeaderMap) -> Result<(), &'static str> {
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

    const MADE: bool = false;

    #[test]
    fn the_token_must_be_right() {
        for guard in [Guard::new("secret", true), Guard::new("secret", MADE)] {
            let allows = |value| guard.allows(Access::Protected, &headers(&[("authorization", value)]));
            assert!(allows("Bearer secret") && allows("bearer  secret"));
            for wrong in ["Bearer secre", "Bearer secret1", "Basic secret", "secret", "Bearer ", "Bearer"] {
                assert!(!allows(wrong), "{wrong}");
            }
            assert!(!guard.allows(Access::Protected, &headers(&[])));
        }
    }

    #[test]
    fn only_states_and_numbers_are_open_where_no_token_is_configured() {
        let (configured, made) = (Guard::new("secret", true), Guard::new("secret", MADE));
        let get = |path| Access::of(&Method::GET, path, path == "/");
        for (path, is_open, is_open_if_made) in [
            ("/healthz", true, true),
            ("/readyz", true, true),
            ("/", true, true),
            ("/metrics", false, true),
            ("/v1/status", false, true),
            ("/v1/news", false, true),
            ("/v1/apps/a", false, true),
            ("/v1/apps/a/history", false, true),
            ("/v1/apps/a/history/x", false, false),
            ("/v1/logs", false, false),
            ("/v1/crashes", false, false),
            ("/v1/apps/a/deploys", false, false),
            ("/v1/whatever/comes", false, false),
        ] {
            assert_eq!(configured.allows(get(path), &headers(&[])), is_open, "{path}");
            assert_eq!(made.allows(get(path), &headers(&[])), is_open_if_made, "{path}");
            assert_eq!(Access::of(&Method::POST, path, path == "/"), Access::Protected);
        }
    }

    #[test]
    fn without_a_configured_token_only_names_of_this_machine_are_answered() {
        let open = Guard::new("secret", MADE);
        for own in
            ["localhost", "localhost:1", "127.0.0.1:1", "127.0.0.2", "[::1]:1", "[::1]", "nano.localhost:80"]
        {
            assert!(open.check_host(&headers(&[("host", own)])).is_ok(), "{own}");
        }
        for other in ["evil.example", "evil.example:1", "192.0.2.1", "localhost.evil.example", "", "[::2]:1"]
        {
            let host = headers(&[("host", other)]);
            assert!(open.check_host(&host).is_err(), "{other}");
            assert!(Guard::new("secret", true).check_host(&host).is_ok(), "{other}");
        }
    }

    #[test]
    fn changes_come_from_our_page_or_from_programs() {
        let guard = Guard::new("secret", MADE);
        let mark = ("x-nano-admin", "1");
        assert!(guard.check_change(&headers(&[mark])).is_ok());
        assert!(guard.check_change(&headers(&[mark, ("sec-fetch-site", "same-origin")])).is_ok());
        assert!(guard.check_change(&headers(&[])).is_err());
        for site in ["cross-site", "same-site"] {
            assert!(guard.check_change(&headers(&[mark, ("sec-fetch-site", site)])).is_err(), "{site}");
        }
    }
}
