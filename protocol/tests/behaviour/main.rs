//! The protocol from outside: bytes in, frames out, and two ends that talk over a real socket.
//!
//! - [`frames`]: frames as values, for tests of single frames, and their encoding. [`generated`]: arbitrary ones.
//! - [`pair`]: both ends over one socket, or one end and a peer that writes arbitrary bytes.
//! - [`pipe`]: a socket in memory.
//! - [`hostile`], [`hostile_peer`]: the entry points that the fuzz targets use as well.
//! - [`seeds`]: the inputs that these start from.
//! - The other modules are named after a behaviour. Their test names state what they prove.

mod frames;
mod generated;
mod hostile;
mod hostile_peer;
mod pair;
mod pipe;
mod seeds;

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
mod transport;
mod violations;
