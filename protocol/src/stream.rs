//! One stream of a connection: its two halves, their credit and their end.
//!
//! One side has opened it, the other accepts it and answers. A stream is over when its answer is: with the last byte of that, with an
//! error from the acceptor, with a cancel from the opener or with the connection. Whatever else was still under way on it ends
//! then too. With the answer 101 it is upgraded: it is over when both sides have ended their direction, and whichever half is
//! dropped before gives it up.

mod ending;
mod receiver;
mod sender;
mod state;

pub(crate) use ending::{consume, finish, give_up};
pub use receiver::Receiver;
pub use sender::Sender;
pub(crate) use state::State;
pub use state::{Failure, ResponseHead};
