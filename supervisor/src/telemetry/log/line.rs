//! One line of the log before it has a form: its parts, and the same as JSON.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use nano_protocol::message::{RequestId, RequestName};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::config::AppName;
use crate::untrusted::visible;

/// What stands before the text: whose line it is. What an app prints cannot pass for it there.
const LEADING: [&str; 4] = ["app", "request_id", "method", "path"];

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// When it was written.
    pub time: SystemTime,
    /// How important it is.
    pub level: Level,
    /// Whose it is: a module of the supervisor, `app` for consoles, `worker` for what dying workers say.
    pub target: Cow<'static, str>,
    /// The text. It may hold line ends.
    pub message: String,
    /// What else it says, in order.
    pub fields: Vec<LineField>,
}

/// A field of a line: its name and value.
pub(crate) type LineField = (Cow<'static, str>, Value);

impl Line {
    /// A line of now that says nothing yet.
    pub(crate) fn new(level: Level, target: impl Into<Cow<'static, str>>) -> Self {
        let time = SystemTime::now();
        Self { time, level, target: target.into(), message: String::new(), fields: Vec::new() }
    }

    /// With a text.
    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// About this app, if any.
    pub(crate) fn about(self, app: Option<&AppName>) -> Self {
        match app {
            Some(app) => self.with("app", app.as_str()),
            None => self,
        }
    }

    /// Written during this request, if any.
    pub(crate) fn during(self, request: Option<RequestId>) -> Self {
        match request {
            Some(id) => self.with("request_id", id.to_string()),
            None => self,
        }
    }

    /// Because of this request, if any.
    pub(crate) fn of(self, request: Option<&RequestName>) -> Self {
        match request {
            Some(RequestName { method, path }) => {
                self.with(LEADING[2], method.as_str()).with(LEADING[3], path.as_str())
            }
            None => self,
        }
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The fields before the text, in their order, and those behind it.
    pub(crate) fn parts(&self) -> (Vec<&LineField>, Vec<&LineField>) {
        // What the access log says of a request has an order of its own.
        let leading = if self.target == "access" { &LEADING[..2] } else { &LEADING[..] };
        let before = leading.iter().filter_map(|name| self.fields.iter().find(|(found, _)| found == name));
        let behind = self.fields.iter().filter(|(name, _)| !leading.contains(&&**name));
        (before.collect(), behind.collect())
    }

    /// The app that it is about.
    pub(crate) fn app(&self) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == "app").and_then(|(_, value)| value.as_str())
    }

    /// As one JSON object, without a line end.
    pub(crate) fn json(&self) -> String {
        // Cannot fail: every key is text, and nothing in it is foreign.
        visible::json(serde_json::to_string(self).unwrap_or_default())
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &humantime::format_rfc3339_micros(self.time).to_string())?;
        map.serialize_entry("level", self.level.as_str())?;
        let (before, behind) = self.parts();
        for (name, value) in before {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("message", &self.message)?;
        for (name, value) in behind {
            map.serialize_entry(name, value)?;
        }
        // A line of the access log has a target of its own, and an object has one of a name.
        if self.fields.iter().all(|(name, _)| name != "target") {
            map.serialize_entry("target", &self.target)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Parts)
    }
}

/// Puts a line together again, its fields in their order.
struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of the log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
        let mut line = Line::new(Level::INFO, "");
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            match (name.as_str(), value.as_str()) {
                ("timestamp", Some(text)) => {
                    line.time = humantime::parse_rfc3339(text).map_err(A::Error::custom)?;
                }
                ("level", Some(text)) => line.level = text.parse().map_err(A::Error::custom)?,
                ("target", Some(text)) => line.target = text.to_owned().into(),
                ("message", Some(text)) => text.clone_into(&mut line.message),
                _ => line.fields.push((name.into(), value)),
            }
        }
        Ok(line)
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.fields.push((field.name().into(), value.into()));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name().into(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name().into(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name().into(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name().into(), value.into()));
    }
}

/// A duration in milliseconds, to the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_as_json_is_read_again() {
        let id = RequestId(7);
        let line = Line::new(Level::WARN, "app").saying("one\n\"two\"").about(Some(&"blog".parse().unwrap()));
        let line = line.during(Some(id)).with("z", 1).with("a", 2.5).with("b", true);
        let json = line.json();
        assert!(json.ends_with("\"z\":1,\"a\":2.5,\"b\":true,\"target\":\"app\"}"), "{json}");
        let read: Line = serde_json::from_str(&json).unwrap();
        assert_eq!((read.json(), read.level, read.app()), (json, Level::WARN, Some("blog")));
        assert_eq!((read.message, read.fields), (line.message, line.fields));
    }

    #[test]
    fn no_name_comes_twice_in_an_object() {
        let json = Line::new(Level::INFO, "access").with("target", "/path").json();
        assert!(json.ends_with("\"message\":\"\",\"target\":\"/path\"}"), "{json}");
    }
}
