//! Tests that apply to every setting, and tests of the messages about invalid ones.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use nano_protocol::message::{NetHost, NetRule, NetRules};
use serde_json::Value as Json;
use toml::de::DeTable;

use super::app::{AppSettings, OwnSettings};
use super::assets::AssetSettings;
use super::defaults::Defaults;
use super::limits::AppLimits;
use super::restart::{RecyclePolicy, RestartMode, RestartPolicy};
use super::server::{self, ServerDraft, ServerSettings};
use crate::config::document::section::{Document, Section};
use crate::config::env::values;
use crate::config::errors::Problems;
use crate::config::setting::{About, ByDefault, SettingGroup};
use crate::config::types::log::{AccessLog, LogLevel};

/// A value for every setting that is not its default.
const SERVER: &str = "io_threads = 3\nlog_file = '/x.log'\ncontrol = '/x.sock'\ndrain_timeout = '1s'\nheader_read_timeout = '2s'\n\
    idle_timeout = '3s'\nsend_timeout = '4s'\nmax_uri = '4KiB'\nmax_header = '5000B'\nmax_headers = 60\nmax_heads = '1MiB'\n\
    max_connections = 7\nmax_buffered = '3MiB'\nmax_buffered_per_client = '1MiB'\nforwarded = 'append'\nspares = 3\n\
    cgroups = false\nstrict = true\nmax_starts_per_second = 4\nlog_format = 'json'\nlog_level = 'trace'\n\
    access_log = 'combined'\naccess_log_file = '/b.log'\nlog_max_size = '1MiB'\nlog_keep = 2\nlog_memory = '64KiB'";
const DRAFT: &str = "cache_dir = '/c'\nstate_dir = false\nadmin = '127.0.0.1:9100'\nadmin_token_file = '/t'\n\
    otlp_endpoint = 'http://127.0.0.1:4318'\notlp_headers_file = '/h'\ntrace_sample = 0.5";
const LIMITS: &str = "request_timeout = '1s'\nqueue_timeout = '2s'\nstart_timeout = '3s'\nmax_in_flight = 4\nmax_body = '5B'\n\
    max_websockets = 5\nmax_websocket_message = '1MiB'\nmax_websocket_buffered = '3MiB'\nwebsocket_ping = '10s'\nwebsocket_timeout = '20s'\n\
    max_in_flight_per_client = 3\nmin_rate = '7B'\nmax_queue = 9\nmax_response = '6B'\nmax_buffered = '2MiB'\n\
    cpu_time = '10s'\nscheduled_timeout = '9s'\nwait_until_timeout = '11s'\nlog_rate = '256KiB'\nmax_outbound = 12\nmax_blocking = 13\nmax_tmp = '14B'\nmax_fds = 130\n\
    max_pids = 40\nmax_cpus = 1.5\nheap = '64MiB'\nmemory = '96MiB'\nwatchdog = '7s'\nhung_timeout = '8s'";
const SETTINGS: &str = "exit_on_unhandled_rejection = true\nallow_net = ['*:443']\ndeny_net = ['10.0.0.0/8']\n\
    development = true\nhealth_path = '/up?x'\nlog_level = 'warn'\nrestart = 'never'\nrecycle = { growth = false }\n\
    quarantine = true\nwebsocket_compression = false";
const OWN: &str = "path = '/blog'\nport = 8080\nhost = '::1'\nhosts = ['blog.example']\nentry = 'main.js'\nenv = { A = 1 }\n\
    crons = ['*/5 * * * *']\nenv_files = ['/a']\nsecrets = { B = '/b' }\nsecrets_dir = '/s'\nprops = { tier = 'gold' }\nenvironment = 'staging'\n\
    assets = { directory = 'public' }\nservices = { API = 'api' }";
const ASSETS: &str = "directory = 'public'\nhtml_handling = 'drop-trailing-slash'\nnot_found_handling = '404-page'\n\
    run_worker_first = ['/api/*', '!/api/docs/*']\nbinding = 'FILES'";
const RESTART: &str = "policy = 'never'\ninitial = '1ms'\nmax = '2ms'\nfactor = 3.0\njitter = 0.4\nmin_uptime = '6s'\n\
    crash_loop = 7\nslow_retry = '8s'";
const RECYCLE: &str = "requests = 1000\nlifetime = '1h'\nmemory = '64MiB'\ngrowth = false";

/// Reads these lines over the group `before`. Returns the result and the problems. Paths are relative to `/etc/nano`.
fn over<S: SettingGroup>(before: &S, text: &str) -> (S, Vec<String>) {
    let mut group = before.clone();
    let problems = in_section(text, |section, problems| group.read(section, problems));
    (group, problems)
}

