//! What `[defaults]` and an app's own section both may say: limits, supervision, uncaught errors, outbound connections,
//! development mode.

use nano_protocol::message::NetRules;
use toml::de::DeValue;

use crate::config::app::AppLimits;
use crate::config::bounds;
use crate::config::document::quantity::{show_duration, show_size};
use crate::config::document::section::Section;
use crate::config::document::value::{choice, decimal, duration, or_none, size, switch, text, whole};
use crate::config::errors::{Flaw, Problems};
use crate::config::schema::supervision::{RecyclePolicy, RestartPolicy, or_never};
use crate::config::types::log::LogLevel;
use crate::config::types::net;

/// Fields of `[defaults]` and of every app.
pub(crate) const FIELDS: &[&str] = &[
    "request_timeout",
    "queue_timeout",
    "start_timeout",
    "max_in_flight",
    "max_in_flight_per_client",
    "min_rate",
    "max_queue",
    "max_body",
    "max_response",
    "max_buffered",
    "cpu_time",
    "wait_until_timeout",
    "log_rate",
    "max_outbound",
    "max_blocking",
    "max_fds",
    "max_pids",
    "max_cpus",
    "heap",
    "memory",
    "watchdog",
    "hung_timeout",
    "restart",
    "recycle",
    "quarantine",
    "health_path",
    "exit_on_unhandled_rejection",
    "allow_net",
    "deny_net",
    "development",
    "log_level",
];

/// The part of an app that has defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) limits: AppLimits,
    /// Whether somebody has said what the limit of memory is.
    is_memory_set: bool,
    pub(crate) restart: RestartPolicy,
    pub(crate) recycle: RecyclePolicy,
    pub(crate) quarantine: bool,
    pub(crate) health_path: Option<String>,
    pub(crate) fatal_uncaught: bool,
    pub(crate) net: NetRules,
    pub(crate) development: bool,
    pub(crate) log_level: Option<LogLevel>,
}

impl Settings {
    /// The defaults where all apps together have so much memory, in bytes: one app that is out of bounds must not take all
    /// of it.
    pub(crate) fn of_machine(memory: Option<u64>) -> Self {
        let mut settings = Self::default();
        if let Some(available) = memory {
            let limits = &mut settings.limits;
            limits.heap = limits.heap.min(available / 8).max(*bounds::HEAP.start());
            let least = limits.heap.max(*bounds::MEMORY.start());
            limits.memory = limits.memory.map(|memory| memory.min(available / 2).max(least));
        }
        settings
    }

