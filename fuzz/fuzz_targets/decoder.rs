//! Drives [`hostile::decode`], which the protocol's tests drive for a moment, for as long as one likes.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../protocol/tests/behaviour/hostile.rs"]
mod hostile;

fuzz_target!(|input: &[u8]| hostile::decode(input));
