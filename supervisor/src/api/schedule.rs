//! The scheduled runs of an app.

use serde::{Deserialize, Serialize};

use crate::model::run_outcome::RunOutcome;

/// One of the crons of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronStatus {
    /// The cron expression.
    pub cron: String,
    /// When it is due next, in UTC, as RFC 3339; none while the clock stands still, such as during a drain.
    pub next_at: Option<String>,
    /// Since when it runs, in UTC, as RFC 3339, if it does.
    pub running_since: Option<String>,
    /// Its last run.
    pub last: Option<RunReport>,
}

/// A scheduled run that is over. The response to `POST /v1/apps/NAME/trigger`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The id, as in the log.
    pub id: String,
    /// The cron expression that the handler got.
    pub cron: String,
    /// When it was due, in UTC, as RFC 3339.
    pub scheduled_at: String,
    /// When it began, in UTC, as RFC 3339.
    pub began_at: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Whether the handler has called `noRetry`.
    #[serde(default)]
    pub no_retry: bool,
    /// Why it ended so, if more is known than the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
