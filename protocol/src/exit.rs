//! The exit codes with which a worker names its own end. They lie outside 0-2, the sysexits range and 128+signal.

/// Asked to end, and ended.
pub const OK: u8 = 0;
/// Rust code in the worker panicked.
pub const PANIC: u8 = 101;
/// The app did not load; the reason was sent before.
pub const LOAD_FAILED: u8 = 110;
/// The V8 heap reached its limit.
pub const OUT_OF_MEMORY: u8 = 111;
/// JavaScript ran longer than the watchdog allows without returning to the event loop.
pub const WATCHDOG: u8 = 112;
/// The peer broke the protocol.
pub const PROTOCOL: u8 = 113;
/// The supervisor is gone.
pub const ORPHANED: u8 = 114;
/// An uncaught error outside a request, in an app configured to treat it as fatal.
pub const UNCAUGHT: u8 = 115;
/// A request used more CPU time than it may.
pub const CPU_TIME: u8 = 116;
