//! The settings of the supervisor itself: `[server]`.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use nano_protocol::limits;

use crate::config::errors::{Place, Problems};
use crate::config::setting::kinds::{checked_path, choice, decimal, duration, path, size, switch, whole};
use crate::config::setting::units::{DAY, GIB, HOUR, KIB, MIB, ms, secs};
use crate::config::setting::{About, SettingGroup as _, settings};
use crate::config::types::admin::{self, Admin};
use crate::config::types::control::{self, ControlPath};
use crate::config::types::forwarded::{self, ForwardedPolicy};
use crate::config::types::log::{self, AccessLog, LogFormat, LogLevel};
use crate::config::types::own_folder::{CACHE, OwnFolder, STATE};
use crate::config::types::traces::{self, Endpoint, Traces};
use crate::model::shares;

/// Returns every setting of `[server]`.
pub(crate) fn all() -> impl Iterator<Item = &'static About> {
    ServerSettings::about().chain(ServerDraft::about())
}

settings! {
    /// Settings of the supervisor itself.
    pub(crate) struct ServerSettings {
        /// Threads that serve connections.
        // Clients and workers need the other cores.
        io_threads: usize = (cores() / 2).clamp(1, 256),
            whole(1..=256).by_default("half the cores").flag("N").fixed();

        /// Path of the Unix-domain socket on which `status`, `reload` and the other commands reach the supervisor. Only
        /// this user and root can use it; `false` for none. By default it is `$NANO_SUPERVISOR_CONTROL`, or
        /// `nano-supervisor.sock` in `$RUNTIME_DIRECTORY` (systemd), `$XDG_RUNTIME_DIR` or `/run`, where the commands look
        /// for it as well, unless another supervisor already listens there.
        control: ControlPath = ControlPath::Usual,
            control::setting().by_default("where the system has such sockets").flag("SOCKET").fixed();

        /// Form of log lines. `"text"` is for people, `"json"` one object per line.
        log_format: LogFormat = LogFormat::Text, choice().flag("FORMAT").fixed();

        /// Least important level that is logged. `"error"`, `"warn"`, `"info"`, `"debug"` or `"trace"`.
        log_level: LogLevel = LogLevel::Info, choice().flag("LEVEL");

        /// Append log lines to this file, and keep it from growing without bound. See [logs.md](logs.md#files).
        log_file: Option<PathBuf> = None,
            checked_path(log::file).optional().by_default("standard output").flag("FILE").fixed();

        /// Size at which a log file is renamed to `FILE.1` and a new one is begun.
        log_max_size: u64 = 100 * MIB, size(4 * KIB..=1024 * GIB).fixed();

        /// How many renamed log files are kept.
        log_keep: usize = 5, whole(0..=1000).fixed();

        /// How much of the latest lines of each app, and of the supervisor, is kept in memory for `logs`.
        log_memory: usize = 1 << 20, size(16 * KIB..=GIB);

        /// Log one line per request. `true` writes it in the form of the other lines, `"combined"` as nginx does, `"json"`
        /// as a JSON object.
        access_log: AccessLog = AccessLog::Off, log::access_log().flag("FORM").bare("true");

        /// Append the access log to this file.
        access_log_file: Option<PathBuf> = None,
            checked_path(log::file).optional().by_default("where the other lines go").flag("FILE").fixed();

        /// Believe `X-Forwarded-*` of nobody (replace), all (append) or these proxies (10.0.0.0/8,...). The same goes for
        /// `Forwarded`, `X-Request-Id`, `X-Real-IP`, `CF-*` and the like. `"replace"` drops what clients send. `"append"`
        /// believes and extends it, for a supervisor whose every client is a proxy. A list of addresses and networks, such
        /// as `["127.0.0.1", "10.0.0.0/8"]` (as a flag with commas between), does so for these proxies only, see
        /// [web-platform.md](web-platform.md#what-a-request-tells).
        forwarded: ForwardedPolicy = ForwardedPolicy::Replace, forwarded::setting().flag("POLICY");

        /// How long what is in flight may take to finish at the end.
        // Below the 30 s that Kubernetes gives by default.
        drain_timeout: Duration = secs(25), duration(Duration::ZERO..=HOUR).flag("DURATION");

        /// How long a client may take to send the head of a request. After that the answer is 408.
        header_read_timeout: Duration = secs(10), duration(ms(10)..=HOUR);

        /// How long a connection may stay open without a request. Pings do not extend it.
        idle_timeout: Duration = secs(75), duration(ms(10)..=DAY);

        /// How long a client may receive nothing of its response, or be behind `min_rate` with it. After that the
        /// connection is closed; over HTTP/2 only the stream is reset.
        send_timeout: Duration = secs(60), duration(ms(10)..=DAY);

        /// Longest path and query. A longer one is answered 414.
        max_uri: usize = 8 << 10, size(64..=MAX_URI);

        /// Greatest size of all header fields of a request together. A larger request is answered 431.
        max_header: usize = 32 << 10, size(KIB..=MAX_HEADER);

        /// Greatest number of header fields of a request. A request with more is answered 431.
        max_headers: usize = 100, whole(8..=MAX_HEADERS);

        /// Greatest size of all unfinished request heads of all clients together. Beyond it, connections with unfinished
        /// heads are closed.
        // A single head of the greatest size has to fit.
        max_heads: usize = 32 << 20, size(128 * KIB..=64 * GIB);

        /// Greatest number of client connections at once. When it is reached, idle connections are closed for new ones, see
        /// [limits.md](limits.md#shares).
        max_connections: usize = 10_000, whole(1..=1_000_000);

        /// How much the bodies of all apps together may hold in the supervisor on their way. Beyond it, each response has
        /// only 16 KiB.
        // The windows of a few responses have to fit.
        max_buffered: usize = 256 << 20, size(MIB..=64 * GIB);

        /// How much the bodies of one client address may hold, over all apps. It is also what the client may send over
        /// HTTP/2 before that is read, see [limits.md](limits.md#shares).
        max_buffered_per_client: Option<usize> = None,
            size(MIB..=64 * GIB).optional().by_default("a quarter of `max_buffered`");

        /// How many worker processes without an app are kept ready, for each value of `heap` that apps have. A spare
        /// replaces a crashed worker and only has to load the app.
        spares: usize = 1, whole(0..=64);

        /// How many workers of all apps together are started per second without an operator having asked for it. Twice as
        /// many may start at once; the apps take turns, see [operate.md](operate.md#crashes).
        // A start takes about 50 ms of a core.
        max_starts_per_second: u32 = u32::try_from(8 * cores()).unwrap_or(u32::MAX).min(10_000),
            whole(1..=10_000).by_default("8 for each core");

        /// Whether the kernel holds workers to their limits, where a control group (cgroup v2) is
        /// [delegated](limits.md#control-groups) to the supervisor.
        cgroups: bool = true, switch().fixed();

        /// Serve no app at all if one of them cannot be run. Otherwise
        /// [that app alone has failed](operate.md#apps-that-cannot-be-run). `check` then also fails if an app lacks a
        /// [binding](from-cloudflare-workers.md#bindings) of its wrangler file.
        strict: bool = false, switch().switch_flag();
    }
    // Derived from `ServerDraft`.
    with {
        /// The admin listener, if there is one.
        admin: Option<Admin> = None;
        /// Where spans go, if anywhere.
        traces: Option<Traces> = None;
        /// Where deploys are kept, if anywhere.
        state_dir: Option<StateDir> = None;
    }
}

