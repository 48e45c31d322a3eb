//! Bytes over a socket, for what no client library would send, and to see exactly what comes back.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::DEADLINE;

/// A connection of bytes.
#[derive(Debug)]
pub(crate) struct Raw(TcpStream);

impl Raw {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("connect");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket.set_write_timeout(Some(DEADLINE)).expect("a deadline");
        Self(socket)
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).expect("send");
        self
    }

    /// Everything until the peer closes.
    pub(crate) fn rest(&mut self) -> String {
        String::from_utf8_lossy(&self.rest_as_bytes()).into_owned()
    }

    /// Everything until the peer closes, byte for byte.
    pub(crate) fn rest_as_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset after the last byte is an end, too.
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }

    /// Everything up to and including `end`.
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

    /// This many bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("receive");
        bytes
    }
}

/// Sends bytes on a connection of their own and returns all that comes back until the server closes.
pub(crate) fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    Raw::connect(address).send(bytes).rest()
}
