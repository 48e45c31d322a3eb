//! Trace settings: where spans are sent, and which requests are sampled.

use std::fmt;
use std::path::{Path, PathBuf};

use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::errors::{Flaw, Place, Problems};
use crate::config::setting::{Setting, kinds};
use crate::config::{bounds, read};

/// Where spans are sent, and which requests are sampled.
#[derive(Clone, PartialEq)]
pub(crate) struct Traces {
    /// The URL that spans are posted to.
    pub url: Uri,
    /// Header fields that are sent with them, such as a key.
    pub headers: HeaderMap,
    /// The share of requests without a trace of their own that is recorded, 0 to 1.
    pub sample: f64,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values of header fields are secrets.
        let headers: Vec<_> = self.headers.keys().collect();
        let Self { url, sample, .. } = self;
        f.debug_struct("Traces").field("url", url).field("headers", &headers).field("sample", sample).finish()
    }
}

/// The path of spans below a collector's base URL.
const SPANS: &str = "/v1/traces";

/// The base URL of a collector, as in `OTEL_EXPORTER_OTLP_ENDPOINT`, with the path of spans appended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoint(Uri);

impl std::str::FromStr for Endpoint {
    type Err = Flaw;

    fn from_str(base: &str) -> Result<Self, Flaw> {
        let url = format!("{}{SPANS}", base.trim_end_matches('/')).parse::<Uri>().ok();
        let is_usable = |url: &Uri| {
            let authority = url.authority().map_or("", |authority| authority.as_str());
            matches!(url.scheme_str(), Some("http" | "https"))
                && !authority.is_empty()
                && !authority.contains('@')
                && url.query().is_none()
        };
        url.filter(is_usable).map(Self).ok_or_else(|| {
            let fix = "write the base URL of an OTLP/HTTP collector, such as \"http://127.0.0.1:4318\"";
            Flaw::new(format!("{base:?} is no endpoint"), fix)
        })
    }
}

/// The setting `otlp_endpoint`: the base URL of a collector.
pub(crate) fn endpoint() -> Setting<Endpoint> {
    kinds::parsed(|Endpoint(url)| url.to_string().trim_end_matches(SPANS).to_owned())
}

impl Traces {
    /// Returns the trace settings, if an endpoint is configured.
    pub(crate) fn resolve(
        endpoint: Option<Endpoint>,
        headers: Option<(PathBuf, Place)>,
        sample: f64,
        problems: &mut Problems,
    ) -> Option<Self> {
        let headers = match headers {
            Some((path, place)) => problems.keep(|| place, read_headers(&path)),
            None => Some(HeaderMap::new()),
        };
        let Endpoint(url) = endpoint?;
        Some(Self { url, headers: headers?, sample })
    }
}

/// Reads `name: value` lines, in the format of `curl --header @FILE`.
fn read_headers(path: &Path) -> Result<HeaderMap, Flaw> {
    let text = read::regular(path, bounds::SECRET_FILE)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let fields = lines.map(|(number, line)| {
        let field = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        field.ok_or_else(|| {
            let what = format!("line {} is no header field", number + 1);
            Flaw::new(what, "write one on each line, such as `authorization: Bearer KEY`")
        })
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the trace settings and the problems for this endpoint and a file with these header fields.
    fn traces(endpoint: Option<&str>, headers: &str) -> (Option<Traces>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headers");
        fs::write(&path, headers).unwrap();
        let mut problems = Problems::default();
        let endpoint = endpoint.map(|text| text.parse().unwrap());
        let found = Traces::resolve(endpoint, Some((path, Place::flag("headers"))), 0.5, &mut problems);
        (found, problems.texts())
    }

    #[test]
    fn they_are_off_unless_asked_for() {
        let headers = "x-key: secret:1\n\n Authorization :Bearer y\n";
        assert_eq!(traces(None, headers), (None, vec![]));
        let (found, problems) = traces(Some("https://x.example/otlp/"), headers);
        let found = found.unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!((found.url.to_string(), found.sample), ("https://x.example/otlp/v1/traces".into(), 0.5));
        assert_eq!(
            (&found.headers["x-key"], &found.headers["authorization"]),
            (&HeaderValue::from_static("secret:1"), &HeaderValue::from_static("Bearer y"))
        );
        assert!(!format!("{found:?}").contains("secret"));
        let (_, problems) = traces(None, "x-key: 1\nx key\n");
        assert!(
            problems[0].starts_with("headers: line 2 is no header field; fix: write one"),
            "{problems:?}"
        );
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in ["localhost:4318", "http://a:b@c", "http://x/?y", ""] {
            let flaw = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(flaw.starts_with(&format!("{text:?} is no endpoint; fix: write the base URL")), "{flaw}");
        }
    }
}
