//! One stream of a connection: its two halves, their credit and their end.
//!
//! One side has opened it, the other accepts it and answers. A stream is over when its answer ends: with the last byte, with an
//! error from the acceptor, with a cancel from the opener or with the connection. Its other direction ends with it, complete or
//! not. An answer with the status 101 upgrades the stream: then it is over when both directions have ended, and dropping a half
//! whose direction has not ended gives the stream up.

mod ending;
mod receiver;
mod sender;
mod state;
mod stream_io;

pub(crate) use ending::{consume, finish, give_up};
pub use receiver::Receiver;
pub use sender::Sender;
pub(crate) use state::State;
pub use state::{Failure, ResponseHead};
pub use stream_io::StreamIo;
