//! A request that was in flight when its worker ended.

use std::fmt;

use nano_protocol::message::{RequestId, RequestLine, RequestName};
use serde::{Deserialize, Serialize};

use crate::model::kind::{self, Kind};

/// Longest path and query that is kept whole, in bytes.
const TARGET: usize = 256;

/// A request that was in flight when its worker ended, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRequest {
    /// The request id, as in the log.
    pub id: String,
    /// The method; empty if only the id is known.
    pub method: String,
    /// The path and query; only the path if the request had been answered.
    pub target: String,
    /// Whether it had been answered before the worker ended. Left out of the JSON if false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_answered: bool,
    /// The kind, if more than the id is known.
    #[serde(skip)]
    pub kind: Option<Kind>,
    /// Whether this request ended the worker.
    #[serde(skip)]
    pub is_culprit: bool,
    /// Whether its client had given it up: then it was not lost, and matters only if it is the culprit.
    #[serde(skip)]
    pub is_given_up: bool,
}

impl fmt::Display for LostRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, method, target, is_answered, .. } = self;
        if !method.is_empty() {
            write!(f, "{method} {target} ")?;
        }
        write!(f, "{id}{}", if *is_answered { " (answered before)" } else { "" })
    }
}

impl LostRequest {
    /// A request with this request line.
    pub fn new(id: RequestId, method: &str, target: &str) -> Self {
        Self {
            id: id.to_string(),
            method: kind::cut(method, kind::METHOD),
            target: kind::cut(target, TARGET),
            is_answered: false,
            kind: (!method.is_empty()).then(|| Kind::of(method, target)),
            is_culprit: false,
            is_given_up: false,
        }
    }

    /// A request that was sent to a worker.
    pub fn of(line: &RequestLine<'_>) -> Self {
        Self::new(line.id, line.method, line.target)
    }

    /// A request that no client waits for any more. `name` is what the worker reports of it, and whether it was answered.
    pub(crate) fn named(id: RequestId, name: Option<(RequestName, bool)>) -> Self {
        let (RequestName { method, path }, is_answered) = name.unwrap_or((RequestName::default(), true));
        let known = Self::new(id, &method, &path);
        // A path with a blank was truncated, so its kind is unknown.
        let is_whole = !path.contains(' ') || kind::is_scheduled(&method, &path);
        let kind = known.kind.clone().filter(|_| is_whole);
        Self { kind, is_answered, is_given_up: !is_answered, ..known }
    }
}
