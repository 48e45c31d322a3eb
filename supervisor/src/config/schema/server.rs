//! Settings of the supervisor itself: threads, logs, connections.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::config::bounds;
use crate::config::document::quantity;
use crate::config::document::section::Section;
use crate::config::document::value::{duration, size, switch, whole};
use crate::config::errors::{Place, Problems};
use crate::config::sources::flags::ServerFlags;
use crate::config::types::admin::Admin;
use crate::config::types::control::ControlPath;
use crate::config::types::forwarded::ForwardedPolicy;
use crate::config::types::log::LogSettings;
use crate::config::types::traces::Traces;
use crate::model::shares;

/// Fields of `[server]`.
pub(crate) const FIELDS: &[&str] = &[
    "io_threads",
    "log_format",
    "log_level",
    "log_file",
    "log_max_size",
    "log_keep",
    "log_memory",
    "access_log",
    "access_log_file",
    "control",
    "drain_timeout",
    "header_read_timeout",
    "idle_timeout",
    "send_timeout",
    "max_uri",
    "max_header",
    "max_headers",
    "max_heads",
    "max_connections",
    "max_buffered",
    "max_buffered_per_client",
    "forwarded",
    "cache_dir",
    "state_dir",
    "spares",
    "max_starts_per_second",
    "cgroups",
    "admin",
    "admin_token_file",
    "otlp_endpoint",
    "otlp_headers_file",
    "trace_sample",
    "strict",
];

/// Settings of the supervisor itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerSettings {
    /// Threads that serve connections; at least one.
    pub io_threads: usize,
    /// Logs.
    pub log: LogSettings,
    /// Where the control socket is.
    pub control: ControlPath,
    /// How long what is in flight may take to finish when the supervisor ends.
    pub drain_timeout: Duration,
    /// How long a client may take to send a request head; 408 after it.
    pub header_read_timeout: Duration,
    /// How long a connection may be open without a request.
    pub idle_timeout: Duration,
    /// How long a client may take none of its answer; the connection is cut after it.
    pub send_timeout: Duration,
    /// Longest path and query, in bytes; 414 beyond it.
    pub max_uri: usize,
    /// Longest header section, in bytes; 431 beyond it.
    pub max_header: usize,
    /// Most header fields; 431 beyond it.
    pub max_headers: usize,
    /// Unfinished request heads of all clients together, in bytes; connections are closed beyond it.
    pub max_heads: usize,
    /// Connections at once; beyond it idle ones are closed, or further ones wait to be accepted.
    pub max_connections: usize,
    /// What bodies of all apps on their way may hold, in bytes.
    pub max_buffered: usize,
    /// What those of one client may. A quarter of all if none is said.
    pub max_buffered_per_client: Option<usize>,
    /// What to make of a client's forwarding fields.
    pub forwarded: ForwardedPolicy,
    /// Worker processes without an app to have at hand, for each heap limit that apps have.
    pub spares: usize,
    /// Workers of all apps together that may be started in a second without anybody having asked for it.
    pub max_starts_per_second: u32,
    /// Whether control groups hold workers to their limits, where one is ours to divide.
    pub cgroups: bool,
    /// The admin listener, if there is one.
    pub admin: Option<Admin>,
    /// Where spans go, if anywhere.
    pub traces: Option<Traces>,
    /// Where deploys are kept, if anywhere.
    pub state_dir: Option<StateDir>,
    /// Whether one app that cannot be run keeps all of them from being run.
    pub strict: bool,
}

