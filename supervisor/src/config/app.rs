//! One app: where its code is, where it listens, what it may use.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nano_protocol::message::NetRules;

use crate::config::document::quantity::{show_duration, show_size};
use crate::config::env::environment::EnvSources;
use crate::config::schema::supervision::{RecyclePolicy, RestartPolicy};
use crate::config::types::app_name::AppName;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::log::LogLevel;
use crate::model::shares;

/// An app, one that can be run unless it has a [`Self::fault`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AppSpec {
    /// Unique among the apps.
    pub name: AppName,
    /// Its folder: an absolute path without symlinks, in UTF-8.
    pub root: PathBuf,
    /// Its entry module, relative to [`Self::root`] and inside it.
    pub entry: PathBuf,
    /// Where it listens; none only for one that cannot be run, if its address is part of what is wrong.
    pub listen: Option<Listen>,
    /// The hosts it serves; empty for all that no other app with the same [`Self::listen`] claims.
    pub hosts: Vec<HostPattern>,
    /// What its handler gets as `env`.
    pub env: EnvSources,
    /// What its handler gets as `ctx.props`.
    pub props: serde_json::Value,
    /// Which outbound connections it may open.
    pub net: NetRules,
    /// Where its translated modules are kept between starts, if there is such a place.
    pub emit_cache: Option<PathBuf>,
    /// What it may use.
    pub limits: AppLimits,
    /// When its worker is started again.
    pub restart: RestartPolicy,
    /// When its worker is replaced although it is well.
    pub recycle: RecyclePolicy,
    /// Whether requests that end workers again and again are refused.
    pub quarantine: bool,
    /// Path that a new worker must answer with 2xx before it gets requests.
    pub health_path: Option<String>,
    /// Whether an uncaught error or unhandled rejection outside of a request ends the worker.
    pub fatal_uncaught: bool,
    /// Whether its errors are shown to clients.
    pub development: bool,
    /// The least important level of its console that is logged; the supervisor's own if none.
    pub log_level: Option<LogLevel>,
    /// What its operator should know and may ignore, a line each.
    pub warnings: Vec<String>,
    /// Why it cannot be run as it is configured, a line for each problem, for people. Such an app is there, and has failed.
    pub fault: Option<Arc<str>>,
}

impl AppSpec {
    /// Where it listens, for people; `address` is what the kernel has made of that.
    pub(crate) fn shown_listen(&self, address: Option<SocketAddr>) -> String {
        match (&self.listen, address) {
            (Some(_), Some(address)) => address.to_string(),
            (Some(listen), None) => listen.to_string(),
            (None, _) => "-".into(),
        }
    }

    /// This app, not to be run for this reason, and without an address.
    #[must_use]
    pub(crate) fn broken(&self, why: impl Into<Arc<str>>) -> Self {
        Self { fault: Some(why.into()), listen: None, ..self.clone() }
    }
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Listen {
    /// One address, or all of the machine's, IPv4 and IPv6.
    pub host: Option<IpAddr>,
    /// TCP port; 0 lets the kernel pick one.
    pub port: u16,
}

impl Listen {
    /// Whether both need the same port of the same address, so that only one of them can be bound.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let is_all = |host: Option<IpAddr>| host.is_none_or(|host| host.is_ipv6() && host.is_unspecified());
        let same_family = |one: IpAddr, other: IpAddr| one.is_ipv4() == other.is_ipv4();
        let hosts_overlap = match (self.host, other.host) {
            (one, other) if is_all(one) || is_all(other) => true,
            (Some(one), Some(other)) => {
                one == other || (same_family(one, other) && (one.is_unspecified() || other.is_unspecified()))
            }
            _ => true,
        };
        self.port == other.port && self.port != 0 && hosts_overlap
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Some(host) => write!(f, "{}", SocketAddr::new(host, self.port)),
            None => write!(f, "*:{}", self.port),
        }
    }
}

