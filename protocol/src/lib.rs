//! The protocol between supervisor and worker: its messages, its frames, and the connection that carries them.
//!
//! # Layout
//! - [`limits`]: every length and count the protocol allows.
//! - [`message`]: the typed contents of frames; `stream_error`: why a stream failed.
//! - [`head`]: the head that opens a stream: request, event, call or fetch; [`Handlers`]: what an app has for events.
//! - [`socket`]: the messages of a WebSocket on a stream that was upgraded.
//! - [`codec`]: encodes and decodes messages; the only file that names bincode.
//! - [`frame`]: the fixed-size frame header and the kinds of frames.
//! - [`decoder`]: splits bytes into frames, incrementally; the fuzzer drives it.
//! - [`outbox`]: frames waiting for one vectored write; `backlog`: counts the queued bytes that no other limit covers.
//! - [`budget`]: how many buffered bytes an app or a client may have in bodies, and how large their windows are.
//! - [`chunk`]: bytes of a body that count against its window until they are dropped.
//! - `stream`: the two halves of a stream, their credit and their end.
//! - `idle`: limits the frames of a peer that have no effect.
//! - `inner`: the state that a connection and its streams share.
//! - [`connection`]: the multiplexer that drives all streams over one socket; [`Handle`]: opens streams and sends on it.
//! - [`side`]: the two ends of a connection, and what each may open.
//! - [`descriptors`]: the file descriptors that a worker is started with.
//! - [`witness`]: a page of shared memory that says, after a worker has ended, what it was doing.
//! - [`exit`]: the exit codes of a worker.
//!
//! # Streams
//! Either side *opens* a stream, by a frame with its *head*; the other *accepts* it and *answers*, with a status, header fields
//! and a body, as in HTTP. The opener may send a body, too.
//!
//! | head | opened by | is |
//! | --- | --- | --- |
//! | [`Head::Request`] | supervisor | a request of a client |
//! | [`Head::Event`] | supervisor | something that has happened and that the app is notified of |
//! | [`Head::Call`] | worker | something that the worker asks the supervisor to do |
//! | [`Head::Fetch`] | worker | a request of its app to another app or to its own static files, or a call of another app |
//!
//! | frame | sent by | means |
//! | --- | --- | --- |
//! | request, event, call, fetch head | opener | opens the stream; its body follows unless the frame has the flag `END` |
//! | response head | acceptor | the status and the header fields of the answer |
//! | body chunk, body end | both | raw bytes of a body; its end, with trailer fields |
//! | credit | both | how many more bytes of the body the peer may send |
//! | cancel | opener | nobody waits for the answer any more |
//! | error | acceptor | there will be no answer, or no more of it |
//!
//! The ids of the supervisor's streams are odd, those of the worker's even. Each side opens its streams in the order of their
//! ids, without a gap, so no id is used twice. The number of streams that each side may have open is limited
//! ([`limits::MAX_STREAMS`], [`limits::MAX_CALLS`], [`limits::MAX_FETCHES`]).
//!
//! A stream ends with its answer, with an error, with a cancel or with the connection. After the status 101 it is *upgraded*:
//! both directions stay open until each has ended, and carry the messages of a WebSocket ([`socket`]). Those of a fetch carry its
//! frames (RFC 6455), and the worker is the client ([`StreamIo`]). Body bytes are sent raw, under a credit per stream and direction,
//! so memory is bounded by window x streams and no stream can hold up another. The supervisor chooses the windows of what it receives
//! by the app's [`Budget`].
//!
//! Each kind of frame has a limit and a side that sends it ([`frame::Kind`]): one that is too long, or that the peer has no business
//! to send, is refused by its header. Only the order to load an app is long, and no worker can send that.
//!
//! Neither side can crash the other: a peer that sends an id, a kind, a length or a number of anything that is not allowed ends
//! the connection, and nothing else ([`ProtocolError`]).

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
mod handle;
mod handlers;
pub mod head;
mod idle;
mod inner;
pub mod limits;
pub mod message;
pub mod outbox;
pub mod side;
pub mod socket;
mod stream;
mod stream_error;
pub mod witness;

pub use budget::Budget;
pub use chunk::Chunk;
pub use connection::{Connection, Incoming};
pub use error::ProtocolError;
pub use handle::Handle;
pub use handlers::Handlers;
pub use head::{Call, EncodedHead, Event, Fetch, Head, HeadKind};
pub use side::Side;
pub use stream::{Failure, Receiver, ResponseHead, Sender, StreamIo};
pub use witness::{Begun, Witness};
