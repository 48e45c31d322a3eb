//! Finds the authority (host and port) that a request is for.

use std::borrow::Cow;
use std::net::SocketAddr;

use hyper::Version;
use hyper::header;
use hyper::http::request::Parts;
use hyper::http::uri::Scheme;

use crate::model::host_name::{canonical, split_port};
use crate::model::refusal::Refusal;

/// The authority of a request, as sent and in parts.
#[derive(Debug)]
pub(crate) struct Authority<'a> {
    /// As sent.
    authority: Cow<'a, str>,
    /// The host in its canonical form, as in URLs.
    name: Cow<'a, str>,
    /// The port in its canonical form, if one was given.
    port: Option<Cow<'a, str>>,
}

impl<'a> Authority<'a> {
    fn parse(authority: &'a str) -> Result<Self, Refusal> {
        let (name, port) = split_port(authority).ok_or(Refusal::Malformed)?;
        let name = canonical(name).ok_or(Refusal::Malformed)?;
        Ok(Self { authority: authority.into(), name, port: port.map(Cow::from) })
    }

    /// Returns the local address as an authority, for requests that need not name a host.
    fn here(local: SocketAddr) -> Self {
        let local = SocketAddr::new(local.ip().to_canonical(), local.port());
        let name = if local.is_ipv6() { format!("[{}]", local.ip()) } else { local.ip().to_string() };
        Self {
            authority: local.to_string().into(),
            name: name.into(),
            port: Some(local.port().to_string().into()),
        }
    }

    /// Returns host and port, as sent.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the host by which apps are distinguished: without a port and without a trailing dot.
    pub(crate) fn name(&self) -> &str {
        self.name.strip_suffix('.').unwrap_or(&self.name)
    }

    /// Returns scheme, host and port in the form of URLs: without the default port of the scheme.
    pub(crate) fn origin(&self, scheme: &str) -> String {
        match self.port(scheme) {
            Some(port) => [scheme, "://", &self.name, ":", port].concat(),
            None => [scheme, "://", &self.name].concat(),
        }
    }

    /// Returns the port, unless it is the default port of the scheme.
    fn port(&self, scheme: &str) -> Option<&str> {
        let own = if scheme == "https" { "443" } else { "80" };
        self.port.as_deref().filter(|port| *port != own)
    }
}

/// Finds the host: from the request target if that is absolute (RFC 9112, 3.2.2), else from `Host`. A request without either
/// is only valid in HTTP/1.0, where the local address stands in, as it does for an empty `Host`.
///
/// # Errors
/// [`Refusal::Malformed`] for a missing, repeated or invalid host, and in HTTP/2 for two different hosts (RFC 9113, 8.3.1).
pub(crate) fn host(request: &Parts, local: SocketAddr) -> Result<Authority<'_>, Refusal> {
    let mut fields = request.headers.get_all(header::HOST).iter();
    let (field, more) = (fields.next(), fields.next());
    let field = match field {
        _ if more.is_some() => return Err(Refusal::Malformed),
        Some(field) => Some(field.to_str().map_err(|_| Refusal::Malformed)?),
        None if request.version == Version::HTTP_11 => return Err(Refusal::Malformed),
        None => None,
    };
    let Some(authority) = request.uri.authority() else {
        return match field {
            Some("") => Ok(Authority::here(local)),
            Some(field) => Authority::parse(field),
            None if request.version == Version::HTTP_10 => Ok(Authority::here(local)),
            None => Err(Refusal::Malformed),
        };
    };
    let host = Authority::parse(authority.as_str())?;
    let is_http2 = request.version >= Version::HTTP_2;
    if let Some(field) = field
        && field != host.authority
        && (is_http2 || !field.is_empty())
    {
        // An invalid `Host` is refused even where the target takes precedence.
        let other = Authority::parse(field)?;
        let scheme = request.uri.scheme().map_or("http", Scheme::as_str);
        if is_http2 && (other.name != host.name || other.port(scheme) != host.port(scheme)) {
            return Err(Refusal::Malformed);
        }
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn parts(version: Version, target: &str, hosts: &[&str]) -> Parts {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header("host", *host);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn host_is_told_once_and_an_absolute_target_outranks_it() {
        let local = "[::ffff:127.0.0.1]:8080".parse().unwrap();
        let (http1, old, http2) = (Version::HTTP_11, Version::HTTP_10, Version::HTTP_2);
        for (version, target, hosts, origin) in [
            (http1, "/", &["EXAMPLE.com:80"][..], Some("http://example.com")),
            (http1, "/", &["example.com.:443"], Some("http://example.com.:443")),
            (http1, "/", &[""], Some("http://127.0.0.1:8080")),
            (http1, "/", &[], None),
            (http1, "/", &["a", "a"], None),
            (http1, "/", &["x:99999"], None),
            (http1, "/", &[":80"], None),
            (http1, "http://a/", &["b"], Some("http://a")),
            (http1, "http://a/", &[""], Some("http://a")),
            (http1, "http://a/", &["x:99999"], None),
            (http1, "http://a/", &[], None),
            (http1, "http://u@a/", &["a"], None),
            (old, "/", &[], Some("http://127.0.0.1:8080")),
            (http2, "http://a:80/", &[], Some("http://a")),
            (http2, "http://a:80/", &["A"], Some("http://a")),
            (http2, "http://a/", &["b"], None),
            (http2, "http://a/", &["a:81"], None),
            (http2, "/", &["b"], Some("http://b")),
        ] {
            let parts = parts(version, target, hosts);
            let found = host(&parts, local).ok().map(|host| host.origin("http"));
            assert_eq!(found.as_deref(), origin, "{version:?} {target} {hosts:?}");
        }
    }

    #[test]
    fn the_port_of_the_scheme_is_left_out() {
        let host = Authority::parse("Example.com:0443").unwrap();
        assert_eq!(host.origin("https"), "https://example.com");
        assert_eq!(host.origin("http"), "http://example.com:443");
        assert_eq!(host.authority(), "Example.com:0443");
    }
}
