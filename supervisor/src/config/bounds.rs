//! The least and greatest value of every setting, and the sizes of what is read, in one place.

use std::ops::RangeInclusive;
use std::time::Duration;

use nano_protocol::limits;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// Longest configuration file, in bytes.
pub(crate) const CONFIG_FILE: u64 = 4 * MIB;
/// Longest package.json or wrangler file looked at, in bytes.
pub(crate) const APP_FILE: u64 = MIB;
/// Longest env of an app, names and JSON texts together, in bytes: it crosses to the worker in one frame.
pub(crate) const ENV: usize = 512 * 1024;
/// Longest file of variables, in bytes.
pub(crate) const ENV_FILE: u64 = MIB;
/// Longest secret, in bytes.
pub(crate) const SECRET_FILE: u64 = ENV as u64;
/// What each variable counts beyond its name and JSON text: their lengths, as the protocol carries them.
pub(crate) const ENV_ENTRY: usize = 16;
/// Deepest nesting of an env value.
pub(crate) const ENV_DEPTH: usize = 64;
/// Longest props of an app as JSON text, in bytes.
pub(crate) const PROPS: usize = 64 * 1024;
/// Most rules in one list of outbound destinations.
pub(crate) const NET_RULES: usize = 256;
/// Longest host name, in bytes (RFC 1035).
pub(crate) const HOST: usize = 253;
/// Greatest whole number that JavaScript holds exactly.
pub(crate) const ENV_INTEGER: u64 = (1 << 53) - 1;
/// Longest path and query of a health check, in bytes.
pub(crate) const HEALTH_PATH: usize = 1024;
/// Longest path of the control socket, in bytes: the kernel allows 107, and its temporary name is longer.
pub(crate) const CONTROL_PATH: usize = 90;

pub(crate) const IO_THREADS: RangeInclusive<usize> = 1..=256;
pub(crate) const MAX_CONNECTIONS: RangeInclusive<usize> = 1..=1_000_000;
pub(crate) const MAX_URI: RangeInclusive<u64> = 64..=32 * KIB;
pub(crate) const MAX_HEADER: RangeInclusive<u64> = KIB..=64 * KIB;
pub(crate) const MAX_HEADERS: RangeInclusive<usize> = 8..=1000;
/// A single head of the greatest size has to fit.
pub(crate) const MAX_HEADS: RangeInclusive<u64> = 128 * KIB..=64 * GIB;
pub(crate) const LOG_MAX_SIZE: RangeInclusive<u64> = 4 * KIB..=1024 * GIB;
pub(crate) const LOG_KEEP: RangeInclusive<usize> = 0..=1000;
pub(crate) const LOG_MEMORY: RangeInclusive<u64> = 16 * KIB..=GIB;
pub(crate) const TRACE_SAMPLE: RangeInclusive<f64> = 0.0..=1.0;
pub(crate) const MAX_STARTS_PER_SECOND: RangeInclusive<u32> = 1..=10_000;
pub(crate) const SPARES: RangeInclusive<usize> = 0..=64;
pub(crate) const DRAIN_TIMEOUT: RangeInclusive<Duration> = Duration::ZERO..=HOUR;
pub(crate) const HEADER_READ_TIMEOUT: RangeInclusive<Duration> = ms(10)..=HOUR;
pub(crate) const IDLE_TIMEOUT: RangeInclusive<Duration> = ms(10)..=DAY;
pub(crate) const SEND_TIMEOUT: RangeInclusive<Duration> = ms(10)..=DAY;

