//! The typed contents of frames.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::handlers::Handlers;
pub use crate::stream_error::{StreamError, StreamErrorKind, Thrown};

/// First frame of the supervisor on every connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`crate::limits::PROTOCOL_VERSION`] of the sender.
    pub version: u32,
    /// What the connection is for.
    pub role: Role,
    /// The limit of the V8 heap, in bytes. The worker creates the isolate with it before it knows its app.
    pub heap: u64,
}

/// What a connection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Control frames, such as load, ping, logs, stats and drain, and calls. One per worker.
    Control,
    /// Requests of one I/O thread. One per worker and I/O thread.
    Requests,
}

/// Limits that the worker enforces on itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLimits {
    /// Longest time JavaScript may run without returning to the event loop, in milliseconds.
    pub watchdog_ms: u64,
    /// Longest CPU time of one request, in milliseconds.
    pub cpu_ms: u64,
    /// Longest time that work passed to `waitUntil` keeps a draining worker after the response, in milliseconds.
    pub wait_until_ms: u64,
    /// Most outbound connections at once.
    pub max_outbound: u32,
    /// Most cryptographic calls that run or wait on other threads at once.
    pub max_blocking: u32,
    /// Most bytes that the files may have which requests write.
    pub max_tmp: u64,
    /// Longest message over a WebSocket that the app has opened, in bytes.
    pub max_socket_message: u64,
    /// Most bytes that messages may hold in the worker of WebSockets that it has accepted, and as many of those that it has opened.
    pub max_socket_bytes: u64,
    /// Whether an uncaught error outside a request ends the worker.
    pub fatal_uncaught: bool,
}

/// The worker's answer to [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`crate::limits::PROTOCOL_VERSION`] of the sender.
    pub version: u32,
    /// Process id of the worker.
    pub pid: u32,
}

/// The app that the worker has to load. Sent once, on the control connection. Its debug output names variables without their
/// values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The app's name.
    pub app: String,
    /// The limits that the worker enforces.
    pub limits: WorkerLimits,
    /// The app's folder, absolute and without symlinks.
    pub root: String,
    /// The entry module, relative to the folder.
    pub entry: String,
    /// What the app's bundler would have been told about its modules.
    pub modules: ModuleOptions,
    /// Names in the handler's `env` of what the app was written for and does not get, each with the message of the error that
    /// is thrown when it is used. A variable of the same name takes precedence.
    pub missing: Vec<(String, String)>,
    /// The handler's `env`: names, and values as JSON text.
    pub env: Vec<(String, String)>,
    /// Names in the handler's `env`, and what each stands for. A variable of the same name takes precedence, or is the value of
    /// [`BindingKind::Secret`].
    pub bindings: Vec<(String, BindingKind)>,
    /// Files that are values in the handler's `env` of an app of the service worker format. A variable of the same name takes precedence.
    pub blobs: Vec<Blob>,
    /// The keys of the files of a Workers Site by their paths, as JSON text: the module `__STATIC_CONTENT_MANIFEST`.
    pub site_manifest: Option<String>,
    /// The handler's `ctx.props`, as JSON text.
    pub props: String,
    /// Which outbound connections the app may open.
    pub net: NetRules,
    /// The supervisor's own addresses, to which no rule allows connections. An unspecified address stands for every address of
    /// this machine.
    pub closed: Vec<SocketAddr>,
    /// Absolute path of the folder in which translated modules are cached between starts; none if there is no cache.
    pub emit_cache: Option<String>,
    /// Whether console output goes to a terminal that shows colours.
    pub has_colours: bool,
    /// Whether the app is in development mode, which `process.env.NODE_ENV` tells it.
    pub development: bool,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("app", &self.app)
            .field("limits", &self.limits)
            .field("root", &self.root)
            .field("entry", &self.entry)
            .field("modules", &self.modules)
            .field("missing", &self.missing)
            .field("env", &self.env.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("bindings", &self.bindings)
            .field("blobs", &self.blobs)
            .field("site_manifest", &self.site_manifest)
            .field("props", &self.props)
            .field("net", &self.net)
            .field("closed", &self.closed)
            .field("emit_cache", &self.emit_cache)
            .field("has_colours", &self.has_colours)
            .field("development", &self.development)
            .finish()
    }
}

/// What a name in the handler's `env` stands for that is no variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindingKind {
    /// Something to fetch from: another app, or the app's static files.
    Fetcher,
    /// The files of a Workers Site. A fetch of `/get?key=KEY` is answered with the file of this key, or with the status 404, and one
    /// of `/list?prefix=PREFIX&limit=LIMIT&cursor=KEY` with a page of keys as JSON.
    Bucket,
    /// A rate limit. The path of a fetch is what is counted. The answer has the status 200 within the limit, and 429 beyond it.
    RateLimit,
    /// The dataset of this name. What is written to it is logged.
    Dataset(String),
    /// A secret that the app asks for. Its value is the variable of the same name.
    Secret,
    /// The version of the app.
    Version(Version),
    /// A database. Its connection string is the variable of the same name.
    Hyperdrive,
}

