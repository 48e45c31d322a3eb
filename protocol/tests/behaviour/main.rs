//! The protocol from outside: bytes in, frames out, and two ends that talk over a real socket.
//!
//! - [`frames`]: what is sent in the tests of single frames, and how it is put on the wire.
//! - [`pair`]: both ends over one socket, or one end and a peer that writes whatever it likes.
//! - [`pipe`]: a socket in memory.
//! - [`hostile`], [`hostile_peer`]: the entry points that the fuzzer drives too.
//! - The other modules are named after behaviour, each with the sentences it proves as test names.

mod frames;
mod hostile;
mod hostile_peer;
mod pair;
mod pipe;

mod both_ways;
mod budget;
mod cancelling;
mod credit;
mod endings;
mod floods;
mod hostile_bytes;
mod hostile_peers;
mod interleavings;
mod limits;
mod multiplexing;
mod round_trips;
mod sending;
mod violations;