/// A folder for deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateDir {
    /// Its path. Absolute and there, if it was asked for.
    pub path: PathBuf,
    /// Whether somebody has named it; otherwise it is where such things usually are.
    pub is_asked_for: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        // Clients and workers need the other cores.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let io_threads = cores / 2;
        Self {
            io_threads: io_threads.clamp(*bounds::IO_THREADS.start(), *bounds::IO_THREADS.end()),
            log: LogSettings::default(),
            control: ControlPath::Usual,
            // Below the 30 s that Kubernetes gives by default.
            drain_timeout: Duration::from_secs(25),
            header_read_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            send_timeout: Duration::from_secs(60),
            max_uri: 8 * 1024,
            max_header: 32 * 1024,
            max_headers: 100,
            max_heads: 32 * 1024 * 1024,
            max_connections: 10_000,
            max_buffered: 256 * 1024 * 1024,
            max_buffered_per_client: None,
            forwarded: ForwardedPolicy::Replace,
            spares: 1,
            // A start takes about 50 ms of a core.
            max_starts_per_second: u32::try_from(8 * cores)
                .unwrap_or(u32::MAX)
                .min(*bounds::MAX_STARTS_PER_SECOND.end()),
            cgroups: true,
            admin: None,
            traces: None,
            state_dir: None,
            strict: false,
        }
    }
}

impl ServerSettings {
    /// The defaults, except for what `[server]` says otherwise. Paths in it are relative to `folder`.
    pub(crate) fn read(section: &Section<'_>, folder: &Path, problems: &mut Problems) -> Self {
        section.only(&[FIELDS], |name| crate::config::sources::file::home(name, "[server]"), problems);
        let mut server = Self::default();
        section.set("io_threads", whole(bounds::IO_THREADS), &mut server.io_threads, problems);
        server.log.read(section, folder, problems);
        section.set("control", |value| ControlPath::read(value, folder), &mut server.control, problems);
        section.set("drain_timeout", duration(bounds::DRAIN_TIMEOUT), &mut server.drain_timeout, problems);
        let head = duration(bounds::HEADER_READ_TIMEOUT);
        section.set("header_read_timeout", head, &mut server.header_read_timeout, problems);
        section.set("idle_timeout", duration(bounds::IDLE_TIMEOUT), &mut server.idle_timeout, problems);
        section.set("send_timeout", duration(bounds::SEND_TIMEOUT), &mut server.send_timeout, problems);
        section.set("max_uri", size(bounds::MAX_URI), &mut server.max_uri, problems);
        section.set("max_header", size(bounds::MAX_HEADER), &mut server.max_header, problems);
        section.set("max_headers", whole(bounds::MAX_HEADERS), &mut server.max_headers, problems);
        section.set("max_heads", size(bounds::MAX_HEADS), &mut server.max_heads, problems);
        section.set("max_connections", whole(bounds::MAX_CONNECTIONS), &mut server.max_connections, problems);
        section.set("max_buffered", size(bounds::MAX_BUFFERED), &mut server.max_buffered, problems);
        let per_client = |value: &_| size(bounds::MAX_BUFFERED)(value).map(Some);
        section.set("max_buffered_per_client", per_client, &mut server.max_buffered_per_client, problems);
        section.set("forwarded", ForwardedPolicy::read, &mut server.forwarded, problems);
        section.set("spares", whole(bounds::SPARES), &mut server.spares, problems);
        let starts = whole(bounds::MAX_STARTS_PER_SECOND);
        section.set("max_starts_per_second", starts, &mut server.max_starts_per_second, problems);
        section.set("cgroups", switch, &mut server.cgroups, problems);
        section.set("strict", switch, &mut server.strict, problems);
        server
    }

