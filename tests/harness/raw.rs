//! Sends raw bytes over a socket, for requests that no client library would send, and to see the exact response.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::DEADLINE;

/// A raw connection.
#[derive(Debug)]
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("connect");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket.set_write_timeout(Some(DEADLINE)).expect("a deadline");
        Self(socket)
    }

    /// Connects from another address of this machine.
    pub(crate) fn from(source: [u8; 4], address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((source, 0)).into()).expect("an address of this machine");
        socket.connect(&address.into()).expect("connect");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket.set_write_timeout(Some(DEADLINE)).expect("a deadline");
        Self(socket.into())
    }

    /// Connects with a small receive buffer.
    pub(crate) fn narrow(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        socket.connect(&address.into()).expect("connect");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        Self(socket.into())
    }

    /// Returns another handle to the same connection.
    pub(crate) fn also(&self) -> Self {
        Self(self.0.try_clone().expect("a descriptor"))
    }

    /// Sends bytes. Returns whether the peer still accepts them.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// Returns whether the peer has closed, as far as known now.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.0.set_nonblocking(true).expect("a mode");
        let read = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).expect("a mode");
        match read {
            Ok(count) => count == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).expect("send");
        self
    }

    /// Reads until the peer closes.
    pub(crate) fn rest(&mut self) -> String {
        String::from_utf8_lossy(&self.rest_as_bytes()).into_owned()
    }

    /// Reads bytes until the peer closes.
    pub(crate) fn rest_as_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset after the last byte also counts as the end.
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }

    /// Reads up to and including `end`.
    pub(crate) fn up_to(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(end.as_bytes()) {
            match self.0.read(&mut byte) {
                Ok(1) => bytes.push(byte[0]),
                other => panic!("{other:?} before {end:?}, after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads this many bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        self.try_exactly(count).expect("receive")
    }

    /// Reads this many bytes. Returns `None` if the peer closes before.
    pub(crate) fn try_exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).is_ok().then_some(bytes)
    }
}

/// Sends bytes on a connection of their own, and returns all that arrives until the server closes.
pub(crate) fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    Raw::connect(address).send(bytes).rest()
}
