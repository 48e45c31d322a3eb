//! The exit codes by which a worker says why it ended. Apart from [`OK`], they lie outside 0-2, the sysexits range and
//! 128+signal.

/// The supervisor asked the worker to end.
pub const OK: u8 = 0;
/// Rust code in the worker panicked.
pub const PANIC: u8 = 101;
/// The app did not load. The worker has sent the reason before.
pub const LOAD_FAILED: u8 = 110;
/// The V8 heap reached its limit.
pub const OUT_OF_MEMORY: u8 = 111;
/// JavaScript ran longer than the watchdog allows without returning to the event loop.
pub const WATCHDOG: u8 = 112;
/// The peer broke the protocol.
pub const PROTOCOL: u8 = 113;
/// The supervisor has ended.
pub const ORPHANED: u8 = 114;
/// An uncaught error outside a request, in an app configured to treat it as fatal.
pub const UNCAUGHT: u8 = 115;
/// A request used more CPU time than it may.
pub const CPU_TIME: u8 = 116;
/// The code of the app is nested so deeply that the stack of the process was full.
pub const STACK: u8 = 117;