settings! {
    /// Settings of the supervisor itself that name what has to be looked at once all of them are known: addresses, files, folders.
    pub(crate) struct ServerDraft {
        /// Keep translated modules in this folder between starts. What V8 has compiled of long modules is kept as well;
        /// each app has a folder of its own, and `false` keeps nothing. By default it is `$CACHE_DIRECTORY` (systemd), else
        /// `nano-supervisor` in `$XDG_CACHE_HOME` or `~/.cache`, if that can be written to.
        cache_dir: OwnFolder = OwnFolder::Usual,
            CACHE.setting().by_default("where the system keeps caches").flag("DIR")
                .off_flag("no-cache", "Translate modules anew at each start");

        /// Keep deploys in this folder. With it there need be no app to start with. Only this user can read it, and one
        /// supervisor at a time can use it, see [deploys](operate.md#deploy); `false` keeps none. By default it is
        /// `$STATE_DIRECTORY` (systemd), else `nano-supervisor` in `$XDG_STATE_HOME` or `~/.local/state`, if that can be
        /// written to and no other supervisor uses it.
        state_dir: OwnFolder = OwnFolder::Usual,
            STATE.setting().by_default("where the system keeps state").flag("DIR").fixed();

        /// Serve health, metrics and a dashboard over HTTP on this address, such as 127.0.0.1:9100. See
        /// [operate.md](operate.md#admin-listener).
        admin: Option<(SocketAddr, Place)> = None,
            admin::address().placed().by_default("off").flag("ADDRESS:PORT").fixed();

        /// File with the bearer token that the admin listener asks for. Its clients must send it with everything but
        /// probes. It is required if other machines can reach the listener; without one, a token is
        /// [made](operate.md#admin-listener).
        admin_token_file: Option<(PathBuf, Place)> = None, path().placed().by_default("a token is made").flag("FILE").fixed();

        /// Send a span of each request to this OpenTelemetry collector, such as `http://127.0.0.1:4318`. It is the base URL
        /// of OTLP over HTTP, see [operate.md](operate.md#traces).
        otlp_endpoint: Option<Endpoint> = None,
            traces::endpoint().optional().by_default("none").flag("URL").variable("OTEL_EXPORTER_OTLP_ENDPOINT");

        /// File of header fields that are sent with spans, such as a key. It has one `name: value` per line.
        otlp_headers_file: Option<(PathBuf, Place)> = None, path().placed().by_default("none");

        /// Share of the requests without a trace of their own that begin one and are recorded, 0 to 1. A request that comes
        /// with a trace follows that.
        trace_sample: f64 = 1.0, decimal(0.0..=1.0);
    }
}

