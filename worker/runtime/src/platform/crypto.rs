//! Algorithms of Web Cryptography that deno_crypto lacks.
//!
//! - [`gcm`]: AES-GCM with initialization vectors and tags of any length.
//! - [`p384`]: ECDSA over P-384 with digests of any length.
//!
//! `js/platform/crypto` decides which calls are handled here. [`turns`] decides on which threads the algorithms run.

mod failure;
pub(crate) mod gcm;
pub(crate) mod p384;

use crate::requests::turns;

deno_core::extension!(
    nano_crypto,
    deps = [deno_crypto],
    ops = [
        gcm::op_aes_gcm_open,
        gcm::op_aes_gcm_seal,
        p384::op_p384_sign,
        p384::op_p384_verify,
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
