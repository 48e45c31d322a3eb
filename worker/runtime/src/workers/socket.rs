//! WebSockets of clients, for JavaScript: each has the id of the request that it began with.

use std::rc::Rc;

use deno_core::convert::ByteString;
use deno_core::{OpState, op2};
use nano_protocol::socket::PieceKind;

use super::outgoing::HeaderList;
use crate::requests::in_flight::in_flight;
use crate::requests::sockets::Sockets;

fn sockets(state: &OpState) -> Rc<Sockets> {
    state.borrow::<Rc<Sockets>>().clone()
}

/// Answers the request with this id by opening the WebSocket that it asks for. Returns false if it asks for none.
#[op2]
pub(crate) fn op_socket_open(state: &OpState, #[smi] id: u32, #[scoped] headers: HeaderList) -> bool {
    let headers: &[(ByteString, ByteString)] = &headers;
    let fields = headers.iter().map(|(name, value)| (&name[..], &value[..]));
    sockets(state).open(&in_flight(state), id, headers.len(), fields)
}

/// Begins to take the messages of the client.
#[op2(fast)]
pub(crate) fn op_socket_accept(state: &OpState, #[smi] id: u32) {
    sockets(state).accept(id);
}

/// Sends a text message.
#[op2(fast)]
pub(crate) fn op_socket_send_text(state: &OpState, #[smi] id: u32, #[string] text: String) {
    sockets(state).send(id, PieceKind::Text, text.into_bytes());
}

/// Sends a binary message.
#[op2]
pub(crate) fn op_socket_send_bytes(state: &OpState, #[smi] id: u32, #[anybuffer] bytes: &[u8]) {
    sockets(state).send(id, PieceKind::Binary, bytes.to_vec());
}

/// Closes it. The code 1005 stands for none.
#[op2(fast)]
pub(crate) fn op_socket_close(state: &OpState, #[smi] id: u32, #[smi] code: u16, #[string] reason: &str) {
    sockets(state).close(id, code, reason);
}

/// Returns how many bytes of messages have not been sent.
#[op2(fast)]
#[number]
pub(crate) fn op_socket_unsent(state: &OpState, #[smi] id: u32) -> u64 {
    sockets(state).unsent(id) as u64
}
