//! The report of a crash, and of whom it is suspected.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::usage::Usage;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::WorkerId;
use crate::model::kind::Kind;
use crate::model::lost_request::LostRequest;

/// One crash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Crash {
    /// The app.
    pub app: String,
    /// When, in UTC, as RFC 3339 has it.
    pub time: String,
    /// Process id of the worker, unless it never started.
    pub pid: Option<u32>,
    /// Why, in one word for programs.
    pub cause: String,
    /// Why, for people.
    pub reason: String,
    /// How long it had been ready, in milliseconds.
    pub ready_ms: u64,
    /// The last lines of the app, oldest first.
    pub lines: Vec<String>,
    /// V8 heap in use when it last said so, in bytes.
    pub heap_used: u64,
    /// V8 heap limit, in bytes.
    pub heap_limit: u64,
    /// What it used when that was last looked at.
    pub usage: Usage,
    /// The request that has ended it, if that is known.
    pub culprit: Option<LostRequest>,
    /// How often in a row it has come to this before a worker was ready, this time included; only the last of them is kept.
    #[serde(default = "once")]
    pub times: u64,
    /// Others that were in flight, and lost; the first of them.
    pub requests: Vec<LostRequest>,
    /// Kinds of requests that are suspected of it, since they were in flight at most of the latest crashes; none if the request
    /// that has ended the worker is known.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
    /// Which of all crashes it is.
    #[serde(skip)]
    pub number: u64,
    /// How much of its heap had survived a full collection some time before, in bytes.
    #[serde(skip)]
    pub(crate) live: u64,
    #[serde(skip)]
    pub(crate) worker: Option<WorkerId>,
}

impl Crash {
    /// Id, method and path of the request that has ended the worker, as far as they are known.
    pub fn blamed(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        let culprit = self.culprit.as_ref();
        let id = culprit.map(|request| request.id.as_str());
        let known = culprit.filter(|request| !request.method.is_empty());
        let path = known.and_then(|request| request.target.split('?').next());
        (id, known.map(|request| request.method.as_str()), path)
    }

    /// What kind of request has ended it, if that is known, and it was not any that would have done.
    pub fn kind_to_blame(&self) -> Option<&Kind> {
        self.culprit.as_ref().filter(|_| !self.is_last_straw())?.kind.as_ref()
    }

    /// The kinds of the requests that were in flight.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.requests.iter().filter_map(|request| request.kind.as_ref())
    }

    /// How many requests were lost with it, as far as they are known.
    pub fn lost(&self) -> usize {
        let is_lost = |culprit: &&LostRequest| !culprit.is_answered && !culprit.is_given_up;
        self.requests.len() + self.culprit.iter().filter(is_lost).count()
    }

    /// Whether the worker had taken requests.
    pub fn was_ready(&self) -> bool {
        self.worker.is_some()
    }

    /// Whether both have failed before they were ready, for the same reason.
    pub(crate) fn is_same_failure(&self, other: &Self) -> bool {
        !self.was_ready() && !other.was_ready() && self.reason == other.reason
    }

    /// Whether its heap was nearly full before the request came that has ended it, which may be any.
    pub(crate) fn is_last_straw(&self) -> bool {
        self.cause == ExitReason::OutOfMemory.cause() && self.live > self.heap_limit / 4 * 3
    }
}

/// As supervisors say that count no repetitions.
fn once() -> u64 {
    1
}

/// A kind of request, and how often it was there when a worker ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Which.
    #[serde(flatten)]
    pub kind: Kind,
    /// For how many of the latest crashes it is named.
    pub named: usize,
    /// At how many of them it was in flight, and nobody is named.
    pub in_flight: usize,
    /// How many crashes that is of.
    pub of: usize,
    /// Whether it is refused.
    pub is_refused: bool,
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind { method, path } = &self.kind;
        write!(f, "{method} {path} ({})", self.evidence())
    }
}

impl Suspect {
    /// What there is against it.
    pub fn evidence(&self) -> String {
        let Self { named, in_flight, of, .. } = self;
        let what = if *named > 0 { "ended the worker" } else { "in flight" };
        match (named.max(in_flight), of) {
            (0, _) => "ended workers before".to_owned(),
            (_, 1) => format!("{what} at the last crash"),
            (count, of) => format!("{what} at {count} of the last {of} crashes"),
        }
    }
}