    /// These settings, except for what flags say otherwise.
    pub(crate) fn overridden(mut self, flags: &ServerFlags, problems: &mut Problems) -> Self {
        if let Some(threads) = flags.io_threads {
            let place = || Place::flag(format!("--io-threads {threads}"));
            let threads = quantity::within(threads, &bounds::IO_THREADS, |threads| threads);
            self.io_threads = problems.keep(place, threads).unwrap_or(self.io_threads);
        }
        if let Some(text) = &flags.drain_timeout {
            let place = || Place::flag(format!("--drain-timeout {text}"));
            let timeout = quantity::duration(text, &bounds::DRAIN_TIMEOUT);
            self.drain_timeout = problems.keep(place, timeout).unwrap_or(self.drain_timeout);
        }
        if let Some(path) = &flags.control {
            let place = || Place::flag(format!("--control {}", path.display()));
            self.control = problems.keep(place, ControlPath::at(path)).unwrap_or(self.control);
        }
        self.log.override_with(flags, problems);
        if let Some(text) = &flags.forwarded {
            let place = || Place::flag(format!("--forwarded {text}"));
            self.forwarded = problems.keep(place, text.parse()).unwrap_or(self.forwarded);
        }
        self.strict |= flags.strict;
        self
    }
}

impl ServerSettings {
    /// What bodies of one client on their way may hold, in bytes.
    pub(crate) fn buffered_per_client(&self) -> usize {
        self.max_buffered_per_client.unwrap_or_else(|| shares::of_one(self.max_buffered))
    }