fn in_section(text: &str, read: impl FnOnce(&Section<'_>, &mut Problems)) -> Vec<String> {
    let table = DeTable::parse(text).unwrap();
    let document = Document::config("nano.toml", text).within(Path::new("/etc/nano"));
    let mut problems = Problems::default();
    read(&Section::top(document, table.get_ref()), &mut problems);
    problems.texts()
}

fn defaults(text: &str) -> (Defaults, Vec<String>) {
    defaults_over(Defaults::default(), text)
}

fn defaults_over(before: Defaults, text: &str) -> (Defaults, Vec<String>) {
    let mut found = before.clone();
    let problems = in_section(text, |section, problems| found = before.overridden(section, problems));
    (found, problems)
}

/// Asserts that `text` has a line for every setting of the group, and that each is read and is shown as it was written.
fn all_can_be_set<S: SettingGroup + PartialEq>(text: &str) {
    let (group, problems) = over(&S::default(), text);
    assert_eq!(problems, [""; 0]);
    let table = DeTable::parse(text).unwrap();
    for (name, shown) in group.in_force() {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} = ")));
        let line = line.unwrap_or_else(|| panic!("no line here sets {name}"));
        assert!(over(&S::default(), line).0 != S::default(), "{line} changes nothing");
        let given = values::json(table.get_ref()[name].get_ref()).unwrap();
        // Lists and tables are not shown.
        assert!(shown == given || shown.is_array() || shown.is_object(), "{name} is {shown}, not {given}");
    }
    assert_eq!(table.get_ref().len(), S::fields().len());
}

#[test]
fn every_setting_can_be_set() {
    all_can_be_set::<ServerSettings>(SERVER);
    all_can_be_set::<ServerDraft>(DRAFT);
    all_can_be_set::<AppLimits>(LIMITS);
    all_can_be_set::<AppSettings>(SETTINGS);
    all_can_be_set::<OwnSettings>(OWN);
    all_can_be_set::<AssetSettings>(ASSETS);
    all_can_be_set::<RestartPolicy>(RESTART);
    all_can_be_set::<RecyclePolicy>(RECYCLE);
}

/// Asserts that each default can be written in the file, and means the same as leaving the setting out.
fn defaults_are_valid<S: SettingGroup + PartialEq + std::fmt::Debug>() {
    for about in S::about() {
        let ByDefault::Value(value) = &about.by_default else { continue };
        let (group, mut problems) = over(&S::default(), &format!("{} = {value}", about.name));
        problems.retain(|problem| !problem.contains("is missing"));
        assert_eq!((group, problems), (S::default(), vec![]), "{}", about.name);
    }
}

#[test]
fn the_defaults_are_valid() {
    defaults_are_valid::<ServerSettings>();
    defaults_are_valid::<ServerDraft>();
    defaults_are_valid::<AppLimits>();
    defaults_are_valid::<AppSettings>();
    defaults_are_valid::<OwnSettings>();
    defaults_are_valid::<AssetSettings>();
    defaults_are_valid::<RestartPolicy>();
    defaults_are_valid::<RecyclePolicy>();
    let limits = AppLimits::default();
    assert!(
        limits.watchdog < limits.hung_timeout && limits.memory.is_some_and(|memory| memory >= limits.heap)
    );
}

#[test]
fn every_name_is_declared_once_and_documented() {
    let of_app = || OwnSettings::about().chain(Defaults::about());
    for section in [&mut server::all() as &mut dyn Iterator<Item = &'static About>, &mut of_app()] {
        let mut known = HashSet::new();
        for About { name, doc, .. } in section {
            assert!(known.insert(name), "{name} is declared twice");
            assert!(
                doc.ends_with('.') && doc.starts_with(|first: char| !first.is_lowercase()),
                "{name}: {doc}"
            );
        }
    }
    let summary = |name: &str| server::all().find(|about| about.name == name).unwrap().summary();
    assert_eq!(summary("max_uri"), "Longest path and query");
    assert_eq!(summary("drain_timeout"), "How long what is in flight may take to finish at the end");
}

#[test]
fn paths_are_relative_to_the_file() {
    let (server, _) = over(&ServerSettings::default(), "log_file = 'x.log'");
    assert_eq!(server.log_file.as_deref(), Some(Path::new("/etc/nano/x.log")));
    let (own, _) = over(&OwnSettings::default(), "secrets = { A = 'b' }\nenv_files = ['c']");
    assert_eq!(
        (&*own.secrets[0].1, &*own.env_files[0].0),
        (Path::new("/etc/nano/b"), Path::new("/etc/nano/c"))
    );
}

