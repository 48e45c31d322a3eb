//! Host names by which apps share a port.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::bounds;
use super::errors::Flaw;

/// What begins a pattern for all hosts below a name.
const WILDCARD: &str = "*.";

/// A host an app serves: an exact name (`blog.example`), or every name below one (`*.blog.example`, which does not match
/// `blog.example` itself). Lower case, without port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPattern(String);

impl HostPattern {
    /// The pattern as text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one host it matches, in lower case, unless it has a wildcard.
    pub fn exact(&self) -> Option<&str> {
        (!self.0.starts_with(WILDCARD)).then_some(&*self.0)
    }

    /// Whether `host` (a name without port, in any case) is meant.
    pub fn matches(&self, host: &str) -> bool {
        let Some(suffix) = self.0.strip_prefix('*') else { return self.0.eq_ignore_ascii_case(host) };
        // The suffix begins with its dot, so what is before it ends a label; an empty label is no host.
        match host.len().checked_sub(suffix.len()).and_then(|split| host.split_at_checked(split)) {
            Some((label, end)) => !label.is_empty() && end.eq_ignore_ascii_case(suffix),
            None => false,
        }
    }
}

impl FromStr for HostPattern {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        let pattern = text.to_ascii_lowercase();
        let name = pattern.strip_prefix(WILDCARD).unwrap_or(&pattern);
        let is_ipv6 = |name: &str| {
            let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
            address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        };
        if is_host_name(name) || is_ipv6(&pattern) {
            return Ok(Self(pattern));
        }
        let (host, port) = name.rsplit_once(':').unwrap_or((name, ""));
        let fix = if pattern == "*" {
            "leave out `hosts`: an app without them serves every host that no other app on its port claims"
                .into()
        } else if name.parse::<Ipv6Addr>().is_ok() {
            format!("write it in brackets: \"[{name}]\"")
        } else if is_host_name(host) && port.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("leave out the port: {:?}", pattern.strip_suffix(&format!(":{port}")).unwrap_or(&pattern))
        } else if name.contains("//") {
            "leave out the scheme: write the bare name, such as \"blog.example\"".into()
        } else if !name.is_ascii() {
            "write an international name in its ASCII form (xn--...)".into()
        } else {
            "write a name such as \"blog.example\", or \"*.blog.example\" for all names below it".into()
        };
        Err(Flaw::new(format!("{text:?} is not a host name"), fix))
    }
}

/// Whether `name` is made of labels that a host may have.
pub(super) fn is_host_name(name: &str) -> bool {
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
    fn an_exact_name_matches_in_any_case() {
        let pattern = pattern("Blog.Example");
        assert_eq!(pattern.exact(), Some("blog.example"));
        assert!(pattern.matches("blog.example") && pattern.matches("BLOG.example"));
        for other in ["", "example", "a.blog.example", "blog.example.", "blog.example:80", "blogxexample"] {
            assert!(!pattern.matches(other), "{other}");
        }
    }

    #[test]
    fn a_wildcard_matches_every_name_below_and_not_the_name_itself() {
        let pattern = pattern("*.Blog.example");
        assert_eq!((pattern.exact(), pattern.as_str()), (None, "*.blog.example"));
        assert!(pattern.matches("a.blog.example") && pattern.matches("A.b.BLOG.example"));
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
    }

    #[test]
    fn other_patterns_are_refused_with_a_fix() {
        for (text, fix) in [
            ("*", "leave out `hosts`"),
            ("::1", "write it in brackets: \"[::1]\""),
            ("blog.example:8080", "leave out the port: \"blog.example\""),
            ("*.blog.example:8080", "leave out the port: \"*.blog.example\""),
            ("http://blog.example", "leave out the scheme"),
            ("bücher.example", "ASCII form"),
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
