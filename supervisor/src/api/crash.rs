//! The report of a crash, and the kinds of requests that are suspected of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::usage::Usage;
use crate::model::exit_reason::ExitReason;
use crate::model::ids::WorkerId;
use crate::model::kind::Kind;
use crate::model::lost_request::LostRequest;

/// The report of one crash: a worker that ended without being told to, or that did not start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Crash {
    /// The app's name.
    pub app: String,
    /// When the worker ended, in UTC, as RFC 3339.
    pub time: String,
    /// Process id of the worker, unless it never started.
    pub pid: Option<u32>,
    /// The exit reason as a stable word for programs.
    pub cause: String,
    /// The exit reason as text.
    pub reason: String,
    /// How long it had been ready, in milliseconds.
    pub ready_ms: u64,
    /// The last lines that the worker printed, oldest first.
    pub lines: Vec<String>,
    /// V8 heap in use when the worker last reported it, in bytes.
    pub heap_used: u64,
    /// V8 heap limit, in bytes.
    pub heap_limit: u64,
    /// Memory and CPU time of the worker at the last sample.
    pub usage: Usage,
    /// The request that ended the worker, if it is known.
    pub culprit: Option<LostRequest>,
    /// How many starts in a row failed for this reason, this one included. Only the report of the last one is kept.
    #[serde(default = "once")]
    pub times: u64,
    /// Other requests that were in flight and lost. Their number is limited.
    pub requests: Vec<LostRequest>,
    /// Kinds of requests that are suspected, since they were in flight at most of the latest crashes. Empty if the request
    /// that ended the worker is known.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
    /// A number that increases with every crash.
    #[serde(skip)]
    pub number: u64,
    /// How much of the heap had survived the last full collection, in bytes.
    #[serde(skip)]
    pub(crate) live: u64,
    #[serde(skip)]
    pub(crate) worker: Option<WorkerId>,
}

impl Crash {
    /// Id, method and path of the request that ended the worker, as far as they are known.
    pub fn blamed(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        let culprit = self.culprit.as_ref();
        let id = culprit.map(|request| request.id.as_str());
        let known = culprit.filter(|request| !request.method.is_empty());
        let path = known.and_then(|request| request.target.split('?').next());
        (id, known.map(|request| request.method.as_str()), path)
    }

    /// The kind of the request that ended the worker. `None` if it is unknown, or if any other request would have ended it too.
    pub fn kind_to_blame(&self) -> Option<&Kind> {
        self.culprit.as_ref().filter(|_| !self.is_last_straw())?.kind.as_ref()
    }

    /// The kinds of the requests that were in flight.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.requests.iter().filter_map(|request| request.kind.as_ref())
    }

    /// How many requests were lost, as far as they are known.
    pub fn lost(&self) -> usize {
        let is_lost = |culprit: &&LostRequest| !culprit.is_answered && !culprit.is_given_up;
        self.requests.len() + self.culprit.iter().filter(is_lost).count()
    }

    /// Whether the worker had been ready.
    pub fn was_ready(&self) -> bool {
        self.worker.is_some()
    }

    /// Whether both are failed starts with the same reason.
    pub(crate) fn is_same_failure(&self, other: &Self) -> bool {
        !self.was_ready() && !other.was_ready() && self.reason == other.reason
    }

    /// Whether the heap was nearly full before the request that ended the worker came. Then any request could have ended it.
    pub(crate) fn is_last_straw(&self) -> bool {
        self.cause == ExitReason::OutOfMemory.cause() && self.live > self.heap_limit / 4 * 3
    }
}

/// The default for reports of older supervisors, which do not count repetitions.
fn once() -> u64 {
    1
}

/// A kind of request that is suspected of ending workers, and the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// The kind.
    #[serde(flatten)]
    pub kind: Kind,
    /// How many of the latest crashes are known to be its doing.
    pub named: usize,
    /// How many of them it was in flight at, where the request that ended the worker is unknown.
    pub in_flight: usize,
    /// How many crashes were considered.
    pub of: usize,
    /// Whether requests of this kind are refused.
    pub is_refused: bool,
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind { method, path } = &self.kind;
        write!(f, "{method} {path} ({})", self.evidence())
    }
}

impl Suspect {
    /// The evidence as text.
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
