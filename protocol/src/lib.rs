//! What supervisor and worker say to each other, and the connection they say it over.
//!
//! # Layout
//! - [`limits`]: every length and count the protocol allows.
//! - [`message`]: the typed contents of frames.
//! - [`head`]: what a stream is for: request, event or call.
//! - [`codec`]: messages to and from bytes; the only file that names bincode.
//! - [`frame`]: the fixed-size frame header and the kinds of frames.
//! - [`decoder`]: bytes to frames, incrementally; what the fuzzer drives.
//! - [`outbox`]: frames waiting for one vectored write; `backlog`: those of them that nothing else counts.
//! - [`budget`]: how much the bodies of an app, or of a client, may hold, and how large their windows are.
//! - [`chunk`]: bytes of a body that count for as long as somebody keeps them.
//! - `stream`: its two halves, their credit and their end.
//! - `idle`: what a peer sends that changes nothing.
//! - `inner`: what a connection and its streams share.
//! - [`connection`]: the multiplexer that drives all streams over one socket.
//! - [`descriptors`]: what a worker is started with.
//! - [`witness`]: a page of memory that tells, when a worker is gone, what it was doing.
//! - [`exit`]: the exit codes with which a worker names its own end.
//!
//! # Streams
//! Either side *opens* a stream, by a frame with its *head*; the other *accepts* it and *answers*, with a status, header fields and
//! a body, as HTTP does. The opener's body goes the other way.
//!
//! | head | opened by | is |
//! | --- | --- | --- |
//! | [`Head::Request`] | supervisor | a request of a client |
//! | [`Head::Event`] | supervisor | something that happens, of which the app is told |
//! | [`Head::Call`] | worker | something that it asks for outside of it |
//!
//! | frame | sent by | means |
//! | --- | --- | --- |
//! | request, event, call head | opener | opens the stream; its body follows unless the frame has the flag `END` |
//! | response head | acceptor | the status and the header fields of the answer |
//! | body chunk, body end | both | raw bytes of a body; its end, with trailer fields |
//! | credit | both | so many more bytes of the body may be sent |
//! | cancel | opener | nobody waits for the answer any more |
//! | error | acceptor | no answer comes, or no more of it |
//!
//! The ids of the supervisor's streams are odd, those of the worker's even. Each side opens its streams in the order of their ids,
//! without a gap, so no id is used twice. A side may have only so many open at once ([`limits::MAX_STREAMS`],
//! [`limits::MAX_CALLS`]).
//!
//! A stream ends with its answer, with an error, with a cancel or with the connection. After the status 101 it is *upgraded*: both
//! directions stay open until each has ended. Body bytes travel raw, under a credit per stream and direction, so memory is bounded
//! by window x streams and no stream can hold up another. The windows of what comes to the supervisor are a matter of the app's
//! budget.
//!
//! Neither side lets the other break it: a peer that sends an id, a kind, a length or a number of anything that it may not send
//! ends the connection, and only that ([`ProtocolError`]).

mod backlog;
pub mod budget;
pub mod chunk;
pub mod codec;
pub mod connection;
pub mod decoder;
pub mod descriptors;
mod error;
pub mod exit;
pub mod frame;
pub mod head;
mod idle;
mod inner;
pub mod limits;
pub mod message;
pub mod outbox;
pub mod side;
mod stream;
pub mod witness;

pub use budget::Budget;
pub use chunk::Chunk;
pub use connection::{Connection, Handle, Incoming};
pub use error::ProtocolError;
pub use head::{Call, EncodedHead, Event, Head, HeadKind};
pub use side::Side;
pub use stream::{Failure, Receiver, ResponseHead, Sender};
pub use witness::{Begun, Witness};
