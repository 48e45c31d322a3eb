//! The reasons for which a worker ends, and how an exit status is mapped to one.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use bytesize::ByteSize;
use nano_protocol::exit;
use nano_protocol::message::StreamErrorKind;
use nix::sys::signal::Signal;

/// Why a worker ended. The text is what logs and status show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExitReason {
    /// The supervisor asked it to.
    #[error("stopped")]
    Stopped,
    /// It exited with code 0 without being told to.
    #[error("exited by itself")]
    Exited,
    /// It exited with a code that `nano_protocol::exit` does not define.
    #[error("exit code {0}")]
    Code(i32),
    /// A signal ended it.
    #[error("killed by {}", signal_name(*.0))]
    Signal(i32),
    /// Its V8 heap reached the limit.
    #[error("out of memory: the V8 heap reached its limit")]
    OutOfMemory,
    /// Its JavaScript ran too long without returning to the event loop.
    #[error("watchdog: JavaScript did not return to the event loop in time")]
    Watchdog,
    /// One of its requests used more CPU time than `cpu_time` allows.
    #[error("CPU time: a request used more than `cpu_time` allows")]
    CpuTime,
    /// Its stack was full: its code is nested too deeply for the parser.
    #[error("stack overflow: its code is nested too deeply")]
    StackOverflow,
    /// It did not answer pings and was killed.
    #[error("hung: no answer to a ping in time")]
    Hung,
    /// It did not finish its handshake and load in time and was killed.
    #[error("did not load within `start_timeout`: a top-level await may never settle")]
    StartTimeout,
    /// It loaded, but did not answer its health check with 2xx in time.
    #[error("not healthy within `start_timeout`: {0} (`health_path`)")]
    Unhealthy(String),
    /// Its resident memory was over its limit, and the supervisor killed it.
    #[error("out of memory: {} resident, {} allowed (`memory`)", ByteSize(*.used), ByteSize(*.limit))]
    Memory {
        /// The limit, in bytes.
        limit: u64,
        /// What was resident, in bytes.
        used: u64,
    },
    /// The kernel killed it, because its own control group was at its memory limit.
    #[error("out of memory: the kernel ended it at {} (`memory`)", ByteSize(*.limit))]
    MemoryMax {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The kernel killed it, because a control group that it shares with others, such as that of the container, was full.
    #[error("the kernel ended it: all apps together are out of memory")]
    MachineMemory,
    /// The process could not be started.
    #[error("cannot start the worker process: {0}")]
    SpawnFailed(String),
    /// The app does not load; the text is an error message.
    #[error("does not load: {0}")]
    LoadFailed(String),
    /// One side broke the protocol.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// Rust code in the worker panicked.
    #[error("panic in the worker")]
    Panic,
    /// An uncaught error, in an app for which it is fatal.
    #[error("uncaught error")]
    Uncaught,
}

impl ExitReason {
    /// The limit that interrupted JavaScript, if one did.
    pub(crate) fn limit(&self) -> Option<StreamErrorKind> {
        match self {
            Self::OutOfMemory => Some(StreamErrorKind::OutOfMemory),
            Self::Watchdog => Some(StreamErrorKind::Watchdog),
            Self::CpuTime => Some(StreamErrorKind::CpuTime),
            _ => None,
        }
    }

    /// A stable word for programs.
    pub(crate) fn cause(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Exited => "exited",
            Self::Code(_) => "exit_code",
            Self::Signal(_) => "signal",
            Self::OutOfMemory => "out_of_memory",
            Self::Watchdog => "watchdog",
            Self::CpuTime => "cpu_time",
            Self::StackOverflow => "stack_overflow",
            Self::Hung => "hung",
            Self::StartTimeout => "start_timeout",
            Self::Unhealthy(_) => "unhealthy",
            Self::Memory { .. } | Self::MemoryMax { .. } => "memory",
            Self::MachineMemory => "machine_memory",
            Self::SpawnFailed(_) => "spawn_failed",
            Self::LoadFailed(_) => "load_failed",
            Self::Protocol(_) => "protocol",
            Self::Panic => "panic",
            Self::Uncaught => "uncaught",
        }
    }

    /// Decodes an exit status. `known` is what the supervisor itself knows, and takes precedence.
    pub(crate) fn from_status(status: ExitStatus, known: Option<Self>) -> Self {
        if let Some(known) = known {
            return known;
        }
        if let Some(signal) = status.signal() {
            return Self::Signal(signal);
        }
        let code = status.code().unwrap_or_default();
        match u8::try_from(code) {
            Ok(exit::OK) => Self::Exited,
            Ok(exit::OUT_OF_MEMORY) => Self::OutOfMemory,
            Ok(exit::WATCHDOG) => Self::Watchdog,
            Ok(exit::CPU_TIME) => Self::CpuTime,
            Ok(exit::STACK) => Self::StackOverflow,
            Ok(exit::PROTOCOL) => Self::Protocol("the worker refused what it was sent".into()),
            Ok(exit::PANIC) => Self::Panic,
            Ok(exit::UNCAUGHT) => Self::Uncaught,
            _ => Self::Code(code),
        }
    }
}

impl ExitReason {
    /// Whether it exited with code 0 or was told to stop.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self, Self::Exited | Self::Stopped)
    }
}

fn signal_name(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_signals_are_decoded() {
        let decode = |raw| ExitReason::from_status(ExitStatus::from_raw(raw), None);
        assert_eq!(decode(9), ExitReason::Signal(9));
        assert_eq!(decode(9).to_string(), "killed by SIGKILL");
        assert_eq!(decode(i32::from(exit::WATCHDOG) << 8), ExitReason::Watchdog);
        assert_eq!(decode(i32::from(exit::OUT_OF_MEMORY) << 8), ExitReason::OutOfMemory);
        assert_eq!(decode(i32::from(exit::CPU_TIME) << 8), ExitReason::CpuTime);
        assert_eq!(decode(i32::from(exit::STACK) << 8), ExitReason::StackOverflow);
        assert_eq!(decode(0), ExitReason::Exited);
        assert_eq!(decode(7 << 8), ExitReason::Code(7));
        assert_eq!(
            ExitReason::from_status(ExitStatus::from_raw(9), Some(ExitReason::Hung)),
            ExitReason::Hung
        );
    }
}
