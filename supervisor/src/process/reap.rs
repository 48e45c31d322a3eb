//! Waits for a worker process to exit, and kills it if it does not exit by itself.

use std::time::Duration;

use tokio::time::timeout;

use super::spawn::Process;
use crate::model::exit_reason::ExitReason;

/// Timeout for an exiting process to be reaped, and for the last frames of a worker that has exited to be read.
pub(super) const REAP: Duration = Duration::from_secs(5);

/// Waits until the process is reaped and returns why it ended. If that is `known` already, the process is killed first.
pub(super) async fn reap(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    if known.is_some() {
        process.kill();
    }
    reap_or_kill(process, known).await
}

/// Waits for a process that should exit by itself. Kills it after [`REAP`].
pub(super) async fn reap_or_kill(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    let status = match timeout(REAP, process.wait()).await {
        Ok(status) => status,
        Err(_) => {
            process.kill();
            process.wait().await
        }
    };
    match status {
        Ok(status) => process.reason(status, known),
        Err(error) => known.unwrap_or_else(|| ExitReason::SpawnFailed(error.to_string())),
    }
}
