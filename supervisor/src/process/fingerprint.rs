//! What a worker was told, as a digest: whether another configuration means another worker.

use bytes::BytesMut;
use nano_protocol::codec;
use nano_protocol::message::Load;
use sha2::{Digest as _, Sha256};

use super::load;
use crate::config::{AppLimits, AppSpec};

/// Equal for two configurations whose workers are told the same, the values of variables included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of what a worker of this configuration would be told now. Reads the files that its env comes from.
    ///
    /// # Errors
    /// What cannot be read, for people.
    pub(crate) fn of(spec: &AppSpec) -> Result<Self, String> {
        Ok(Self::new(&load::message(spec, spec.env.load()?), &spec.limits))
    }

    pub(super) fn new(message: &Load, limits: &AppLimits) -> Self {
        let mut encoded = BytesMut::new();
        // A message that is too long fails where it is sent.
        let _ = codec::encode(message, &mut encoded);
        // What is enforced for it from outside.
        let AppLimits { heap, memory, hung_timeout, max_fds, max_pids, max_cpus, .. } = limits;
        let outside = format!("{heap} {memory:?} {hung_timeout:?} {max_fds} {max_pids} {max_cpus:?}");
        Self(Sha256::new().chain_update(outside).chain_update(&encoded).finalize().into())
    }
}
