//! Every length, count and window of the protocol, in one place.

/// Version of the wire format. Both sides must name the same one in the handshake.
pub const PROTOCOL_VERSION: u32 = 16;

/// Longest payload of a request or response head, in bytes. The supervisor's own header limits lie below it.
pub const MAX_HEAD: usize = 256 * 1024;

/// Longest payload of the head of a call, in bytes: workers are not trusted with more.
pub const MAX_CALL_HEAD: usize = 16 * 1024;

/// Longest payload of one body frame, in bytes.
pub const MAX_BODY_CHUNK: usize = 64 * 1024;

/// Longest payload of the frame that loads an app, in bytes. Its whole env crosses in one, with what it is told of the files of a
/// Workers Site. Only the supervisor sends it.
pub const MAX_LOAD: usize = 2 * 1024 * 1024;

/// Longest payload of a log record, and of what becomes of loading an app, in bytes: a text of 64 KiB, with names.
pub const MAX_REPORT: usize = 72 * 1024;

/// Longest payload of the handshake and of statistics, in bytes: numbers only.
pub const MAX_NUMBERS: usize = 256;

/// Longest payload of a stream error, in bytes.
pub const MAX_ERROR: usize = 64 * 1024;

/// Longest message of one log record, in bytes; the worker cuts longer ones.
pub const MAX_LOG_MESSAGE: usize = 64 * 1024;

/// Longest part of a request's path that is logged, and of its method, in bytes.
pub const MAX_LOG_PATH: usize = 1024;

/// Window of a stream in one direction, in bytes, where no [`crate::Budget`] says otherwise.
pub const STREAM_WINDOW: usize = 128 * 1024;

/// First window of a response under a budget, in bytes.
pub const FIRST_WINDOW: usize = 64 * 1024;
/// Window of a response while little of its budget is left, in bytes.
pub const LEAST_WINDOW: usize = 16 * 1024;
/// Window up to which that of a response grows while it holds the stream up and the budget allows, in bytes.
pub const MOST_WINDOW: usize = 256 * 1024;

/// Unsent bytes of a connection above which the bodies that the supervisor sends on it wait. A worker that reads nothing takes
/// that much memory, and as much again for frames of streams that are over.
pub const MAX_UNSENT_BODIES: usize = 1024 * 1024;

/// Most header fields in one head or trailer section.
pub const MAX_HEADERS: usize = 1024;

/// Streams that the supervisor may have open at once on one connection. All WebSockets and requests in flight of an app may be on
/// the same one.
pub const MAX_STREAMS: usize = MAX_IN_FLIGHT + MAX_SOCKETS;

/// Greatest limit of an app for its requests in flight.
pub const MAX_IN_FLIGHT: usize = 16 * 1024;

/// Greatest limit of an app for its WebSockets.
pub const MAX_SOCKETS: usize = 48 * 1024;

/// Streams that a worker may have open at once on one connection, when it opens a call. Further calls wait in the worker.
pub const MAX_CALLS: usize = 64;

/// Streams that a worker may have open at once on one connection, when it opens a fetch. A further one fails in the worker.
pub const MAX_FETCHES: usize = 1024;

/// First window of the body of a call or fetch, in bytes. It bounds what a worker can make the supervisor buffer of bodies that
/// nobody reads: with [`MAX_CALLS`] to 1 MiB per connection, with [`MAX_FETCHES`] to 16 MiB.
pub const CALL_WINDOW: usize = LEAST_WINDOW;

/// Longest message of a session between two apps, in bytes: the arguments or the result of a call, as on Workers.
pub const MAX_MESSAGE: usize = 32 * 1024 * 1024;

/// Most names of entrypoints that a worker tells.
pub const MAX_ENTRYPOINTS: usize = 64;

/// Longest name of an entrypoint, in bytes. A service cannot name a longer one, so a worker tells of none.
pub const MAX_ENTRYPOINT: usize = 256;

/// Unsent bytes above which a worker drops log records. It logs later how many it has dropped.
pub const MAX_UNSENT: usize = 4 * 1024 * 1024;

/// Frames that are received on one connection before other tasks run.
pub const FRAMES_PER_TURN: usize = 256;

/// Frames without effect that a connection tolerates before it ends, besides those that its own streams and pings explain.
pub const MAX_IDLE_FRAMES: u32 = 10_000;

/// Size of the read buffer, in bytes.
pub const READ_BUFFER: usize = 128 * 1024;

/// Payloads shorter than this are copied out of the read buffer. Otherwise a small frame that lives long would keep the whole
/// buffer alive.
pub const COPY_BELOW: usize = 4 * 1024;

/// Body chunks shorter than this are copied behind their header, which is cheaper than one more entry in the vectored write.
pub const INLINE_BELOW: usize = 1024;
