//! The access log: one line per request, written when its response is complete, in one of three forms.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use hyper::Request;
use hyper::header::{HeaderName, HeaderValue, REFERER, USER_AGENT};
use nano_protocol::message::RequestId;
use serde_json::{Value, json};
use tracing::Level;

use super::line::{Line, milliseconds};
use super::{HUB, text, write};
use crate::config::{AccessLog, AppName, LogFormat};

/// What one line says.
#[derive(Debug)]
pub struct Record {
    /// The app that answered, once it is known.
    pub app: Option<AppName>,
    /// The status sent.
    pub status: u16,
    /// Body bytes sent.
    pub bytes: u64,
    /// Whether the response ended before it was complete.
    pub cut_off: bool,
    /// How long it waited until a worker took it, if one did.
    pub queue: Option<Duration>,
    /// From there to the head of the worker's response, if there was one.
    pub worker: Option<Duration>,
    form: AccessLog,
    id: RequestId,
    client: SocketAddr,
    method: String,
    target: String,
    version: hyper::Version,
    referer: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    begun: Instant,
}

impl Record {
    /// Begins with what the request says, which began to be answered at `begun`.
    pub fn new<B>(
        form: AccessLog,
        request: &Request<B>,
        client: SocketAddr,
        id: RequestId,
        begun: Instant,
    ) -> Self {
        let field = |name: HeaderName| request.headers().get(name).cloned();
        Self {
            app: None,
            status: 0,
            bytes: 0,
            cut_off: false,
            queue: None,
            worker: None,
            form,
            id,
            client,
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or_else(|| "*".into(), ToString::to_string),
            version: request.version(),
            referer: field(REFERER),
            user_agent: field(USER_AGENT),
            begun,
        }
    }

    fn client(&self) -> String {
        self.client.ip().to_canonical().to_string()
    }

    /// In the form of the other lines.
    fn line(&self) -> Line {
        let mut line = Line::new(Level::INFO, "access").saying("request").about(self.app.as_ref());
        line = line
            .with("client", self.client())
            .with("method", self.method.as_str())
            .with("target", self.target.as_str())
            .with("version", format!("{:?}", self.version))
            .with("status", self.status)
            .with("bytes", self.bytes)
            .with("cut_off", self.cut_off)
            .with("ms", milliseconds(self.begun.elapsed()));
        if let Some(queue) = self.queue {
            line = line.with("queue_ms", milliseconds(queue));
        }
        if let Some(worker) = self.worker {
            line = line.with("worker_ms", milliseconds(worker));
        }
        line.during(Some(self.id))
    }

    fn json(&self) -> Value {
        let text = |field: &Option<HeaderValue>| {
            field.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        json!({
            "timestamp": humantime::format_rfc3339_micros(SystemTime::now()).to_string(),
            "app": self.app.as_ref().map(AppName::as_str),
            "client": self.client(),
            "method": self.method,
            "target": self.target,
            "version": format!("{:?}", self.version),
            "status": self.status,
            "bytes": self.bytes,
            "cut_off": self.cut_off,
            "ms": milliseconds(self.begun.elapsed()),
            "queue_ms": self.queue.map(milliseconds),
            "worker_ms": self.worker.map(milliseconds),
            "request_id": self.id.to_string(),
            "referer": text(&self.referer),
            "user_agent": text(&self.user_agent),
        })
    }

    /// As nginx writes it: `$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer"
    /// "$http_user_agent"`.
    fn combined(&self) -> String {
        let mut out =
            format!("{} - - [{}] \"", self.client(), chrono::Local::now().format("%d/%b/%Y:%H:%M:%S %z"));
        escape(&mut out, self.method.as_bytes());
        out.push(' ');
        escape(&mut out, self.target.as_bytes());
        let _ = write!(out, " {:?}\" {} {} \"", self.version, self.status, self.bytes);
        field(&mut out, self.referer.as_ref());
        out.push_str("\" \"");
        field(&mut out, self.user_agent.as_ref());
        out.push('"');
        out
    }
}

/// A header field's value; `-` if there is none, as with nginx.
fn field(out: &mut String, value: Option<&HeaderValue>) {
    match value {
        Some(value) if !value.is_empty() => escape(out, value.as_bytes()),
        _ => out.push('-'),
    }
}

/// What nginx escapes, and how: quotes, backslashes, and all that is not printable ASCII.
fn escape(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            byte => out.push(char::from(*byte)),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Some(hub) = HUB.get() else { return };
        let is_for_terminal = hub.has_colours && hub.access.is_none();
        let mut line = match (self.form, hub.format) {
            (AccessLog::Off, _) => return,
            (AccessLog::Combined, _) => self.combined(),
            (AccessLog::Json, _) => self.json().to_string(),
            (AccessLog::Lines, LogFormat::Json) => self.line().json(),
            (AccessLog::Lines, LogFormat::Text) => text::render(&self.line(), is_for_terminal),
        };
        line.push('\n');
        write(hub.access.as_ref().unwrap_or(&hub.out), &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_escaped_as_nginx_escapes_it() {
        let mut out = String::new();
        escape(&mut out, b"a \"b\" \\ \t\n\x7f\xc3\xa9 ~");
        assert_eq!(out, "a \\x22b\\x22 \\x5C \\x09\\x0A\\x7F\\xC3\\xA9 ~");
    }

    #[test]
    fn what_was_not_sent_is_a_dash() {
        let request = Request::builder().uri("/x?y").header(USER_AGENT, "").body(()).unwrap();
        let client = "[::ffff:192.0.2.1]:5".parse().unwrap();
        let mut record = Record::new(AccessLog::Off, &request, client, RequestId(1), Instant::now());
        (record.status, record.bytes) = (404, 7);
        let (before, after) = (record.combined(), "] \"GET /x?y HTTP/1.1\" 404 7 \"-\" \"-\"");
        assert!(before.starts_with("192.0.2.1 - - [") && before.ends_with(after), "{before}");
    }
}
