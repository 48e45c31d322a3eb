//! The end of a worker process: waited for, and brought about where it does not come by itself.

use std::time::Duration;

use tokio::time::timeout;

use super::spawn::Process;
use crate::model::exit_reason::ExitReason;

/// How long a killed process may take to be reaped, and a draining one to say its last words.
pub(super) const REAP: Duration = Duration::from_secs(5);

/// Kills the process unless it has ended, and waits for it.
pub(super) async fn reap(mut process: Process, known: Option<ExitReason>) -> ExitReason {
    if known.is_some() {
        process.kill();
    }
    reap_or_kill(process, known).await
}

/// Waits for a process that is ending by itself, and kills it if it does not.
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
