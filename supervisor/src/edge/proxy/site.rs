//! Finds the app of a request on a listening address, by host.

use std::collections::HashMap;
use std::rc::Rc;

use crate::config::HostPattern;
use crate::edge::upstream::Upstream;

/// The apps that share one listening address.
#[derive(Debug, Default)]
pub(crate) struct Site {
    /// The app that serves all other hosts.
    default: Option<Rc<Upstream>>,
    exact: HashMap<String, Rc<Upstream>>,
    /// Longest pattern first, so that the most specific one wins.
    wildcards: Vec<(HostPattern, Rc<Upstream>)>,
}

impl Site {
    pub(crate) fn new<'a>(upstreams: impl Iterator<Item = &'a Rc<Upstream>>) -> Self {
        let mut site = Self::default();
        upstreams.for_each(|upstream| site.add(upstream));
        site
    }

    /// Adds an app under its hosts, or for all hosts if it names none.
    fn add(&mut self, upstream: &Rc<Upstream>) {
        let spec = upstream.spec();
        if spec.hosts.is_empty() {
            self.default = Some(upstream.clone());
        }
        for pattern in &spec.hosts {
            match pattern.exact() {
                Some(host) => {
                    self.exact.insert(host.to_owned(), upstream.clone());
                }
                None => self.wildcards.push((pattern.clone(), upstream.clone())),
            }
        }
        self.wildcards.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.as_str().len()));
    }

    /// Returns the app for `host`, which is canonical, without a port and without a trailing dot.
    pub(crate) fn upstream(&self, host: &str) -> Option<Rc<Upstream>> {
        if !self.exact.is_empty() || !self.wildcards.is_empty() {
            let wildcard = || self.wildcards.iter().find(|(pattern, _)| pattern.matches(host));
            if let Some(found) = self.exact.get(host).or_else(|| wildcard().map(|(_, upstream)| upstream)) {
                return Some(found.clone());
            }
        }
        self.default.clone()
    }
}
