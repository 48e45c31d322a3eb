//! What supervisor and worker say to each other, and the connection they say it over.
//!
//! # Layout
//! - [`limits`]: every length and count the protocol allows.
//! - [`message`]: the typed contents of frames.
//! - [`codec`]: messages to and from bytes; the only file that names bincode.
//! - [`frame`]: the fixed-size frame header and the kinds of frames.
//! - [`decoder`]: bytes to frames, incrementally; what the fuzzer drives.
//! - [`outbox`]: frames waiting for one vectored write.
//! - [`budget`]: how much the bodies of an app, or of a client, may hold, and how large their windows are.
//! - [`chunk`]: bytes of a body that count for as long as somebody keeps them.
//! - [`stream`]: one request on a connection: its two halves, their credit and their end.
//! - `idle`: what a peer sends that changes nothing.
//! - `inner`: what a connection and its streams share.
//! - [`connection`]: the multiplexer that drives all streams over one Unix-domain socket.
//! - [`descriptors`]: what a worker is started with.
//! - [`witness`]: a page of memory that tells, when a worker is gone, what it was doing.
//! - [`exit`]: the exit codes with which a worker names its own end.
//!
//! A *stream* is one request and its response. The supervisor opens it with a request head; it ends with the end of
//! the response, an error from the worker, or a cancel from the supervisor. Body bytes travel raw, under a credit per
//! stream and direction, so memory is bounded by window x streams and no stream can hold up another. Windows of responses are a matter of
//! the app's budget.

pub mod budget;
pub mod chunk;
pub mod codec;
pub mod connection;
pub mod decoder;
pub mod descriptors;
mod error;
pub mod exit;
pub mod frame;
mod idle;
mod inner;
pub mod limits;
pub mod message;
pub mod outbox;
pub mod stream;
pub mod witness;

pub use budget::Budget;
pub use chunk::Chunk;
pub use connection::{Connection, Event, Handle, Side};
pub use error::ProtocolError;
pub use stream::{Failure, Receiver, ResponseHead, Sender};
pub use witness::{Begun, Witness};
