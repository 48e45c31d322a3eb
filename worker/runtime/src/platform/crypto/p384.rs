//! ECDSA over P-384 of digests that deno_crypto does not sign.

use deno_core::op2;
use deno_error::JsErrorBox;
use p384::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p384::ecdsa::{Signature, SigningKey, VerifyingKey};
use p384::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};

use super::failure::operation_error;

/// Signs a digest with ECDSA over P-384. The digest may be shorter than deno_crypto accepts; it is padded on the left.
#[op2]
#[buffer]
pub(crate) fn op_p384_sign(#[buffer] pkcs8: &[u8], #[buffer] digest: &[u8]) -> Result<Vec<u8>, JsErrorBox> {
    let key = SigningKey::from_pkcs8_der(pkcs8).map_err(|_| operation_error("the key is not of P-384"))?;
    let signature: Signature =
        key.sign_prehash(digest).map_err(|_| operation_error("the data cannot be signed"))?;
    Ok(signature.to_bytes().to_vec())
}

/// Verifies a signature as made by [`op_p384_sign`].
#[op2(fast)]
pub(crate) fn op_p384_verify(
    #[buffer] spki: &[u8],
    #[buffer] digest: &[u8],
    #[buffer] signature: &[u8],
) -> bool {
    let (Ok(key), Ok(signature)) =
        (VerifyingKey::from_public_key_der(spki), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify_prehash(digest, &signature).is_ok()
}