#[test]
fn every_wrong_setting_of_the_server_is_reported() {
    let long = "x".repeat(100);
    let text = format!(
        "log_level = 'loud'\nmax_header = '1GiB'\ncontrol = '{long}'\naccess_log = 'common'\nlog_file = '/'\nlog_max_size = 1\n\
         log_keep = -1\nlog_memory = '1B'"
    );
    assert_eq!(
        over(&ServerSettings::default(), &text).1,
        [
            "nano.toml:3: control: is too long for a socket (110 bytes); fix: the kernel's limit is near: stay within 90 bytes",
            "nano.toml:1: log_level: \"loud\" is none of its values; fix: write \"error\" or \"warn\" or \"info\" or \"debug\" or \
             \"trace\"",
            "nano.toml:5: log_file: is a folder; fix: name a file, such as \"/var/log/nano-supervisor/nano.log\"",
            "nano.toml:6: log_max_size: 1B is too small; fix: choose a value from 4KiB to 1024GiB",
            "nano.toml:7: log_keep: -1 is out of range; fix: choose a value from 0 to 1000",
            "nano.toml:8: log_memory: 1B is too small; fix: choose a value from 16KiB to 1GiB",
            "nano.toml:4: access_log: is none of its values; fix: write true or false without quotes, or \"combined\" or \"json\"",
            "nano.toml:2: max_header: 1GiB is too great; fix: choose a value from 1KiB to 64KiB",
        ]
    );
    for (text, form) in [("true", AccessLog::Lines), ("false", AccessLog::Off), ("'json'", AccessLog::Json)] {
        let (server, _) = over(&ServerSettings::default(), &format!("access_log = {text}"));
        assert_eq!(server.access_log, form);
    }
}

#[test]
fn every_wrong_setting_of_an_app_is_reported() {
    assert_eq!(
        defaults("heap = '1MiB'\nmax_in_flight = 0\nrequest_timeout = 30\nmax_response = true").1,
        [
            "nano.toml:3: request_timeout: 30 has no unit; fix: write \"30s\" for seconds or \"30ms\"",
            "nano.toml:2: max_in_flight: 0 is too small; fix: choose a value from 1 to 16384",
            "nano.toml:4: max_response: true is no size; fix: write a size, or false for none",
            "nano.toml:1: heap: 1MiB is too small; fix: choose a value from 16MiB to 64GiB",
        ]
    );
    assert_eq!(
        defaults("watchdog = '20s'\nrestart = { initial = '1m', extra = 1 }").1,
        [
            "nano.toml:1: watchdog: watchdog (20s) must be shorter than hung_timeout (10s); fix: set `hung_timeout` to about \
             twice `watchdog`",
            "nano.toml:2: restart.extra: unknown field; fix: remove it; what can be set here is: policy, initial, max, factor, \
             jitter, min_uptime, crash_loop, slow_retry",
            "nano.toml:2: restart.initial: initial (1m) must not be longer than max (1s); fix: lower `initial` or raise `max`",
        ]
    );
    assert_eq!(
        defaults("websocket_ping = '2m'\nmax_websocket_message = '100MiB'").1,
        [
            "nano.toml:1: websocket_ping: websocket_timeout (1m 30s) must be longer than websocket_ping (2m); fix: set \
             `websocket_timeout` to about three times `websocket_ping`",
            "nano.toml:2: max_websocket_message: max_websocket_buffered (64MiB) must not be less than max_websocket_message \
             (100MiB), or no such message arrives; fix: raise `max_websocket_buffered` or lower `max_websocket_message`",
        ]
    );
    assert_eq!(
        defaults("restart = 'sometimes'\nrecycle = { requests = true, after = 1 }\n").1,
        [
            "nano.toml:1: restart: \"sometimes\" is none of its values; fix: write \"always\" or \"on-failure\" or \"never\"",
            "nano.toml:2: recycle.after: unknown field; fix: remove it; what can be set here is: requests, lifetime, memory, \
             growth",
            "nano.toml:2: recycle.requests: true is no whole number; fix: write a whole number, or false for none",
        ]
    );
    let former = defaults("restart = { stable = '1m', windo = '1m' }").1;
    assert!(former[0].ends_with(
        "fix: remove it; a worker that has answered, or was ready for `min_uptime`, clears the history"
    ));
    let missing = over(&OwnSettings::default(), "port = 1").1;
    assert_eq!(missing, ["nano.toml:1: path: is missing; fix: add a line such as path = \"./blog\""]);
}

#[test]
fn a_secret_in_place_of_its_path_does_not_show() {
    let (_, problems) =
        over(&OwnSettings::default(), "path = 'a'\nport = 1\n[secrets]\nA = 'hunter2'\nB = 31337");
    assert_eq!(
        problems,
        ["nano.toml:5: secrets.B: is not the path of a file; fix: write the path, in quotes"]
    );
}

