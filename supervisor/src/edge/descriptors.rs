//! Raises the limit of open descriptors as far as the kernel allows. If that is not enough for `max_connections`, a warning is
//! logged and fewer connections are accepted, since workers and static files need descriptors as well.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::warn;

use crate::config::Config;

/// Descriptors of one worker besides its request connections: control connection, output, process, control group.
const WORKER: u64 = 4;

/// Descriptors for logs, event loops, signals, the control API, and what is read at start.
const REST: u64 = 64;

/// Connections that are allowed even if the limit leaves fewer.
const LEAST: u64 = 16;

/// The part of what workers leave that is for static files which are read, as a divisor. The rest is for connections.
const FILES: u64 = 8;

/// For how much one I/O thread has descriptors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descriptors {
    /// Connections that clients may have at the same time.
    pub connections: usize,
    /// Static files that are read at the same time.
    pub files: usize,
}

impl Descriptors {
    pub(crate) const PLENTY: Self = Self { connections: usize::MAX, files: usize::MAX };
}

/// Raises the limit, and returns for how much it leaves descriptors on each I/O thread.
pub(crate) fn prepare(config: &Config) -> Descriptors {
    // The soft limit that shells set is a relic of select().
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map(|()| hard));
    let limit = match raised {
        Ok(limit) => limit,
        Err(error) => {
            warn!(%error, "cannot raise the limit of open descriptors");
            return Descriptors::PLENTY;
        }
    };
    let settings = &config.server;
    let threads = settings.io_threads as u64;
    let wanted = settings.max_connections as u64;
    let left = left(limit, config.apps.len() as u64, settings.spares as u64, threads);
    let files = left / FILES;
    let left = left - files;
    if left < wanted {
        warn!(
            "there may be {limit} open descriptors (RLIMIT_NOFILE), which leaves {left} for connections, less than \
             `max_connections` ({wanted}): there will be no more than that; fix: raise it (`ulimit -n`, LimitNOFILE= of \
             systemd), or lower `max_connections`"
        );
    }
    let of_thread = |all: u64| usize::try_from(all.div_ceil(threads)).unwrap_or(usize::MAX);
    Descriptors { connections: of_thread(left), files: of_thread(files) }
}

/// Returns how many of `limit` descriptors are left for connections and files.
fn left(limit: u64, apps: u64, spares: u64, threads: u64) -> u64 {
    // An app has two workers while one is replaced.
    let workers = (2 * apps + spares) * (WORKER + threads);
    let listeners = apps * threads;
    limit.saturating_sub(workers + listeners + REST).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_get_what_workers_leave() {
        assert_eq!(left(1024, 2, 1, 1), 1024 - 5 * 5 - 2 - 64);
        assert_eq!(left(20_000, 200, 1, 4), 20_000 - 401 * 8 - 800 - 64);
        assert_eq!(left(64, 50, 1, 1), LEAST);
    }
}