/// A file whose contents are a value in `env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// The name of the value.
    pub name: String,
    /// The file, relative to the app's folder.
    pub path: String,
    /// What it is: a text, bytes as an `ArrayBuffer`, or a `WebAssembly.Module`.
    pub kind: ModuleKind,
}

/// The version of an app: another one for another build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// A UUID that differs for each time at which the entry module was written, and for each folder.
    pub id: String,
    /// When the entry module was written, in RFC 3339.
    pub timestamp: String,
}

impl BindingKind {
    /// Returns whether the worker opens streams to use it.
    pub fn is_fetched(&self) -> bool {
        matches!(self, Self::Fetcher | Self::Bucket | Self::RateLimit)
    }
}

/// How the modules of an app are found and read, beyond what their names say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleOptions {
    /// Kinds of files. The first rule that fits a file counts.
    pub rules: Vec<ModuleRule>,
    /// Names of modules, and the names that are imported in their place, from [`Self::file`].
    pub alias: Vec<(String, String)>,
    /// The path of the file that says so, relative to the app's folder.
    pub file: String,
    /// Names of global variables, and what each stands for: JSON text, or the name of another global variable.
    pub define: Vec<(String, String)>,
}

/// What the files are whose paths fit a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRule {
    /// The pattern: `*` stands for any characters, `**/` for any folders or none.
    pub glob: String,
    /// What the files are.
    pub kind: ModuleKind,
}

/// What a file is as a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleKind {
    /// JavaScript or TypeScript.
    Code,
    /// A text, which the module exports.
    Text,
    /// Bytes, which the module exports as an `ArrayBuffer`.
    Data,
    /// A `WebAssembly.Module`, which the module exports.
    Wasm,
}

/// Which outbound connections an app may open. `deny` takes precedence over `allow`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetRules {
    /// Destinations that the app may reach; none for all public and private addresses except link-local ones.
    pub allow: Option<Vec<NetRule>>,
    /// Destinations that the app may not reach.
    pub deny: Vec<NetRule>,
}

/// Destinations of outbound connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetRule {
    /// The hosts.
    pub host: NetHost,
    /// The port; none for every port.
    pub port: Option<u16>,
}

/// The hosts that a [`NetRule`] names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetHost {
    /// Every host.
    Any,
    /// This name, in lower case.
    Name(String),
    /// Every name below this one, which is in lower case and has no leading dot.
    Below(String),
    /// Every address of a network, whichever name resolved to it.
    Network {
        /// An address of the network.
        address: IpAddr,
        /// The length of the network's prefix, in bits.
        prefix: u8,
    },
}

/// The outcome of [`Load`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loaded {
    /// The app is loaded and takes requests and events. The names are those of its entrypoints, besides the default one.
    Ready(Handlers, Vec<String>),
    /// The app did not load. The text is for people and names file, line and column.
    Failed(String),
}

/// Severity of a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogLevel {
    /// `console.debug`.
    Debug,
    /// `console.log`, `console.info`, `console.trace`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`, uncaught errors.
    Error,
}

/// One record of the app's console or of the worker itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Severity.
    pub level: LogLevel,
    /// The request during which it was written, if any.
    pub request_id: Option<RequestId>,
    /// The name of that request, in records about failures.
    pub request: Option<RequestName>,
    /// The text, without a line end.
    pub message: String,
}

/// A request as people name it: by method and path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestName {
    /// Its method.
    pub method: String,
    /// Its path, or the beginning of it.
    pub path: String,
}

/// A snapshot of the worker's usage and counters, sent after every pong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// V8 heap in use, in bytes.
    pub heap_used: u64,
    /// V8 heap limit, in bytes.
    pub heap_limit: u64,
    /// Memory outside the heap that JavaScript keeps alive, in bytes.
    pub external: u64,
    /// Requests in flight.
    pub in_flight: u32,
    /// Requests answered since start.
    pub requests: u64,
    /// Promises passed to `waitUntil` that took longer than they may keep the worker, since start.
    pub late_background: u64,
    /// Outbound connections that are open, idle ones included.
    pub outbound: u32,
    /// Outbound connections that got no slot in time, since start.
    pub outbound_refused: u64,
    /// Outbound connections that failed because no file descriptor was left, since start.
    pub no_descriptor: u64,
    /// Fetched bodies that were closed unread when their request was over, since start.
    pub unread_over: u64,
    /// Fetched bodies that were closed unread to free a slot for another connection, since start.
    pub unread_room: u64,
    /// Cryptographic calls that run or wait on other threads.
    pub blocking: u32,
    /// Cryptographic calls that were refused because too many others ran or waited, since start.
    pub blocking_refused: u64,
    /// Fetches from other apps and static files that failed because too many others were open, since start.
    pub fetches_refused: u64,
    /// Writes to files that were refused because these have as many bytes as they may, since start.
    pub tmp_refused: u64,
    /// Calls between apps that were refused because their session had too many without an answer, since start.
    pub session_calls: u64,
    /// Stubs that were refused because the other app held too many of their session, since start.
    pub session_stubs: u64,
    /// Messages that were refused because too many bytes of their session waited, since start.
    pub session_bytes: u64,
}