/// What one app may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppLimits {
    /// From a request's arrival at the worker to its response head; 504 after it.
    pub request_timeout: Duration,
    /// How long a request waits for a worker to be ready; 503 after it.
    pub queue_timeout: Duration,
    /// How long a new worker may take for the handshake and for loading the app.
    pub start_timeout: Duration,
    /// Requests at once; 503 beyond it.
    pub max_in_flight: usize,
    /// Requests at once of one client; 429 beyond it. Three quarters of all if none is said.
    pub max_in_flight_per_client: Option<usize>,
    /// Least rate, in bytes per second, at which clients have to send bodies and to take answers, if there is one.
    pub min_rate: Option<u64>,
    /// Requests at once that wait for a worker; 503 beyond it.
    pub max_queue: usize,
    /// Longest request body, in bytes; 413 beyond it.
    pub max_body: u64,
    /// Longest response body, in bytes, if there is a limit; 500 beyond it, or the response is cut off.
    pub max_response: Option<u64>,
    /// What bodies on their way may hold, in bytes; beyond it each response has the least that it needs.
    pub max_buffered: u64,
    /// CPU time of one request; 503 beyond it, and the worker is replaced.
    pub cpu_time: Duration,
    /// How long after the response work handed to `waitUntil` keeps a draining worker.
    pub wait_until_timeout: Duration,
    /// Log lines in bytes per second, and in one burst.
    pub log_rate: u64,
    /// Outbound connections at once.
    pub max_outbound: u32,
    /// Cryptographic calls that run or wait for a thread at once; further ones fail.
    pub max_blocking: u32,
    /// Descriptors that the worker may have open at once.
    pub max_fds: u64,
    /// Processes and threads that the worker may be at once, where control groups hold it to that.
    pub max_pids: u64,
    /// CPU time that the worker may use, in thousandths of one CPU, where control groups hold it to that; none for no limit.
    pub max_cpus: Option<u32>,
    /// V8's heap, in bytes.
    pub heap: u64,
    /// What the worker process may have resident besides files it maps, in bytes; none for no limit.
    pub memory: Option<u64>,
    /// Longest time JavaScript may run without returning to the event loop. Shorter than [`Self::hung_timeout`].
    pub watchdog: Duration,
    /// A worker that has not answered a ping for this long is killed.
    pub hung_timeout: Duration,
}

impl AppLimits {
    /// Each limit by its field, as the configuration would have it.
    pub(crate) fn in_force(&self) -> Vec<(&'static str, String)> {
        let time = |limit: &Duration| show_duration(*limit).to_string();
        let or_none = |limit: Option<String>| limit.unwrap_or_else(|| "false".into());
        let Self {
            request_timeout,
            queue_timeout,
            start_timeout,
            max_in_flight,
            max_in_flight_per_client: _,
            min_rate,
            max_queue,
            max_body,
            max_response,
            max_buffered,
            cpu_time,
            wait_until_timeout,
            log_rate,
            max_outbound,
            max_blocking,
            max_fds,
            max_pids,
            max_cpus,
            heap,
            memory,
            watchdog,
            hung_timeout,
        } = self;
        vec![
            ("request_timeout", time(request_timeout)),
            ("queue_timeout", time(queue_timeout)),
            ("start_timeout", time(start_timeout)),
            ("max_in_flight", max_in_flight.to_string()),
            ("max_in_flight_per_client", self.per_client().to_string()),
            ("min_rate", or_none(min_rate.map(show_size))),
            ("max_queue", max_queue.to_string()),
            ("max_body", show_size(*max_body)),
            ("max_response", or_none(max_response.map(show_size))),
            ("max_buffered", show_size(*max_buffered)),
            ("cpu_time", time(cpu_time)),
            ("wait_until_timeout", time(wait_until_timeout)),
            ("log_rate", show_size(*log_rate)),
            ("max_outbound", max_outbound.to_string()),
            ("max_blocking", max_blocking.to_string()),
            ("max_fds", max_fds.to_string()),
            ("max_pids", max_pids.to_string()),
            ("max_cpus", or_none(max_cpus.map(|cpus| (f64::from(cpus) / 1000.0).to_string()))),
            ("heap", show_size(*heap)),
            ("memory", or_none(memory.map(show_size))),
            ("watchdog", time(watchdog)),
            ("hung_timeout", time(hung_timeout)),
        ]
    }
}

