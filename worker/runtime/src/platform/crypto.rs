//! What deno_crypto's algorithms leave out of Web Cryptography.
//!
//! - [`gcm`]: AES-GCM with initialization vectors and tags of every length.
//!
//! `js/platform/crypto` decides which calls come here. On which threads the algorithms run is a matter of [`turns`].

pub(crate) mod gcm;

use deno_core::op2;
use deno_error::JsErrorBox;
use p384::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p384::ecdsa::{Signature, SigningKey, VerifyingKey};
use p384::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};

use crate::requests::turns;

deno_core::extension!(
    nano_crypto,
    deps = [deno_crypto],
    ops = [
        gcm::op_aes_gcm_open,
        gcm::op_aes_gcm_seal,
        op_p384_sign,
        op_p384_verify,
        turns::op_turn_call,
        turns::op_turn_end,
        turns::op_turn_take,
        turns::op_turn_wait,
    ],
    lazy_loaded_js = [
        dir "js/platform/crypto",
        "algorithms.js",
        "jwk.js",
        "node_ed25519.js",
        "turns.js",
        "web_crypto.js",
    ],
);

pub(crate) fn operation_error(why: &'static str) -> JsErrorBox {
    JsErrorBox::new("DOMExceptionOperationError", why)
}

/// ECDSA over P-384 of a digest that may be shorter than deno_crypto accepts, padded on the left.
#[op2]
#[buffer]
fn op_p384_sign(#[buffer] pkcs8: &[u8], #[buffer] digest: &[u8]) -> Result<Vec<u8>, JsErrorBox> {
    let key = SigningKey::from_pkcs8_der(pkcs8).map_err(|_| operation_error("the key is not of P-384"))?;
    let signature: Signature =
        key.sign_prehash(digest).map_err(|_| operation_error("the data cannot be signed"))?;
    Ok(signature.to_bytes().to_vec())
}

/// Whether a signature is what [`op_p384_sign`] may make.
#[op2(fast)]
fn op_p384_verify(#[buffer] spki: &[u8], #[buffer] digest: &[u8], #[buffer] signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (VerifyingKey::from_public_key_der(spki), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify_prehash(digest, &signature).is_ok()
}