    /// These settings, except for what `section` says otherwise.
    pub(crate) fn overridden(mut self, section: &Section<'_>, problems: &mut Problems) -> Self {
        let limits = &mut self.limits;
        section.set(
            "request_timeout",
            duration(bounds::REQUEST_TIMEOUT),
            &mut limits.request_timeout,
            problems,
        );
        section.set("queue_timeout", duration(bounds::QUEUE_TIMEOUT), &mut limits.queue_timeout, problems);
        section.set("start_timeout", duration(bounds::START_TIMEOUT), &mut limits.start_timeout, problems);
        section.set("max_in_flight", whole(bounds::MAX_IN_FLIGHT), &mut limits.max_in_flight, problems);
        let per_client = |value: &DeValue<'_>| whole(bounds::MAX_IN_FLIGHT_PER_CLIENT)(value).map(Some);
        section.set("max_in_flight_per_client", per_client, &mut limits.max_in_flight_per_client, problems);
        section.set(
            "min_rate",
            |value| or_never(value, size(bounds::MIN_RATE)),
            &mut limits.min_rate,
            problems,
        );
        section.set("max_queue", whole(bounds::MAX_QUEUE), &mut limits.max_queue, problems);
        section.set("max_body", size(bounds::MAX_BODY), &mut limits.max_body, problems);
        section.set("max_response", or_none(size(bounds::MAX_RESPONSE)), &mut limits.max_response, problems);
        section.set("max_buffered", size(bounds::MAX_BUFFERED), &mut limits.max_buffered, problems);
        section.set("cpu_time", duration(bounds::CPU_TIME), &mut limits.cpu_time, problems);
        section.set(
            "wait_until_timeout",
            duration(bounds::WAIT_UNTIL_TIMEOUT),
            &mut limits.wait_until_timeout,
            problems,
        );
        section.set("log_rate", size(bounds::LOG_RATE), &mut limits.log_rate, problems);
        section.set("max_outbound", whole(bounds::MAX_OUTBOUND), &mut limits.max_outbound, problems);
        section.set("max_blocking", whole(bounds::MAX_BLOCKING), &mut limits.max_blocking, problems);
        section.set("max_fds", whole(bounds::MAX_FDS), &mut limits.max_fds, problems);
        section.set("max_pids", whole(bounds::MAX_PIDS), &mut limits.max_pids, problems);
        section.set("max_cpus", |value| or_never(value, cpus), &mut limits.max_cpus, problems);
        section.set("heap", size(bounds::HEAP), &mut limits.heap, problems);
        let memory = |value: &DeValue<'_>| or_never(value, size(bounds::MEMORY));
        section.set("memory", memory, &mut limits.memory, problems);
        self.is_memory_set |= section.has("memory");
        if !self.is_memory_set {
            // Who wants a large heap wants room for it.
            limits.memory = limits.memory.map(|memory| memory.max(limits.heap.saturating_mul(2)));
        }
        section.set("watchdog", duration(bounds::WATCHDOG), &mut limits.watchdog, problems);
        section.set("hung_timeout", duration(bounds::HUNG_TIMEOUT), &mut limits.hung_timeout, problems);
        section.set("exit_on_unhandled_rejection", switch, &mut self.fatal_uncaught, problems);
        section.set("development", switch, &mut self.development, problems);
        section.set("log_level", |value| choice(value).map(Some), &mut self.log_level, problems);
        if let Some(rules) = net::read(section, "allow_net", problems) {
            self.net.allow = Some(rules);
        }
        if let Some(rules) = net::read(section, "deny_net", problems) {
            self.net.deny = rules;
        }
        check_watchdog(limits, section, problems);
        check_memory(limits, section, problems);
        self.restart.overridden(section, problems);
        self.recycle.overridden(section, problems);
        section.set("quarantine", switch, &mut self.quarantine, problems);
        section.set("health_path", |value| or_never(value, health_path), &mut self.health_path, problems);
        self
    }
}

/// While JavaScript runs, the worker answers no ping: the watchdog, which knows why, has to come first.
fn check_watchdog(limits: &AppLimits, section: &Section<'_>, problems: &mut Problems) {
    let field = if section.has("watchdog") { "watchdog" } else { "hung_timeout" };
    if section.has(field) && limits.watchdog >= limits.hung_timeout {
        let (watchdog, hung_timeout) = (show_duration(limits.watchdog), show_duration(limits.hung_timeout));
        let what = format!("watchdog ({watchdog}) must be shorter than hung_timeout ({hung_timeout})");
        problems.add(section.place(field), Flaw::new(what, "set `hung_timeout` to about twice `watchdog`"));
    }
}

/// Otherwise the worker would be killed before its heap says why it is full.
fn check_memory(limits: &AppLimits, section: &Section<'_>, problems: &mut Problems) {
    let field = if section.has("memory") { "memory" } else { "heap" };
    if let Some(memory) = limits.memory
        && section.has(field)
        && memory < limits.heap
    {
        let (memory, heap) = (show_size(memory), show_size(limits.heap));
        let what = format!("memory ({memory}) must not be less than heap ({heap})");
        problems.add(section.place(field), Flaw::new(what, "raise `memory` or lower `heap`"));
    }
}

/// A number of CPUs, in thousandths of one.
fn cpus(value: &DeValue<'_>) -> Result<u32, Flaw> {
    // Within the bounds it is far from what does not fit.
    decimal(bounds::MAX_CPUS)(value).map(|cpus| (cpus * 1000.0).round() as u32)
}