impl Default for AppLimits {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            queue_timeout: Duration::from_secs(5),
            start_timeout: Duration::from_secs(10),
            max_in_flight: 2048,
            max_in_flight_per_client: None,
            // That of Apache's mod_reqtimeout. Any phone is faster.
            min_rate: Some(500),
            max_queue: 1024,
            max_body: 128 * 1024 * 1024,
            max_response: None,
            max_buffered: 64 * 1024 * 1024,
            cpu_time: Duration::from_secs(30),
            wait_until_timeout: Duration::from_secs(30),
            log_rate: 1024 * 1024,
            max_outbound: 256,
            max_blocking: 1024,
            max_fds: 1024,
            max_pids: 256,
            max_cpus: None,
            heap: 128 * 1024 * 1024,
            memory: Some(512 * 1024 * 1024),
            watchdog: Duration::from_secs(5),
            hung_timeout: Duration::from_secs(10),
        }
    }
}

impl AppLimits {
    /// Requests at once of one client.
    pub(crate) fn per_client(&self) -> usize {
        self.max_in_flight_per_client.unwrap_or_else(|| shares::common(self.max_in_flight))
    }

    /// Whether a client may have less than there is.
    pub(crate) fn has_client_share(&self) -> bool {
        self.per_client() < self.max_in_flight
    }

    /// Whether a client that has `own` of the `taken` requests in flight may have one more, on one of so many I/O threads.
    pub(crate) fn may_enter(&self, taken: usize, own: usize, threads: usize) -> bool {
        !self.has_client_share()
            || (own < self.per_client() && shares::may_have(self.max_in_flight, taken, own, threads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(host: &str, port: u16) -> Listen {
        Listen { host: (host != "*").then(|| host.parse().unwrap()), port }
    }

    #[test]
    fn only_one_of_two_overlapping_addresses_can_be_bound() {
        for (one, other) in [
            ("*", "*"),
            ("*", "127.0.0.1"),
            ("*", "::1"),
            ("::", "127.0.0.1"),
            ("::", "::1"),
            ("*", "::"),
            ("0.0.0.0", "127.0.0.1"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert!(listen(one, 80).overlaps(&listen(other, 80)), "{one} {other}");
            assert!(listen(other, 80).overlaps(&listen(one, 80)), "{other} {one}");
            assert!(!listen(one, 80).overlaps(&listen(other, 81)), "{one} {other}");
            assert!(!listen(one, 0).overlaps(&listen(other, 0)), "{one} {other}");
        }
        for (one, other) in [("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "::1"), ("0.0.0.0", "::1")] {
            assert!(!listen(one, 80).overlaps(&listen(other, 80)), "{one} {other}");
            assert!(!listen(other, 80).overlaps(&listen(one, 80)), "{other} {one}");
        }
    }

    #[test]
    fn addresses_are_shown_as_people_write_them() {
        assert_eq!(listen("*", 80).to_string(), "*:80");
        assert_eq!(listen("127.0.0.1", 80).to_string(), "127.0.0.1:80");
        assert_eq!(listen("::1", 80).to_string(), "[::1]:80");
    }

    #[test]
    fn a_client_may_have_three_quarters_unless_something_else_is_said() {
        let limits = AppLimits { max_in_flight: 8, ..AppLimits::default() };
        assert_eq!((limits.per_client(), limits.may_enter(5, 5, 1)), (6, true));
        assert!(!limits.may_enter(6, 6, 1) && limits.may_enter(7, 0, 1));
        let few = AppLimits { max_in_flight_per_client: Some(2), ..limits.clone() };
        assert!(few.may_enter(5, 1, 1) && !few.may_enter(2, 2, 1));
        let all = AppLimits { max_in_flight_per_client: Some(8), ..limits };
        assert!(all.may_enter(7, 7, 1));
        // A share of one is no share.
        let one = AppLimits { max_in_flight: 1, ..AppLimits::default() };
        assert!(one.may_enter(0, 0, 1));
    }
}
