//! Incremental digests, and constant-time comparison.

use std::cell::RefCell;

use deno_core::{GarbageCollected, op2, v8};
use deno_error::JsErrorBox;
use md5::Md5;
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

/// A digest in progress, owned by JavaScript.
pub(crate) struct RunningDigest(RefCell<Box<dyn DynDigest>>);

#[allow(unsafe_code, reason = "cppgc wants this promise of every type it manages")]
// SAFETY: it holds no references into the garbage-collected heap, so there is nothing to trace.
unsafe impl GarbageCollected for RunningDigest {
    fn trace(&self, _visitor: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static std::ffi::CStr {
        c"Hasher"
    }
}

/// Starts a digest. `algorithm` is its name in capitals.
#[op2]
#[cppgc]
pub(crate) fn op_digest(#[string] algorithm: &str) -> Result<RunningDigest, JsErrorBox> {
    let hasher: Box<dyn DynDigest> = match algorithm {
        "MD5" => Box::new(Md5::default()),
        "SHA-1" => Box::new(Sha1::default()),
        "SHA-256" => Box::new(Sha256::default()),
        "SHA-384" => Box::new(Sha384::default()),
        "SHA-512" => Box::new(Sha512::default()),
        _ => return Err(JsErrorBox::not_supported()),
    };
    Ok(RunningDigest(RefCell::new(hasher)))
}

/// Adds bytes.
#[op2(fast)]
pub(crate) fn op_digest_update(#[cppgc] hasher: &RunningDigest, #[buffer] bytes: &[u8]) {
    hasher.0.borrow_mut().update(bytes);
}

/// Returns the digest of all bytes.
#[op2]
#[arraybuffer]
pub(crate) fn op_digest_finish(#[cppgc] hasher: &RunningDigest) -> Box<[u8]> {
    hasher.0.borrow_mut().finalize_reset()
}

/// Returns whether two buffers of the same length hold the same bytes, in constant time.
#[op2(fast)]
pub(crate) fn op_timing_safe_equal(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