/// Path and query of a request.
fn health_path(value: &DeValue<'_>) -> Result<String, Flaw> {
    let path = text(value)?;
    let is_target = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_target || path.len() > bounds::HEALTH_PATH {
        return Err(Flaw::new(format!("{path:?} is no path"), "write it as in a URL, such as \"/health\""));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nano_protocol::message::{NetHost, NetRule};
    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;
    use crate::config::schema::supervision::RestartMode;

    fn settings(text: &str) -> (Settings, Vec<String>) {
        let table = DeTable::parse(text).unwrap();
        let mut problems = Problems::default();
        let top = Section::top(Document::config("nano.toml", text), table.get_ref());
        let settings = Settings::default().overridden(&top, &mut problems);
        (settings, problems.texts())
    }

    #[test]
    fn the_defaults_are_valid() {
        let Settings { limits, .. } = Settings::default();
        assert!(bounds::REQUEST_TIMEOUT.contains(&limits.request_timeout));
        assert!(bounds::QUEUE_TIMEOUT.contains(&limits.queue_timeout));
        assert!(bounds::START_TIMEOUT.contains(&limits.start_timeout));
        assert!(bounds::MAX_IN_FLIGHT.contains(&limits.max_in_flight));
        assert!(bounds::MAX_BODY.contains(&limits.max_body) && bounds::HEAP.contains(&limits.heap));
        assert!(limits.min_rate.is_some_and(|rate| bounds::MIN_RATE.contains(&rate)));
        assert!(bounds::MAX_QUEUE.contains(&limits.max_queue) && limits.max_response.is_none());
        assert!(bounds::CPU_TIME.contains(&limits.cpu_time) && bounds::LOG_RATE.contains(&limits.log_rate));
        assert!(bounds::WAIT_UNTIL_TIMEOUT.contains(&limits.wait_until_timeout));
        assert!(bounds::MAX_OUTBOUND.contains(&limits.max_outbound));
        assert!(bounds::MAX_BUFFERED.contains(&limits.max_buffered));
        assert!(bounds::MAX_BLOCKING.contains(&limits.max_blocking));
        assert!(bounds::MAX_FDS.contains(&limits.max_fds));
        assert!(bounds::MAX_PIDS.contains(&limits.max_pids) && limits.max_cpus.is_none());
        assert!(bounds::WATCHDOG.contains(&limits.watchdog) && limits.watchdog < limits.hung_timeout);
        assert!(bounds::HUNG_TIMEOUT.contains(&limits.hung_timeout));
    }

    #[test]
    fn small_machines_have_small_defaults() {
        let limits = |memory| {
            let Settings { limits, .. } = Settings::of_machine(memory);
            (limits.heap >> 20, limits.memory.unwrap_or_default() >> 20)
        };
        assert_eq!(limits(None), (128, 512));
        assert_eq!(limits(Some(64 << 30)), (128, 512));
        assert_eq!(limits(Some(512 << 20)), (64, 256));
        assert_eq!(limits(Some(64 << 20)), (16, 32));
        assert_eq!(limits(Some(1)), (16, 32));
    }

    #[test]
    fn a_large_heap_has_room_unless_somebody_says_otherwise() {
        let (found, problems) = settings("heap = '1GiB'");
        assert_eq!((found.limits.memory, problems), (Some(2 << 30), vec![]));
        assert_eq!(settings("heap = '1GiB'\nmemory = false").0.limits.memory, None);
        let (_, problems) = settings("heap = '1GiB'\nmemory = '512MiB'");
        assert_eq!(
            problems,
            [
                "nano.toml:2: memory: memory (512MiB) must not be less than heap (1GiB); fix: raise `memory` or lower \
              `heap`"
            ]
        );
    }

    #[test]
    fn every_field_can_be_overridden() {
        let (settings, found) = settings(
            "request_timeout = '1s'\nqueue_timeout = '2s'\nstart_timeout = '3s'\nmax_in_flight = 4\nmax_body = '5B'\n\
             max_in_flight_per_client = 3\nmin_rate = '7B'\nmax_queue = 9\nmax_response = '6B'\nmax_buffered = '2MiB'\ncpu_time = '10s'\nwait_until_timeout = '11s'\n\
             log_rate = '256KiB'\nmax_outbound = 12\nmax_blocking = 13\nmax_fds = 130\nmax_pids = 40\nmax_cpus = 1.5\n\
             heap = '64MiB'\nmemory = '96MiB'\nhealth_path = '/up?x'\nwatchdog = '7s'\nhung_timeout = '8s'\nexit_on_unhandled_rejection = true\n\
             restart = 'never'\nrecycle = { requests = 9 }\nquarantine = true\n\
             allow_net = ['*:443']\ndeny_net = ['10.0.0.0/8']\ndevelopment = true\nlog_level = 'warn'",
        );
        let seconds = Duration::from_secs;
        assert_eq!(found, [""; 0]);
        assert!(settings.fatal_uncaught && settings.development && settings.quarantine);
        assert_eq!(settings.log_level, Some(LogLevel::Warn));
        let any = NetRule { host: NetHost::Any, port: Some(443) };
        let private = NetHost::Network { address: "10.0.0.0".parse().unwrap(), prefix: 8 };
        let deny = vec![NetRule { host: private, port: None }];
        assert_eq!(settings.net, NetRules { allow: Some(vec![any]), deny });
        assert_eq!(
            settings.limits,
            AppLimits {
                request_timeout: seconds(1),
                queue_timeout: seconds(2),
                start_timeout: seconds(3),
                max_in_flight: 4,
                max_in_flight_per_client: Some(3),
                min_rate: Some(7),
                max_queue: 9,
                max_body: 5,
                max_response: Some(6),
                max_buffered: 2 << 20,
                cpu_time: seconds(10),
                wait_until_timeout: seconds(11),
                log_rate: 256 << 10,
                max_outbound: 12,
                max_blocking: 13,
                max_fds: 130,
                max_pids: 40,
                max_cpus: Some(1500),
                heap: 64 << 20,
                memory: Some(96 << 20),
                watchdog: seconds(7),
                hung_timeout: seconds(8),
            }
        );
        assert_eq!((settings.restart.mode, settings.recycle.requests), (RestartMode::Never, Some(9)));
        assert_eq!(settings.health_path.as_deref(), Some("/up?x"));
    }

    #[test]
    fn an_empty_list_of_an_app_replaces_that_of_the_defaults() {
        let (defaults, _) = settings("allow_net = ['a']\ndeny_net = ['b']\ndevelopment = true");
        let text = "allow_net = []\ndeny_net = []\ndevelopment = false";
        let table = DeTable::parse(text).unwrap();
        let app = Section::top(Document::config("nano.toml", text), table.get_ref());
        let found = defaults.overridden(&app, &mut Problems::default());
        assert_eq!((found.net.allow, found.net.deny, found.development), (Some(vec![]), vec![], false));
    }

    #[test]
    fn an_app_can_have_no_limit_of_its_responses_again() {
        let (defaults, _) = settings("max_response = '1MiB'");
        let limit = |text: &str| {
            let table = DeTable::parse(text).unwrap();
            let app = Section::top(Document::config("nano.toml", text), table.get_ref());
            let mut problems = Problems::default();
            let found = defaults.clone().overridden(&app, &mut problems).limits.max_response;
            (found, problems.texts().concat())
        };
        assert_eq!(limit(""), (Some(1 << 20), String::new()));
        assert_eq!(limit("max_response = false"), (None, String::new()));
        let (kept, problem) = limit("max_response = true");
        assert_eq!(kept, Some(1 << 20));
        assert!(problem.ends_with("true is no limit; fix: write a size, or false for no limit"), "{problem}");
    }

    #[test]
    fn settings_that_contradict_each_other_are_reported() {
        let (_, found) = settings("watchdog = '20s'\nrestart = { initial = '1m', extra = 1 }");
        assert_eq!(
            found,
            [
                "nano.toml:1: watchdog: watchdog (20s) must be shorter than hung_timeout (10s); fix: set \
                 `hung_timeout` to about twice `watchdog`",
                "nano.toml:2: restart.extra: unknown field; fix: remove it; what can be set here is: policy, \
                 initial, max, factor, jitter, min_uptime, crash_loop, slow_retry",
                "nano.toml:2: restart.initial: initial (1m) must not be longer than max (1s); fix: lower `initial` or \
                 raise `max`",
            ]
        );
    }

    #[test]
    fn every_wrong_field_is_reported() {
        let (_, found) = settings("heap = '1MiB'\nmax_in_flight = 0\nrequest_timeout = 30");
        assert_eq!(
            found,
            [
                "nano.toml:3: request_timeout: 30 has no unit; fix: write \"30s\" for seconds or \"30ms\"",
                "nano.toml:2: max_in_flight: 0 is too small; fix: choose a value from 1 to 16384",
                "nano.toml:1: heap: 1MiB is too small; fix: choose a value from 16MiB to 64GiB",
            ]
        );
    }
}
