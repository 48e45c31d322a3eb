//! Secret keys, random bytes and numbers, and constant-time comparison.
//!
//! A secret key is represented by its bytes; JavaScript holds a copy of its own.

use deno_core::convert::Uint8Array;
use deno_core::op2;
use rand::Rng as _;
use rand::rngs::OsRng;
use subtle::ConstantTimeEq as _;

/// Creates a key from these bytes.
#[op2]
pub(crate) fn op_node_create_secret_key(#[buffer] bytes: &[u8]) -> Uint8Array {
    bytes.to_vec().into()
}

/// Returns the bytes of a key.
#[op2]
pub(crate) fn op_node_export_secret_key(#[buffer] key: &[u8]) -> Uint8Array {
    key.to_vec().into()
}

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns the bytes of a key in base64url, as in a JSON Web Key.
#[op2]
#[string]
pub(crate) fn op_node_export_secret_key_b64url(#[buffer] key: &[u8]) -> String {
    let mut text = String::with_capacity(key.len().div_ceil(3) * 4);
    for chunk in key.chunks(3) {
        let bits =
            chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|digit| char::from(BASE64URL[bits >> (18 - 6 * digit) & 63])));
    }
    text
}

/// Returns the length of a key in bytes.
#[op2(fast)]
#[smi]
pub(crate) fn op_node_get_symmetric_key_size(#[buffer] key: &[u8]) -> u32 {
    u32::try_from(key.len()).unwrap_or(u32::MAX)
}

/// Returns whether two keys are the same.
#[op2(fast)]
pub(crate) fn op_node_key_equals(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Returns whether the bytes are the same, in a time that depends only on their number.
#[op2(fast)]
pub(crate) fn op_node_timing_safe_equal(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Fills the buffer with random bytes.
#[op2(fast)]
pub(crate) fn op_node_fill_random(#[buffer] bytes: &mut [u8]) {
    OsRng.fill(bytes);
}

/// Returns random bytes. The kernel provides them at once, so this never waits.
#[op2(async(lazy), fast)]
pub(crate) async fn op_node_fill_random_async(#[smi] length: u32) -> Uint8Array {
    let mut bytes = vec![0; length as usize];
    OsRng.fill(&mut bytes[..]);
    bytes.into()
}

/// Returns a random integer from `min` up to but not including `max`, with equal probability. The library has checked that the
/// range is not empty.
#[op2(fast)]
#[number]
pub(crate) fn op_node_random_int(#[number] min: i64, #[number] max: i64) -> i64 {
    if min < max { OsRng.gen_range(min..max) } else { min }
}