const MAX_URI: u64 = 32 * KIB;
const MAX_HEADER: u64 = 64 * KIB;
/// Largest value of `max_headers`. The fields that the supervisor adds have to fit as well.
pub(crate) const MAX_HEADERS: usize = 1000;

/// The host occurs in the head up to three times (in the URL, as `Host` and as `X-Forwarded-Host`), every other field once.
const _: () = assert!(MAX_URI + 3 * MAX_HEADER <= limits::MAX_HEAD as u64);

/// A folder for deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateDir {
    /// Its path. If it was configured, the path is absolute and the folder exists.
    pub path: PathBuf,
    /// Whether it is configured explicitly. Otherwise it is the usual folder.
    pub is_asked_for: bool,
}

impl ServerDraft {
    /// Validates the addresses, files and folders, and stores the results in `server`. Returns the cache folder, if there is one.
    pub(crate) fn resolve(self, server: &mut ServerSettings, problems: &mut Problems) -> Option<PathBuf> {
        server.admin = Admin::resolve(self.admin, self.admin_token_file, problems);
        server.traces =
            Traces::resolve(self.otlp_endpoint, self.otlp_headers_file, self.trace_sample, problems);
        let variable = |name: &str| std::env::var_os(name);
        let cache = self.cache_dir.folder(&CACHE, variable, problems);
        let is_asked_for = self.state_dir.is_asked_for();
        let state = self.state_dir.folder(&STATE, variable, problems);
        server.state_dir = state.map(|path| StateDir { path, is_asked_for });
        cache
    }
}

impl ServerSettings {
    /// Returns how many bytes the bodies of one client may occupy in the supervisor.
    pub(crate) fn buffered_per_client(&self) -> usize {
        self.max_buffered_per_client.unwrap_or_else(|| shares::of_one(self.max_buffered))
    }

    /// Restores the settings that cannot change while the supervisor runs. Returns a note for each that was different.
    pub(crate) fn keep_what_is_fixed(&mut self, running: &Self) -> Vec<String> {
        let mut kept = self.keep_fixed(running);
        kept.extend((self.admin != running.admin).then_some("admin"));
        kept.extend((self.state_dir != running.state_dir).then_some("state_dir"));
        self.admin.clone_from(&running.admin);
        self.state_dir.clone_from(&running.state_dir);
        let note = |field| format!("server.{field} takes effect when the supervisor is restarted");
        kept.into_iter().map(note).collect()
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