/// The id of one request in headers and logs, shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u128);

impl RequestId {
    /// Returns the 32 lower-case hexadecimal digits, without allocating.
    pub fn hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = [0; 32];
        for (i, byte) in self.0.to_be_bytes().into_iter().enumerate() {
            out[2 * i] = DIGITS[usize::from(byte >> 4)];
            out[2 * i + 1] = DIGITS[usize::from(byte & 15)];
        }
        out
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The part of a request's head that is always decoded. Its header fields follow in the same frame as a
/// [`crate::codec::HeaderBlock`], which is decoded only when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine<'a> {
    /// The id that names the request in logs.
    pub id: RequestId,
    /// Method, as received.
    pub method: &'a str,
    /// Scheme and authority as in a URL, such as `http://example.com:8080`.
    pub origin: &'a str,
    /// Path and query as received, starting with `/` or, where the path is empty, with `?`.
    pub target: &'a str,
    /// The version of HTTP that the client speaks.
    pub version: HttpVersion,
    /// How many fetches of apps lead from the request of a client to this one; zero for the request of a client.
    pub depth: u8,
    /// For which of the app's entrypoints it is. None for the default one, without props.
    pub entrypoint: Option<Entrypoint<'a>>,
}

/// What of an app a request of another app is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrypoint<'a> {
    /// The name by which the app exports it; empty for the default one.
    pub name: &'a str,
    /// The handler's `ctx.props`, as JSON text; empty for the app's own.
    pub props: &'a str,
    /// Whether the request is a call, see [`crate::Fetch::is_call`].
    pub is_call: bool,
}

/// The versions of HTTP that clients speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl HttpVersion {
    /// Returns the version as it is usually written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// Name of the pseudo-field that holds the reason phrase of a response. It is the first of the header fields, and is sent only if
/// the reason phrase is not the standard one of the status.
pub const REASON: &[u8] = b":reason";

/// The status of an answer after which its stream is open in both directions until each has ended.
pub const UPGRADED: u16 = 101;

/// The part of an answer's head that is always there. Its header fields follow in the same frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusLine {
    /// Status code: 200-599, or [`UPGRADED`].
    pub status: u16,
}

/// A message that is not about one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Supervisor: begins the handshake.
    Hello(Hello),
    /// Worker: completes the handshake.
    Welcome(Welcome),
    /// Supervisor: asks the worker to load this app.
    Load(Box<Load>),
    /// Worker: says whether the app has been loaded.
    Loaded(Loaded),
    /// Supervisor: asks for a [`Control::Pong`] with the same number, from the JavaScript thread.
    Ping(u64),
    /// Worker: answers a ping.
    Pong(u64),
    /// Worker: sends a log record.
    Log(LogRecord),
    /// Worker: reports its usage and counters.
    Stats(Stats),
    /// Supervisor: asks the worker to finish what is in flight, take nothing new, and exit.
    Drain,
    /// Supervisor: asks the worker to exit now.
    Shutdown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_value_of_a_variable() {
        let load = Load {
            app: "blog".into(),
            limits: WorkerLimits {
                watchdog_ms: 5000,
                cpu_ms: 30_000,
                wait_until_ms: 30_000,
                max_outbound: 256,
                max_blocking: 1024,
                max_tmp: 1 << 27,
                max_socket_message: 32 << 20,
                max_socket_bytes: 64 << 20,
                fatal_uncaught: false,
            },
            root: "/app".into(),
            entry: "index.js".into(),
            modules: ModuleOptions::default(),
            missing: Vec::new(),
            env: vec![("KEY".into(), "\"hunter2\"".into())],
            bindings: vec![("ASSETS".into(), BindingKind::Fetcher)],
            blobs: Vec::new(),
            site_manifest: None,
            props: "{}".into(),
            net: NetRules::default(),
            closed: Vec::new(),
            emit_cache: None,
            has_colours: false,
            development: false,
        };
        let shown = format!("{:?}", Control::Load(load.into()));
        assert!(shown.contains("[\"KEY\"]") && !shown.contains("hunter2"), "{shown}");
    }
}
