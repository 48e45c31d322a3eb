//! Incremental digests, and constant-time comparison.

use std::cell::RefCell;
use std::sync::LazyLock;

use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Digest, Table};
use deno_core::op2;
use deno_error::JsErrorBox;
use md5::Md5;
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

/// A checksum with its table. It is made on first use: as a constant it would hold a pointer, and so be among the pages of which
/// every process has a copy of its own.
type LazyCrc<Width> = LazyLock<Box<Crc<Width, Table<16>>>>;

static CRC32: LazyCrc<u32> = LazyLock::new(|| Box::new(Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC)));
static CRC32C: LazyCrc<u32> = LazyLock::new(|| Box::new(Crc::<u32, Table<16>>::new(&CRC_32_ISCSI)));
static CRC64NVME: LazyCrc<u64> = LazyLock::new(|| Box::new(Crc::<u64, Table<16>>::new(&CRC_64_NVME)));

enum Running {
    Digest(Box<dyn DynDigest>),
    Crc32(Digest<'static, u32, Table<16>>),
    Crc64(Digest<'static, u64, Table<16>>),
}

/// A digest or checksum in progress, owned by JavaScript. It is none once it has been told.
pub(crate) struct RunningDigest(RefCell<Option<Running>>);

untraced!(RunningDigest, c"Hasher");

/// Starts a digest. `algorithm` is its name in capitals.
#[op2]
#[cppgc]
pub(crate) fn op_digest(#[string] algorithm: &str) -> Result<RunningDigest, JsErrorBox> {
    let running = match algorithm {
        "CRC32" => Running::Crc32(CRC32.digest()),
        "CRC32C" => Running::Crc32(CRC32C.digest()),
        "CRC64NVME" => Running::Crc64(CRC64NVME.digest()),
        "MD5" => Running::Digest(Box::new(Md5::default())),
        "SHA-1" => Running::Digest(Box::new(Sha1::default())),
        "SHA-256" => Running::Digest(Box::new(Sha256::default())),
        "SHA-384" => Running::Digest(Box::new(Sha384::default())),
        "SHA-512" => Running::Digest(Box::new(Sha512::default())),
        _ => return Err(JsErrorBox::not_supported()),
    };
    Ok(RunningDigest(RefCell::new(Some(running))))
}

#[op2(fast)]
pub(crate) fn op_digest_update(#[cppgc] hasher: &RunningDigest, #[buffer] bytes: &[u8]) {
    match &mut *hasher.0.borrow_mut() {
        Some(Running::Digest(digest)) => digest.update(bytes),
        Some(Running::Crc32(crc)) => crc.update(bytes),
        Some(Running::Crc64(crc)) => crc.update(bytes),
        None => {}
    }
}

/// Returns the digest of all bytes, once.
#[op2]
#[arraybuffer]
pub(crate) fn op_digest_finish(#[cppgc] hasher: &RunningDigest) -> Box<[u8]> {
    match hasher.0.take() {
        Some(Running::Digest(digest)) => digest.finalize(),
        Some(Running::Crc32(crc)) => Box::new(crc.finalize().to_be_bytes()),
        Some(Running::Crc64(crc)) => Box::new(crc.finalize().to_be_bytes()),
        None => Box::default(),
    }
}

/// Returns whether two buffers of the same length hold the same bytes, in constant time.
#[op2(fast)]
pub(crate) fn op_timing_safe_equal(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
