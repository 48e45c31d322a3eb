//! Every length, count and window of the protocol, in one place.

/// Version of the wire format; both sides must name the same one in the handshake.
pub const PROTOCOL_VERSION: u32 = 8;

/// Longest payload of a request or response head, in bytes. The supervisor's own header limits lie below it.
pub const MAX_HEAD: usize = 256 * 1024;

/// Longest payload of the head of a call, in bytes: workers are not trusted with more.
pub const MAX_CALL_HEAD: usize = 16 * 1024;

/// Longest payload of one body frame, in bytes.
pub const MAX_BODY_CHUNK: usize = 64 * 1024;

/// Longest payload of a control frame (handshake, load, log record, stats), in bytes. An app's whole env crosses in one.
pub const MAX_CONTROL: usize = 1024 * 1024;

/// Longest payload of a stream error, in bytes.
pub const MAX_ERROR: usize = 64 * 1024;

/// Longest message of one log record, in bytes; the worker cuts longer ones.
pub const MAX_LOG_MESSAGE: usize = 64 * 1024;

/// Longest path that is told of a request in the log, in bytes.
pub const MAX_LOG_PATH: usize = 1024;

/// Body bytes of a stream that may be under way in one direction, where no [`crate::Budget`] says otherwise.
pub const STREAM_WINDOW: usize = 128 * 1024;

/// As [`STREAM_WINDOW`], for responses under a budget: at first, where little is left of it, and once a stream is held up by it.
pub const FIRST_WINDOW: usize = 64 * 1024;
/// See [`FIRST_WINDOW`].
pub const LEAST_WINDOW: usize = 16 * 1024;
/// See [`FIRST_WINDOW`].
pub const MOST_WINDOW: usize = 256 * 1024;

/// Unsent bytes of a connection above which the bodies that the supervisor sends on it wait: a worker that reads nothing costs
/// that much, and as much again for what is queued for streams that are over.
pub const MAX_UNSENT_BODIES: usize = 1024 * 1024;

/// Most header fields in one head or trailer section.
pub const MAX_HEADERS: usize = 1024;

/// Streams that the supervisor may have open at once on one connection; its in-flight limits lie below it.
pub const MAX_STREAMS: usize = 16 * 1024;

/// Streams that a worker may have open at once on one connection. Those that it wants beyond wait on its side.
pub const MAX_CALLS: usize = 64;

/// Body bytes of a call that may be under way at first. With [`MAX_CALLS`], what a worker can have the supervisor keep of bodies
/// that nobody reads: 1 MiB per connection.
pub const CALL_WINDOW: usize = LEAST_WINDOW;

/// Bytes of unsent log records above which a worker drops further ones (and says how many).
pub const MAX_UNSENT: usize = 4 * 1024 * 1024;

/// Frames of a connection that are taken in before others have their turn.
pub const FRAMES_PER_TURN: usize = 256;

/// Frames that change nothing of which a connection ends, beyond those that its own streams and pings have called for.
pub const MAX_IDLE_FRAMES: u32 = 10_000;

/// Size of the read buffer, in bytes.
pub const READ_BUFFER: usize = 128 * 1024;

/// Payloads shorter than this leave the read buffer by copy: a small frame that lives long would otherwise keep the
/// whole buffer alive.
pub const COPY_BELOW: usize = 4 * 1024;

/// Body chunks shorter than this are copied behind their header: cheaper than one more entry in the vectored write.
pub const INLINE_BELOW: usize = 1024;