pub(crate) const REQUEST_TIMEOUT: RangeInclusive<Duration> = ms(10)..=DAY;
pub(crate) const QUEUE_TIMEOUT: RangeInclusive<Duration> = Duration::ZERO..=HOUR;
pub(crate) const START_TIMEOUT: RangeInclusive<Duration> = ms(50)..=HOUR;
pub(crate) const MAX_IN_FLIGHT: RangeInclusive<usize> = 1..=limits::MAX_STREAMS;
pub(crate) const MAX_IN_FLIGHT_PER_CLIENT: RangeInclusive<usize> = 1..=limits::MAX_STREAMS;
pub(crate) const MIN_RATE: RangeInclusive<u64> = 1..=MIB;
pub(crate) const MAX_QUEUE: RangeInclusive<usize> = 0..=limits::MAX_STREAMS;
pub(crate) const MAX_BODY: RangeInclusive<u64> = 0..=1024 * GIB;
pub(crate) const MAX_RESPONSE: RangeInclusive<u64> = 0..=1024 * GIB;
/// The windows of a few responses have to fit.
pub(crate) const MAX_BUFFERED: RangeInclusive<u64> = MIB..=64 * GIB;
pub(crate) const CPU_TIME: RangeInclusive<Duration> = ms(50)..=DAY;
pub(crate) const WAIT_UNTIL_TIMEOUT: RangeInclusive<Duration> = Duration::ZERO..=DAY;
/// A line of the greatest length has to fit.
pub(crate) const LOG_RATE: RangeInclusive<u64> = 128 * KIB..=GIB;
pub(crate) const MAX_OUTBOUND: RangeInclusive<u32> = 1..=65_536;
pub(crate) const MAX_BLOCKING: RangeInclusive<u32> = 2..=65_536;
/// A worker needs about 30 to boot and to load an app.
pub(crate) const MAX_FDS: RangeInclusive<u64> = 64..=MIB;
/// A worker needs about 10 to boot, and V8 more with the number of CPUs.
pub(crate) const MAX_PIDS: RangeInclusive<u64> = 32..=MIB;
/// The kernel allows no less than a millisecond in each period.
pub(crate) const MAX_CPUS: RangeInclusive<f64> = 0.01..=1024.0;
pub(crate) const HEAP: RangeInclusive<u64> = 16 * MIB..=64 * GIB;
pub(crate) const MEMORY: RangeInclusive<u64> = 32 * MIB..=1024 * GIB;
pub(crate) const WATCHDOG: RangeInclusive<Duration> = ms(50)..=HOUR;
pub(crate) const HUNG_TIMEOUT: RangeInclusive<Duration> = ms(100)..=DAY;

pub(crate) const RECYCLE_REQUESTS: RangeInclusive<u64> = 1..=1_000_000_000_000;
pub(crate) const RECYCLE_LIFETIME: RangeInclusive<Duration> =
    ms(100)..=Duration::from_secs(365 * 24 * 60 * 60);

pub(crate) const RESTART_INITIAL: RangeInclusive<Duration> = ms(1)..=HOUR;
pub(crate) const RESTART_MAX: RangeInclusive<Duration> = ms(1)..=DAY;
pub(crate) const RESTART_FACTOR: RangeInclusive<f64> = 1.0..=100.0;
pub(crate) const RESTART_JITTER: RangeInclusive<f64> = 0.0..=1.0;
pub(crate) const RESTART_MIN_UPTIME: RangeInclusive<Duration> = ms(1)..=DAY;
pub(crate) const RESTART_CRASH_LOOP: RangeInclusive<u32> = 1..=1000;
pub(crate) const RESTART_SLOW_RETRY: RangeInclusive<Duration> = ms(100)..=DAY;

/// What the protocol carries bounds what may be configured. The host appears in the head up to three times (in the URL,
/// as `Host` and as `X-Forwarded-Host`), every other field once.
const _: () = {
    assert!(*MAX_URI.end() + 3 * *MAX_HEADER.end() <= limits::MAX_HEAD as u64);
    // Load: env, props and rules with their lengths, and three paths, which the kernel bounds.
    let rules = 2 * NET_RULES * (HOST + 2 * ENV_ENTRY);
    assert!(ENV + PROPS + rules + 3 * 4096 <= limits::MAX_CONTROL);
};
