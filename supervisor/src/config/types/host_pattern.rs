//! Host patterns, by which apps share a port.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::config::bounds;
use crate::config::errors::Flaw;
use crate::model::host_name::canonical;

/// The prefix of a pattern for all hosts below a name.
const WILDCARD: &str = "*.";

/// A host that an app serves: an exact name (`blog.example`), or every name below one (`*.blog.example`, which does not match
/// `blog.example` itself). It is in the form by which requests are routed, see [`canonical`], without a port and without a
/// trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HostPattern(String);

impl HostPattern {
    /// Returns the pattern as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the only host that it matches, or `None` if it has a wildcard.
    pub(crate) fn exact(&self) -> Option<&str> {
        (!self.0.starts_with(WILDCARD)).then_some(&*self.0)
    }

    /// Returns whether the pattern matches `host`, which must be in the same form.
    pub(crate) fn matches(&self, host: &str) -> bool {
        let Some(suffix) = self.0.strip_prefix('*') else { return self.0 == host };
        // The suffix begins with a dot, so the text before it consists of whole labels. It must not be empty.
        host.strip_suffix(suffix).is_some_and(|label| !label.is_empty())
    }
}

impl FromStr for HostPattern {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        let pattern = text.to_ascii_lowercase();
        let name = pattern.strip_prefix(WILDCARD).unwrap_or(&pattern);
        if let Some(host) = canonical(name.strip_suffix('.').unwrap_or(name)) {
            if name.len() == pattern.len() {
                return Ok(Self(host.into_owned()));
            }
            // There are no names below an address.
            if canonical(&format!("a.{host}")).is_some() {
                return Ok(Self(format!("{WILDCARD}{host}")));
            }
        }
        let port = name
            .rsplit_once(':')
            .filter(|(host, port)| is_host_name(host) && port.bytes().all(|byte| byte.is_ascii_digit()));
        let fix = if pattern == "*" {
            "leave out `hosts`: an app without them serves every host that no other app on its port claims"
                .into()
        } else if name.parse::<Ipv6Addr>().is_ok() {
            format!("write it in brackets: \"[{name}]\"")
        } else if let Some((_, port)) = port {
            format!("leave out the port: {:?}", pattern.strip_suffix(&format!(":{port}")).unwrap_or(&pattern))
        } else if name.contains("//") {
            "leave out the scheme: write the bare name, such as \"blog.example\"".into()
        } else {
            "write a name such as \"blog.example\", or \"*.blog.example\" for all names below it".into()
        };
        Err(Flaw::new(format!("{text:?} is not a host name"), fix))
    }
}

/// Returns whether `name` consists of labels that are valid in a host name.
pub(crate) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(is_label_byte)
    };
    name.len() <= bounds::HOST && name.split('.').all(is_label)
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().unwrap()
    }

    #[test]
    fn an_exact_name_is_spelt_in_one_way() {
        for text in ["Blog.Example", "blog.example.", "blog.example"] {
            assert_eq!(pattern(text).exact(), Some("blog.example"));
        }
        assert_eq!(pattern("Bücher.example").exact(), Some("xn--bcher-kva.example"));
        assert_eq!(pattern("*.Bücher.example").as_str(), "*.xn--bcher-kva.example");
        let pattern = pattern("Blog.Example");
        assert!(pattern.matches("blog.example"));
        for other in ["", "example", "a.blog.example", "blog.example.", "blog.example:80", "blogxexample"] {
            assert!(!pattern.matches(other), "{other}");
        }
    }

    #[test]
    fn a_wildcard_matches_every_name_below_and_not_the_name_itself() {
        let pattern = pattern("*.Blog.example");
        assert_eq!((pattern.exact(), pattern.as_str()), (None, "*.blog.example"));
        assert!(pattern.matches("a.blog.example") && pattern.matches("a.b.blog.example"));
        for other in
            ["", "blog.example", ".blog.example", "ablog.example", "a.blog.example.org", "ää.example"]
        {
            assert!(!pattern.matches(other), "{other}");
        }
    }

    #[test]
    fn addresses_are_hosts_too() {
        assert!(pattern("127.0.0.1").matches("127.0.0.1"));
        assert!(pattern("[::1]").matches("[::1]"));
        assert_eq!(pattern("0x7f.1").exact(), Some("127.0.0.1"));
        assert_eq!(pattern("[0:0::1]").exact(), Some("[::1]"));
    }

    #[test]
    fn other_patterns_are_refused_with_a_fix() {
        for (text, fix) in [
            ("*", "leave out `hosts`"),
            ("::1", "write it in brackets: \"[::1]\""),
            ("blog.example:8080", "leave out the port: \"blog.example\""),
            ("*.blog.example:8080", "leave out the port: \"*.blog.example\""),
            ("http://blog.example", "leave out the scheme"),
            ("xn--a.example", "write a name such as"),
            ("256.256.256.256", "write a name such as"),
            ("*.127.0.0.1", "write a name such as"),
            ("ex%61mple.com", "write a name such as"),
            ("", "write a name such as"),
            ("a..b", "write a name such as"),
            ("a.*.b", "write a name such as"),
            ("*.", "write a name such as"),
            ("a b", "write a name such as"),
            ("blog.example/", "write a name such as"),
        ] {
            let flaw = text.parse::<HostPattern>().unwrap_err();
            assert!(flaw.fix().starts_with(fix) || flaw.fix().contains(fix), "{text}: {flaw}");
            assert_eq!(flaw.what(), format!("{text:?} is not a host name"));
        }
    }
}
