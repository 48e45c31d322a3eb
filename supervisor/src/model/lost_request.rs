//! A request that went down with its worker, as far as it is known.

use std::fmt;

use nano_protocol::message::{RequestId, RequestLine, RequestName};
use serde::{Deserialize, Serialize};

use crate::model::kind::{self, Kind};

/// Longest part of a path and query that is kept, in bytes.
const TARGET: usize = 256;

/// A request that went down with its worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRequest {
    /// Its id, as in the log.
    pub id: String,
    /// Its method; empty if nothing but its id is known.
    pub method: String,
    /// Its path and query, or its path alone if it had been answered.
    pub target: String,
    /// Whether it had been answered before; not told if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_answered: bool,
    /// What it has in common with others, if more than its id is known.
    #[serde(skip)]
    pub kind: Option<Kind>,
    /// Whether it is the one that has ended the worker.
    #[serde(skip)]
    pub is_culprit: bool,
    /// Whether nobody waited for it any more: then it was not lost, and matters only if it is the culprit.
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
    /// From what its request line said.
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

    /// One that a worker has.
    pub fn of(line: &RequestLine<'_>) -> Self {
        Self::new(line.id, line.method, line.target)
    }

    /// One for whose answer nobody waited any more, by what its worker calls it.
    pub(crate) fn named(id: RequestId, name: Option<(RequestName, bool)>) -> Self {
        let (RequestName { method, path }, is_answered) = name.unwrap_or((RequestName::default(), true));
        let known = Self::new(id, &method, &path);
        // Of a path that was cut, which has a blank, nobody knows the kind.
        let kind = known.kind.clone().filter(|_| !path.contains(' '));
        Self { kind, is_answered, is_given_up: !is_answered, ..known }
    }
}
