//! A WebSocket that an app has accepted, before its client gets the answer.

use std::rc::Rc;
use std::time::Duration;

use nano_protocol::{Receiver, Sender};

use super::compression::MessageCompression;
use crate::edge::upstream::inflating::InflatePlaces;
use crate::edge::upstream::sockets::SocketPlace;
use crate::edge::upstream::workers::Link;

/// What the answer of an app is the beginning of.
#[derive(Debug)]
pub(crate) struct OpenedSocket {
    /// Sends messages to the worker.
    pub sender: Sender,
    /// Receives messages from it.
    pub receiver: Receiver,
    pub terms: Terms,
}

/// What holds for a WebSocket as long as it lasts.
#[derive(Debug)]
pub(crate) struct Terms {
    /// The worker that has it. None until the answer has been taken.
    pub worker: Option<Rc<Link>>,
    /// Its place among those of the app.
    pub _place: SocketPlace,
    /// Longest message of its client, in bytes.
    pub max_message: u64,
    /// How messages are compressed, and the places for those of the client. None if they are not.
    pub compression: Option<(MessageCompression, InflatePlaces)>,
    pub ping: Option<Duration>,
    pub timeout: Option<Duration>,
}
