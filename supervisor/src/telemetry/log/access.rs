//! The access log: one line per request, written when its response is complete, in one of several formats.

use std::fmt::Write as _;
use std::time::SystemTime;

use hyper::header::HeaderValue;
use serde_json::{Value, json};
use tracing::Level;

use super::line::{Line, milliseconds};
use super::{HUB, dev, text};
use crate::config::{AccessLog, AppName, LogFormat};
use crate::telemetry::record::RequestRecord;
use crate::untrusted::visible;

/// Writes the line of a request whose response is complete.
pub(crate) fn write_line(record: &RequestRecord) {
    let Some(hub) = HUB.get() else { return };
    let is_for_terminal = hub.has_colours && hub.access.is_none();
    let mut text = match (record.access, hub.format) {
        (AccessLog::Off, _) => return,
        (AccessLog::Combined, _) => combined(record),
        (AccessLog::Json, _) => visible::json(json(record).to_string()),
        (AccessLog::Lines, LogFormat::Json) => line(record).json(),
        (AccessLog::Lines, LogFormat::Text) => text::render(&line(record), is_for_terminal),
        (AccessLog::Lines, LogFormat::Dev) => match dev::request(record, is_for_terminal) {
            Some(line) => line,
            None => return,
        },
    };
    text.push('\n');
    let app = record.app.as_ref().map(AppName::as_str);
    hub.push(hub.access.as_ref().unwrap_or(&hub.out), app, text);
}

/// In the format of the main log.
fn line(record: &RequestRecord) -> Line {
    let mut line = Line::new(Level::INFO, "access").saying("request").about(record.app.as_ref());
    if let Some(client) = record.client_address() {
        line = line.with("client", client);
    }
    if let Some(caller) = record.caller() {
        line = line.with("caller", caller);
    }
    line = line
        .with("method", record.method.as_str())
        .with("target", record.target.as_str())
        .with("version", format!("{:?}", record.version))
        .with("status", record.status)
        .with("bytes", record.bytes)
        .with("cut_off", record.cut_off)
        .with("ms", milliseconds(record.begun.elapsed()));
    if let Some(proxy) = record.proxy_address() {
        line = line.with("peer", proxy);
    }
    if let Some(queue) = record.queue {
        line = line.with("queue_ms", milliseconds(queue));
    }
    if let Some(worker) = record.worker {
        line = line.with("worker_ms", milliseconds(worker));
    }
    line.during(Some(record.id))
}

fn json(record: &RequestRecord) -> Value {
    let text = |field: &Option<HeaderValue>| {
        field.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    json!({
        "timestamp": humantime::format_rfc3339_micros(SystemTime::now()).to_string(),
        "app": record.app.as_ref().map(AppName::as_str),
        "client": record.client_address(),
        "peer": record.peer_address(),
        "caller": record.caller(),
        "method": record.method,
        "target": record.target,
        "version": format!("{:?}", record.version),
        "status": record.status,
        "bytes": record.bytes,
        "cut_off": record.cut_off,
        "ms": milliseconds(record.begun.elapsed()),
        "queue_ms": record.queue.map(milliseconds),
        "worker_ms": record.worker.map(milliseconds),
        "request_id": record.id.to_string(),
        "referer": text(&record.referer),
        "user_agent": text(&record.user_agent),
    })
}

/// The combined format of nginx: `$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer"
/// "$http_user_agent"`.
fn combined(record: &RequestRecord) -> String {
    let mut out = format!(
        "{} - - [{}] \"",
        record.client_address().as_deref().unwrap_or("-"),
        chrono::Local::now().format("%d/%b/%Y:%H:%M:%S %z")
    );
    escape(&mut out, record.method.as_bytes());
    out.push(' ');
    escape(&mut out, record.target.as_bytes());
    let _ = write!(out, " {:?}\" {} {} \"", record.version, record.status, record.bytes);
    field(&mut out, record.referer.as_ref());
    out.push_str("\" \"");
    field(&mut out, record.user_agent.as_ref());
    out.push('"');
    out
}

/// Appends a header field's value; `-` if there is none, as in nginx.
fn field(out: &mut String, value: Option<&HeaderValue>) {
    match value {
        Some(value) if !value.is_empty() => escape(out, value.as_bytes()),
        _ => out.push('-'),
    }
}

/// Escapes as nginx does: quotes, backslashes, and everything but printable ASCII.
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use hyper::Request;
    use hyper::header::USER_AGENT;
    use nano_protocol::message::RequestId;

    use super::*;
    use crate::telemetry::record::RequestSource;

    #[test]
    fn it_is_escaped_as_nginx_escapes_it() {
        let mut out = String::new();
        escape(&mut out, b"a \"b\" \\ \t\n\x7f\xc3\xa9 ~");
        assert_eq!(out, "a \\x22b\\x22 \\x5C \\x09\\x0A\\x7F\\xC3\\xA9 ~");
    }

    #[test]
    fn what_was_not_sent_is_a_dash() {
        let request = Request::builder().uri("/x?y").header(USER_AGENT, "").body(()).unwrap();
        let peer: std::net::SocketAddr = "[::ffff:192.0.2.1]:5".parse().unwrap();
        let from = RequestSource::Client { address: peer.ip(), peer };
        let mut record =
            RequestRecord::new(&request, from, RequestId(1), Instant::now(), AccessLog::Off, None);
        (record.status, record.bytes) = (404, 7);
        let (before, after) = (combined(&record), "] \"GET /x?y HTTP/1.1\" 404 7 \"-\" \"-\"");
        assert!(before.starts_with("192.0.2.1 - - [") && before.ends_with(after), "{before}");
    }
}
