//! The requests in flight, and the state and work of each. The other modules refer to requests by the ids defined here.
//!
//! - [`head`], [`body`]: what was received of a request; [`request`]: both, and the stream for its answer.
//! - [`in_flight`]: all requests, by their ids in JavaScript; [`background`]: the `waitUntil` work that keeps the worker alive.
//! - [`files`]: what each has written to `/tmp`, and how many bytes.
//! - [`belongings`]: the connections of each, which end with it.
//! - [`sockets`]: WebSockets that clients have open; [`unsent_pieces`]: what the app sends over one until credit allows it.
//! - [`turns`]: the threads for CPU-bound work, and which request is charged for it.

pub(crate) mod background;
pub(crate) mod belongings;
pub(crate) mod body;
pub(crate) mod files;
pub(crate) mod head;
pub(crate) mod in_flight;
pub(crate) mod request;
pub(crate) mod sockets;
pub(crate) mod turns;
pub(crate) mod unsent_pieces;