    /// Restores what cannot change while the supervisor runs; a line for each field for which that matters.
    pub(crate) fn keep_what_is_fixed(&mut self, running: &Self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut fixed = |field: &str, differs: bool| {
            if differs {
                notes.push(format!("server.{field} takes effect when the supervisor is restarted"));
            }
        };
        fixed("io_threads", self.io_threads != running.io_threads);
        fixed("control", self.control != running.control);
        fixed("cgroups", self.cgroups != running.cgroups);
        fixed("admin", self.admin != running.admin);
        fixed("state_dir", self.state_dir != running.state_dir);
        self.log.keep_what_is_fixed(&running.log).into_iter().for_each(|field| fixed(field, true));
        self.io_threads = running.io_threads;
        self.control.clone_from(&running.control);
        self.cgroups = running.cgroups;
        self.admin.clone_from(&running.admin);
        self.state_dir.clone_from(&running.state_dir);
        notes
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;
    use crate::config::{AccessLog, LogFormat, LogLevel};

    fn server(text: &str) -> (ServerSettings, Vec<String>) {
        let table = DeTable::parse(text).unwrap();
        let mut problems = Problems::default();
        let top = Section::top(Document::config("nano.toml", text), table.get_ref());
        let server = ServerSettings::read(&top, Path::new("/etc/nano"), &mut problems);
        (server, problems.texts())
    }

    #[test]
    fn the_defaults_are_valid() {
        let server = ServerSettings::default();
        assert!(bounds::IO_THREADS.contains(&server.io_threads));
        assert!(bounds::DRAIN_TIMEOUT.contains(&server.drain_timeout));
        assert!(bounds::HEADER_READ_TIMEOUT.contains(&server.header_read_timeout));
        assert!(bounds::IDLE_TIMEOUT.contains(&server.idle_timeout));
        assert!(bounds::SEND_TIMEOUT.contains(&server.send_timeout));
        assert!(bounds::MAX_URI.contains(&(server.max_uri as u64)));
        assert!(bounds::MAX_HEADER.contains(&(server.max_header as u64)));
        assert!(bounds::MAX_HEADERS.contains(&server.max_headers));
        assert!(bounds::MAX_HEADS.contains(&(server.max_heads as u64)));
        assert!(bounds::MAX_CONNECTIONS.contains(&server.max_connections));
        assert!(bounds::MAX_BUFFERED.contains(&(server.max_buffered as u64)));
        assert!(bounds::MAX_STARTS_PER_SECOND.contains(&server.max_starts_per_second));
    }

    #[test]
    fn every_field_can_be_set() {
        let seconds = Duration::from_secs;
        let (server, found) = server(
            "io_threads = 3\nlog_file = 'x.log'\ncontrol = 'x.sock'\n\
             drain_timeout = '1s'\nheader_read_timeout = '2s'\nidle_timeout = '3s'\nsend_timeout = '4s'\nmax_uri = '4KiB'\n\
             max_header = 5000\nmax_headers = 60\nmax_heads = '1MiB'\nmax_connections = 7\nmax_buffered = '3MiB'\nmax_buffered_per_client = '1MiB'\nforwarded = 'append'\nspares = 3\ncgroups = false\n\
             strict = true\nmax_starts_per_second = 4",
        );
        assert_eq!(found, [""; 0]);
        assert_eq!(
            server,
            ServerSettings {
                io_threads: 3,
                log: LogSettings { file: Some("/etc/nano/x.log".into()), ..LogSettings::default() },
                control: ControlPath::At("/etc/nano/x.sock".into()),
                drain_timeout: seconds(1),
                header_read_timeout: seconds(2),
                idle_timeout: seconds(3),
                send_timeout: seconds(4),
                max_uri: 4096,
                max_header: 5000,
                max_headers: 60,
                max_heads: 1 << 20,
                max_connections: 7,
                max_buffered: 3 << 20,
                max_buffered_per_client: Some(1 << 20),
                forwarded: ForwardedPolicy::Append,
                spares: 3,
                max_starts_per_second: 4,
                cgroups: false,
                admin: None,
                traces: None,
                state_dir: None,
                strict: true,
            }
        );
    }

    #[test]
    fn every_wrong_field_is_reported() {
        let long = "x".repeat(100);
        let text = format!(
            "log_level = 'loud'\nmax_header = '1GiB'\ncontrol = '{long}'\nheap = '1GiB'\nio_thread = 1"
        );
        assert_eq!(
            server(&text).1,
            [
                "nano.toml:4: heap: unknown field; fix: move it to [defaults] or to an app's section",
                "nano.toml:5: io_thread: unknown field; fix: did you mean `io_threads`?",
                "nano.toml:1: log_level: \"loud\" is none of its values; fix: write \"error\" or \"warn\" or \"info\" \
                 or \"debug\" or \"trace\"",
                "nano.toml:3: control: is too long for a socket (110 bytes); fix: the kernel's limit is near: stay \
                 within 90 bytes",
                "nano.toml:2: max_header: 1GiB is too great; fix: choose a value from 1KiB to 64KiB",
            ]
        );
    }

    #[test]
    fn flags_come_before_the_file() {
        let flags = ServerFlags {
            io_threads: Some(2),
            log_format: Some(LogFormat::Json),
            log_level: Some(LogLevel::Debug),
            access_log: Some(AccessLog::Lines),
            control: Some("c.sock".into()),
            drain_timeout: Some("7s".into()),
            forwarded: Some("append".into()),
            ..ServerFlags::default()
        };
        let mut problems = Problems::default();
        let server = server("control = 'x.sock'\ndrain_timeout = '1s'").0.overridden(&flags, &mut problems);
        let log = LogSettings {
            format: LogFormat::Json,
            level: LogLevel::Debug,
            access: AccessLog::Lines,
            ..LogSettings::default()
        };
        assert_eq!((server.io_threads, server.log, server.forwarded), (2, log, ForwardedPolicy::Append));
        assert_eq!(server.control, ControlPath::At("c.sock".into()));
        assert_eq!(server.drain_timeout, Duration::from_secs(7));
        assert!(problems.is_empty());
    }

    #[test]
    fn wrong_flags_are_reported() {
        let flags = ServerFlags {
            io_threads: Some(0),
            control: Some("/".into()),
            drain_timeout: Some("5".into()),
            ..ServerFlags::default()
        };
        let mut problems = Problems::default();
        let _ = ServerSettings::default().overridden(&flags, &mut problems);
        assert_eq!(
            problems.texts(),
            [
                "--io-threads 0: 0 is too small; fix: choose a value from 1 to 256",
                "--drain-timeout 5: 5 has no unit; fix: write \"5s\" for seconds or \"5ms\"",
                "--control /: is not the path of a socket; fix: name a file, such as \"/run/nano.sock\"",
            ]
        );
    }
}
