//! What a worker was told, as a digest: whether another configuration means another worker.

use bytes::BytesMut;
use nano_protocol::codec;
use nano_protocol::message::Load;
use sha2::{Digest as _, Sha256};

use super::load;
use crate::config::AppSpec;

/// Equal for two configurations whose workers are told the same, the values of variables included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of what a worker of this configuration would be told now. Reads the files that its env comes from.
    ///
    /// # Errors
    /// What cannot be read, for people.
    pub fn of(spec: &AppSpec) -> Result<Self, String> {
        Ok(Self::new(&load::message(spec)?, spec.limits.heap))
    }

    pub(super) fn new(message: &Load, heap: u64) -> Self {
        let mut encoded = BytesMut::new();
        // A message that is too long fails where it is sent.
        let _ = codec::encode(message, &mut encoded);
        Self(Sha256::new().chain_update(heap.to_le_bytes()).chain_update(&encoded).finalize().into())
    }
}
