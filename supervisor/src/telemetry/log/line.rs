//! A structured log line, and its JSON format.

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

/// Fields that come before the message and say whose line it is. There, output of an app cannot imitate them.
const LEADING: [&str; 4] = ["app", "request_id", "method", "path"];

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub time: SystemTime,
    pub level: Level,
    /// The source: `supervisor`, `app` for the console of an app, `worker` for standard error of a worker, and the like.
    pub target: Cow<'static, str>,
    /// The message. It may contain line breaks.
    pub message: String,
    /// Further fields, in order.
    pub fields: Vec<LineField>,
}

/// Name and value of a field.
pub(crate) type LineField = (Cow<'static, str>, Value);

impl Line {
    /// An empty line with the current time.
    pub(crate) fn new(level: Level, target: impl Into<Cow<'static, str>>) -> Self {
        let time = SystemTime::now();
        Self { time, level, target: target.into(), message: String::new(), fields: Vec::new() }
    }

    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds the app, if any.
    pub(crate) fn about(self, app: Option<&AppName>) -> Self {
        match app {
            Some(app) => self.with("app", app.as_str()),
            None => self,
        }
    }

    /// Adds the request during which it was written, if any.
    pub(crate) fn during(self, request: Option<RequestId>) -> Self {
        match request {
            Some(id) => self.with("request_id", id.to_string()),
            None => self,
        }
    }

    /// Adds the request that caused it, if any.
    pub(crate) fn of(self, request: Option<&RequestName>) -> Self {
        match request {
            Some(RequestName { method, path }) => {
                self.with(LEADING[2], method.as_str()).with(LEADING[3], path.as_str())
            }
            None => self,
        }
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The fields before the message, in the order of [`LEADING`], and those after it.
    pub(crate) fn parts(&self) -> (Vec<&LineField>, Vec<&LineField>) {
        // The access log has its own order of fields.
        let leading = if self.target == "access" { &LEADING[..2] } else { &LEADING[..] };
        let before = leading.iter().filter_map(|name| self.fields.iter().find(|(found, _)| found == name));
        let behind = self.fields.iter().filter(|(name, _)| !leading.contains(&&**name));
        (before.collect(), behind.collect())
    }

    /// The value of the field `app`.
    pub(crate) fn app(&self) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == "app").and_then(|(_, value)| value.as_str())
    }

    /// One JSON object, without a line break.
    pub(crate) fn json(&self) -> String {
        // Cannot fail: all keys are strings, and all values are JSON values.
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
        // Lines of the access log have a field `target`, and a JSON object must not have a key twice.
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

/// Deserialises a line, with its fields in order.
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

/// A duration in milliseconds, with a resolution of one microsecond.
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
