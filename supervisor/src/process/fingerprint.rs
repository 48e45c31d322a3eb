//! A digest of what a worker is told. A reload replaces a worker only if the digest differs.

use bytes::BytesMut;
use nano_protocol::codec;
use nano_protocol::message::Load;
use sha2::{Digest as _, Sha256};

use super::load;
use crate::config::{AppLimits, AppSpec, ConfigErrors};

/// Equal for two configurations whose workers are told the same, including the values of variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint that a worker of this configuration would have now. Reads the files that its env comes from.
    ///
    /// # Errors
    /// An error message that says what cannot be read.
    pub(crate) fn of(spec: &AppSpec) -> Result<Self, ConfigErrors> {
        Ok(Self::new(&load::message(spec, spec.env.load()?), &spec.limits))
    }

    pub(super) fn new(message: &Load, limits: &AppLimits) -> Self {
        let mut encoded = BytesMut::new();
        // A message that is too long fails when it is sent.
        let _ = codec::encode(message, &mut encoded);
        // Limits that the supervisor or the kernel enforces are not in the message.
        let AppLimits { heap, memory, hung_timeout, max_fds, max_pids, max_cpus, .. } = limits;
        let outside = format!("{heap} {memory:?} {hung_timeout:?} {max_fds} {max_pids} {max_cpus:?}");
        Self(Sha256::new().chain_update(outside).chain_update(&encoded).finalize().into())
    }
}
