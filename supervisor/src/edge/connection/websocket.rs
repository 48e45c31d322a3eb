//! WebSockets of clients, and of apps that open them to other apps: the supervisor speaks RFC 6455 with the client, and passes messages
//! to and from a worker as pieces on an upgraded stream ([`nano_protocol::socket`]).
//!
//! - [`frame`]: the frames of a client, in parts as they arrive. [`message`]: the messages that these are part of; [`text`]: whether
//!   text is UTF-8. [`inflate`]: a compressed message of a client; [`mod@deflate`]: messages of the app, compressed.
//! - [`outbox`]: frames that wait until the client takes them.
//! - [`carry`]: carries a WebSocket that an app has accepted, over a connection of its own, over a [`socket_stream`] of HTTP/2, or over a
//!   stream of the worker that has opened it. [`talk`]: what passes between its two sides. [`silence`]: how long its client may say
//!   nothing.

pub(crate) mod carry;
pub(crate) mod deflate;
pub(crate) mod frame;
pub(crate) mod inflate;
pub(crate) mod message;
pub(crate) mod outbox;
pub(crate) mod silence;
pub(crate) mod socket_stream;
pub(crate) mod talk;
pub(crate) mod text;
