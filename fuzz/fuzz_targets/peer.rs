//! Drives [`hostile_peer::speak`], which the protocol's tests drive for a moment, for as long as one likes.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../protocol/tests/behaviour/hostile_peer.rs"]
mod hostile_peer;
#[path = "../../protocol/tests/behaviour/pipe.rs"]
mod pipe;

fuzz_target!(|input: &[u8]| hostile_peer::speak(input));
