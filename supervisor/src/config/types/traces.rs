//! Spans: where they go, and of which requests there are any.

use std::fmt;
use std::path::{Path, PathBuf};

use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::bounds;
use crate::config::document::section::Section;
use crate::config::document::value::{decimal, parsed, text};
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::read;
use crate::config::sources::flags::ServerFlags;

/// Where spans go, and of which requests there are any.
#[derive(Clone, PartialEq)]
pub(crate) struct Traces {
    /// Where they are posted to.
    pub url: Uri,
    /// What is sent along, such as a key.
    pub headers: HeaderMap,
    /// Which share of the requests is recorded that begin a trace, 0 to 1.
    pub sample: f64,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Their values are secrets.
        let headers: Vec<_> = self.headers.keys().collect();
        let Self { url, sample, .. } = self;
        f.debug_struct("Traces").field("url", url).field("headers", &headers).field("sample", sample).finish()
    }
}

/// What the configuration says of it.
#[derive(Debug, Default)]
pub(crate) struct TracesDraft {
    endpoint: Option<Endpoint>,
    headers: Option<(PathBuf, Place)>,
    sample: Option<f64>,
}

/// The base URL of a collector, as OTEL_EXPORTER_OTLP_ENDPOINT has it, with the path of spans.
#[derive(Debug)]
struct Endpoint(Uri);

impl std::str::FromStr for Endpoint {
    type Err = Flaw;

    fn from_str(base: &str) -> Result<Self, Flaw> {
        let url = format!("{}/v1/traces", base.trim_end_matches('/')).parse::<Uri>().ok();
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

impl TracesDraft {
    /// What the fields `otlp_endpoint`, `otlp_headers_file` and `trace_sample` say. Paths are relative to `folder`.
    pub(crate) fn read(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Self {
        let headers = section.read("otlp_headers_file", text, problems);
        Self {
            endpoint: section.read("otlp_endpoint", parsed, problems),
            headers: headers.map(|path| (folder.join(path), section.place("otlp_headers_file"))),
            sample: section.read("trace_sample", decimal(bounds::TRACE_SAMPLE), problems),
        }
    }

    /// This, except for what flags say otherwise.
    pub(crate) fn overridden(mut self, flags: &ServerFlags, problems: &mut Problems) -> Self {
        if let Some(text) = flags.otlp_endpoint.as_ref().filter(|text| !text.is_empty()) {
            let place = || Place::flag(format!("--otlp-endpoint {text}"));
            self.endpoint = problems.keep(place, text.parse()).or(self.endpoint);
        }
        self
    }

    /// What there is to do, if anybody has said where spans go.
    pub(crate) fn resolve(self, problems: &mut Problems) -> Option<Traces> {
        let headers = match self.headers {
            Some((path, place)) => problems.keep(|| place, read_headers(&path)),
            None => Some(HeaderMap::new()),
        };
        let Endpoint(url) = self.endpoint?;
        Some(Traces { url, headers: headers?, sample: self.sample.unwrap_or(1.0) })
    }
}

/// `name: value` lines, as `curl --header @FILE` takes them.
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

    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;

    fn traces(section: &str, base: &Path, flags: &ServerFlags) -> (Option<Traces>, Vec<String>) {
        let table = DeTable::parse(section).unwrap();
        let top = Section::top(Document::config("nano.toml", section), table.get_ref());
        let mut problems = Problems::default();
        let draft = TracesDraft::read(&top, base, &mut problems).overridden(flags, &mut problems);
        (draft.resolve(&mut problems), problems.texts())
    }

    #[test]
    fn they_are_off_unless_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("headers"), "x-key: secret:1\n\n Authorization :Bearer y\n").unwrap();
        fs::write(dir.path().join("wrong"), "x-key: 1\nx key\n").unwrap();
        let read = |section: &str| traces(section, dir.path(), &ServerFlags::default());
        assert_eq!(read("trace_sample = 0.5"), (None, vec![]));
        let (found, problems) = read(
            "otlp_endpoint = 'https://x.example/otlp/'\notlp_headers_file = 'headers'\ntrace_sample = 0.5",
        );
        let (found, none) = (found.unwrap(), [""; 0]);
        assert_eq!(problems, none);
        assert_eq!((found.url.to_string(), found.sample), ("https://x.example/otlp/v1/traces".into(), 0.5));
        assert_eq!(
            (&found.headers["x-key"], &found.headers["authorization"]),
            (&HeaderValue::from_static("secret:1"), &HeaderValue::from_static("Bearer y"))
        );
        assert!(!format!("{found:?}").contains("secret"));
        for (section, problem) in [
            (
                "otlp_endpoint = 'localhost:4318'",
                "nano.toml:1: otlp_endpoint: \"localhost:4318\" is no endpoint; fix: write the base URL",
            ),
            (
                "otlp_endpoint = 'http://a:b@c'",
                "nano.toml:1: otlp_endpoint: \"http://a:b@c\" is no endpoint; fix: ",
            ),
            (
                "otlp_endpoint = 'http://c'\ntrace_sample = 2.0",
                "nano.toml:2: trace_sample: 2 is too great; fix: choose a value from 0 to 1",
            ),
            (
                "otlp_headers_file = 'wrong'",
                "nano.toml:1: otlp_headers_file: line 2 is no header field; fix: write one",
            ),
            ("otlp_headers_file = 'none'", "nano.toml:1: otlp_headers_file: there is no such file; fix: "),
        ] {
            let found = read(section).1;
            assert!(found[0].starts_with(problem), "{found:?}");
        }
    }

    #[test]
    fn a_flag_comes_before_the_file() {
        let read = |flag: &str| {
            let flags = ServerFlags { otlp_endpoint: Some(flag.into()), ..ServerFlags::default() };
            let (found, problems) = traces("otlp_endpoint = 'http://file'", Path::new("/"), &flags);
            (found.unwrap().url.to_string(), problems.len())
        };
        assert_eq!(read("http://flag:1"), ("http://flag:1/v1/traces".into(), 0));
        // As the variable may be.
        assert_eq!(read(""), ("http://file/v1/traces".into(), 0));
        assert_eq!(read("nonsense").1, 1);
    }
}
