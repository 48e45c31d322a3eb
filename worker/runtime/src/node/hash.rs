//! Digests: `crypto.createHash`.

use std::cell::RefCell;

use deno_core::convert::Uint8Array;
use deno_core::op2;
use deno_error::JsErrorBox;
use sha3::digest::{DynDigest, ExtendableOutput as _, OutputSizeUser, Update as _};

/// Evaluates `$use` with `$type` as the digest of this name, or `$unknown` if there is none.
macro_rules! with_digest {
    ($name:expr, $type:ident => $use:expr, else $unknown:expr) => {
        $crate::node::hash::with_digest!(@ $name, $type, $use, $unknown,
            "md5" md5::Md5, "ripemd160" ripemd::Ripemd160, "sha1" sha1::Sha1,
            "sha224" sha2::Sha224, "sha256" sha2::Sha256, "sha384" sha2::Sha384, "sha512" sha2::Sha512,
            "sha512-224" sha2::Sha512_224, "sha512-256" sha2::Sha512_256,
            "sha3-224" sha3::Sha3_224, "sha3-256" sha3::Sha3_256, "sha3-384" sha3::Sha3_384, "sha3-512" sha3::Sha3_512)
    };
    (@ $name:expr, $type:ident, $use:expr, $unknown:expr, $($text:literal $digest:ty),*) => {
        match $name {
            $($text => {
                type $type = $digest;
                $use
            })*
            _ => $unknown,
        }
    };
}
pub(crate) use with_digest;

const NAMES: &[&str] = &[
    "RSA-MD5",
    "RSA-RIPEMD160",
    "RSA-SHA1",
    "RSA-SHA224",
    "RSA-SHA256",
    "RSA-SHA384",
    "RSA-SHA512",
    "md5",
    "ripemd160",
    "rmd160",
    "sha1",
    "sha224",
    "sha256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "sha384",
    "sha512",
    "sha512-224",
    "sha512-256",
    "shake128",
    "shake256",
];

/// A digest in progress.
#[derive(Clone)]
enum DigestState {
    Fixed(Box<dyn DynDigest>),
    Shake128(sha3::Shake128, usize),
    Shake256(sha3::Shake256, usize),
    Done(Vec<u8>),
}

impl DigestState {
    fn new(name: &str, length: Option<usize>) -> Result<Self, JsErrorBox> {
        match name {
            // The default lengths are half of what their security level requires, as in OpenSSL.
            "shake128" => Ok(Self::Shake128(sha3::Shake128::default(), length.unwrap_or(16))),
            "shake256" => Ok(Self::Shake256(sha3::Shake256::default(), length.unwrap_or(32))),
            _ => with_digest!(name, D => Self::Fixed(Box::new(D::default())).with_length(length),
                else Err(JsErrorBox::generic("Digest method not supported"))),
        }
    }

    /// Sets the length of the result. Fails if this digest does not support that length.
    fn with_length(self, length: Option<usize>) -> Result<Self, JsErrorBox> {
        match (self, length) {
            (Self::Shake128(state, old), new) => Ok(Self::Shake128(state, new.unwrap_or(old))),
            (Self::Shake256(state, old), new) => Ok(Self::Shake256(state, new.unwrap_or(old))),
            (Self::Fixed(state), Some(length)) if length != state.output_size() => {
                // The library compares the message with this text.
                Err(JsErrorBox::generic("Output length mismatch for non-extendable algorithm"))
            }
            (state, _) => Ok(state),
        }
    }

    fn update(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Fixed(state) => state.update(bytes),
            Self::Shake128(state, _) => state.update(bytes),
            Self::Shake256(state, _) => state.update(bytes),
            Self::Done(_) => return false,
        }
        true
    }

    /// Returns the result, which stays available: a hash that is a stream is read more than once.
    fn digest(&mut self) -> Vec<u8> {
        let result = match std::mem::replace(self, Self::Done(Vec::new())) {
            Self::Fixed(state) => state.finalize().into_vec(),
            Self::Shake128(state, length) => state.finalize_boxed(length).into_vec(),
            Self::Shake256(state, length) => state.finalize_boxed(length).into_vec(),
            Self::Done(result) => result,
        };
        *self = Self::Done(result.clone());
        result
    }
}

/// A digest, owned by JavaScript.
pub(crate) struct NodeHasher(RefCell<DigestState>);

untraced!(NodeHasher, c"Hasher");

/// Creates a digest by name. `length` is the length of the result, for digests where it can be chosen.
#[op2]
#[cppgc]
pub(crate) fn op_node_create_hash(
    #[string] name: &str,
    length: Option<u32>,
) -> Result<NodeHasher, JsErrorBox> {
    DigestState::new(name, length.map(|length| length as usize)).map(|state| NodeHasher(RefCell::new(state)))
}

/// Returns an independent copy of a digest; `None` if it is complete.
#[op2]
#[cppgc]
pub(crate) fn op_node_hash_clone(
    #[cppgc] hasher: &NodeHasher,
    length: Option<u32>,
) -> Result<Option<NodeHasher>, JsErrorBox> {
    let state = hasher.0.borrow().clone();
    if matches!(state, DigestState::Done(_)) {
        return Ok(None);
    }
    state.with_length(length.map(|length| length as usize)).map(|state| Some(NodeHasher(RefCell::new(state))))
}

/// Adds bytes. Returns `false` if the digest is complete.
#[op2(fast)]
pub(crate) fn op_node_hash_update(#[cppgc] hasher: &NodeHasher, #[buffer] bytes: &[u8]) -> bool {
    hasher.0.borrow_mut().update(bytes)
}

/// Adds a string as UTF-8. Returns `false` if the digest is complete.
#[op2(fast)]
pub(crate) fn op_node_hash_update_str(#[cppgc] hasher: &NodeHasher, #[string] text: &str) -> bool {
    hasher.0.borrow_mut().update(text.as_bytes())
}

#[op2]
pub(crate) fn op_node_hash_digest(#[cppgc] hasher: &NodeHasher) -> Uint8Array {
    hasher.0.borrow_mut().digest().into()
}

/// Returns the result as hexadecimal digits.
#[op2]
#[string]
pub(crate) fn op_node_hash_digest_hex(#[cppgc] hasher: &NodeHasher) -> String {
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
    hasher.0.borrow_mut().digest().iter().flat_map(digits).collect()
}

/// Returns the names of all digests.
#[op2]
pub(crate) fn op_node_get_hashes() -> Vec<&'static str> {
    NAMES.to_vec()
}

/// Returns the length of a digest's result, if it is fixed.
#[op2]
pub(crate) fn op_node_get_hash_size(#[string] name: &str) -> Option<u32> {
    with_digest!(name, D => u32::try_from(<D as OutputSizeUser>::output_size()).ok(), else None)
}