#[test]
fn small_machines_have_small_defaults() {
    let limits = |memory| {
        let Defaults { limits, .. } = Defaults::of_machine(memory);
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
    let (found, problems) = defaults("heap = '1GiB'");
    assert_eq!((found.limits.memory, problems), (Some(2 << 30), vec![]));
    assert_eq!(defaults("heap = '1GiB'\nmemory = false").0.limits.memory, None);
    let small = "nano.toml:2: memory: memory (512MiB) must not be less than heap (1GiB); fix: raise `memory` or lower `heap`";
    assert_eq!(defaults("heap = '1GiB'\nmemory = '512MiB'").1, [small]);
}

#[test]
fn what_an_app_says_replaces_what_the_defaults_say() {
    let (before, _) = defaults(&format!("{LIMITS}\n{SETTINGS}\n"));
    let any = NetRule { host: NetHost::Any, port: Some(443) };
    let private = NetHost::Network { address: "10.0.0.0".parse().unwrap(), prefix: 8 };
    let deny = vec![NetRule { host: private, port: None }];
    assert_eq!(before.settings.net(), NetRules { allow: Some(vec![any]), deny });
    assert_eq!(before.settings.log_level, Some(LogLevel::Warn));
    let text = "allow_net = []\ndeny_net = []\ndevelopment = false\nhealth_path = false\nmax_response = false\n\
                restart = { initial = '3ms' }\nrecycle = { requests = false, memory = '32MiB' }";
    let (after, problems) = defaults_over(before.clone(), text);
    assert_eq!(problems, [""; 0]);
    assert_eq!(after.settings.net(), NetRules { allow: Some(vec![]), deny: vec![] });
    assert_eq!((after.settings.development, after.settings.health_path), (false, None));
    assert_eq!(after.limits, AppLimits { max_response: None, ..before.limits });
    // The other fields of the table keep their values.
    let RestartPolicy { policy, initial, max, .. } = after.settings.restart;
    assert_eq!(
        (policy, initial, max),
        (RestartMode::Never, Duration::from_millis(3), Duration::from_secs(1))
    );
    let recycle = RecyclePolicy { growth: false, memory: Some(32 << 20), ..RecyclePolicy::default() };
    assert_eq!(after.settings.recycle, recycle);
}

#[test]
fn limits_are_shown_as_they_are_in_force() {
    let shown = AppLimits { max_in_flight: 8, max_cpus: Some(1500), ..AppLimits::default() }.shown();
    for expected in [
        ("request_timeout", "30s"),
        ("max_in_flight", "8"),
        ("max_in_flight_per_client", "6"),
        ("min_rate", "500B"),
        ("max_response", "false"),
        ("max_cpus", "1.5"),
        ("heap", "128MiB"),
    ] {
        assert!(shown.iter().any(|(name, value)| (*name, &**value) == expected), "{expected:?} in {shown:?}");
    }
    assert_eq!(shown.len(), AppLimits::fields().len());
}

#[test]
fn a_reload_changes_all_but_what_is_open() {
    let (running, _) = over(&ServerSettings::default(), "log_file = '/a.log'\nio_threads = 2");
    let (mut new, _) = over(&ServerSettings::default(), SERVER);
    let notes = new.keep_what_is_fixed(&running);
    let fixed: Vec<_> = notes.iter().map(|note| note.split_once(' ').unwrap().0).collect();
    let expected = [
        "io_threads",
        "control",
        "log_format",
        "log_file",
        "log_max_size",
        "log_keep",
        "access_log_file",
        "cgroups",
    ];
    assert_eq!(fixed, expected.map(|name| format!("server.{name}")));
    assert_eq!(notes[0], "server.io_threads takes effect when the supervisor is restarted");
    assert_eq!((new.io_threads, new.log_file, new.log_level), (2, running.log_file, LogLevel::Trace));
    assert_eq!((new.log_keep, new.max_uri), (5, 4096));
    let declared: Vec<_> = server::all().filter(|about| about.is_fixed).map(|about| about.name).collect();
    assert_eq!(declared.len(), expected.len() + ["state_dir", "admin", "admin_token_file"].len());
}

#[test]
fn an_editor_is_told_of_every_setting() {
    let schema = super::json::schema();
    let properties = |at: &str| schema.pointer(at).and_then(Json::as_object).unwrap();
    assert_eq!(properties("/properties/server/properties").len(), server::all().count());
    let of_app = properties("/properties/apps/additionalProperties/properties");
    assert_eq!(of_app.len(), OwnSettings::about().chain(Defaults::about()).count());
    for (name, property) in of_app {
        let target = property["$ref"].as_str().map_or(property, |at| schema.pointer(&at[1..]).unwrap());
        assert!(target["description"].as_str().is_some_and(|text| !text.contains("](")), "{name}: {target}");
    }
}
