//! The requests that are under way, and what is done for each: what everything else here names a request by.
//!
//! - [`head`], [`body`]: what came of it; [`request`]: both, and where its answer goes.
//! - [`in_flight`]: all of them, by the numbers by which JavaScript calls them; [`background`]: what `waitUntil` keeps the
//!   worker for.
//! - [`turns`]: the threads for work that keeps one busy, and who pays for it.

pub(crate) mod background;
pub(crate) mod body;
pub(crate) mod head;
pub(crate) mod in_flight;
pub(crate) mod request;
pub(crate) mod turns;
