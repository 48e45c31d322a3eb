//! The two ends of a connection, and what each may open.

use crate::head::HeadKind;
use crate::limits::{CALL_WINDOW, MAX_CALLS, MAX_FETCHES, MAX_STREAMS, MOST_WINDOW, STREAM_WINDOW};

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Opens streams with odd ids: requests and events.
    Supervisor,
    /// Opens streams with even ids: calls and fetches. It is not trusted.
    Worker,
}

impl Side {
    pub(crate) fn peer(self) -> Self {
        match self {
            Self::Supervisor => Self::Worker,
            Self::Worker => Self::Supervisor,
        }
    }

    /// Returns the id of the stream that this side opens as its first, second, ... `number` counts from 1.
    pub(crate) fn id_of(self, number: u64) -> u64 {
        match self {
            Self::Supervisor => 2 * number - 1,
            Self::Worker => 2 * number,
        }
    }

    /// Returns whether this side opens the streams with this id.
    pub(crate) fn opens(self, id: u64) -> bool {
        (id % 2 == 1) == (self == Self::Supervisor)
    }

    /// Returns how many streams the side that opens one of this kind may have open at once, with this one.
    pub(crate) fn max_open(kind: HeadKind) -> usize {
        match kind {
            HeadKind::Request | HeadKind::Event => MAX_STREAMS,
            HeadKind::Call => MAX_CALLS,
            HeadKind::Fetch => MAX_FETCHES,
        }
    }

    /// Returns the credit for the body of a stream that this side opens, in bytes: at first, and at most.
    pub(crate) fn credit(self) -> (usize, usize) {
        match self {
            Self::Supervisor => (STREAM_WINDOW, STREAM_WINDOW),
            Self::Worker => (CALL_WINDOW, MOST_WINDOW),
        }
    }
}

/// Returns the number of a stream among those of its opener, from 1 on.
pub(crate) fn number_of(id: u64) -> u64 {
    id.div_ceil(2)
}
