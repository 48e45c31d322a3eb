//! Key derivation from passwords and other keys: `crypto.pbkdf2`, `crypto.scrypt`, `crypto.hkdf`.
//!
//! As in Node, the asynchronous forms run on other threads: these functions are slow by design. `request` is the id of the
//! request that is charged.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::convert::Uint8Array;
use deno_core::{JsBuffer, OpState, StringOrBuffer, op2};
use deno_error::JsErrorBox;

use super::hash::with_digest;
use crate::requests::turns;

fn pbkdf2(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    digest: &str,
    key: &mut [u8],
) -> Result<(), JsErrorBox> {
    with_digest!(digest, D => {
        pbkdf2::pbkdf2_hmac::<D>(password, salt, iterations, key);
        Ok(())
    }, else Err(invalid_digest(digest)))
}

fn invalid_digest(digest: &str) -> JsErrorBox {
    JsErrorBox::type_error(format!("Invalid digest: {digest}"))
}

/// Runs `derive` on another thread, with a key of this length.
async fn elsewhere(
    state: Rc<RefCell<OpState>>,
    request: u32,
    length: usize,
    derive: impl FnOnce(&mut [u8]) -> Result<(), JsErrorBox> + Send + 'static,
) -> Result<Uint8Array, JsErrorBox> {
    let derived = turns::run(state, request, move || {
        let mut key = vec![0; length];
        derive(&mut key).map(|()| key)
    });
    derived.await?.map(Into::into)
}

/// Derives `key` with PBKDF2. Returns `false` if the digest is unknown.
#[op2(fast)]
pub(crate) fn op_node_pbkdf2(
    #[buffer] password: &[u8],
    #[buffer] salt: &[u8],
    #[smi] iterations: u32,
    #[string] digest: &str,
    #[buffer] key: &mut [u8],
) -> bool {
    pbkdf2(password, salt, iterations, digest, key).is_ok()
}

/// Fails if the digest is unknown.
#[op2(fast)]
pub(crate) fn op_node_pbkdf2_validate(#[string] digest: &str) -> Result<(), JsErrorBox> {
    pbkdf2(&[], &[], 1, digest, &mut [])
}

/// Derives a key with PBKDF2 on another thread.
#[op2]
#[allow(clippy::too_many_arguments, reason = "they are the library's")]
pub(crate) async fn op_node_pbkdf2_async(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
    #[buffer] password: JsBuffer,
    #[buffer] salt: JsBuffer,
    #[smi] iterations: u32,
    #[string] digest: String,
    #[number] length: usize,
) -> Result<Uint8Array, JsErrorBox> {
    let (password, salt) = (password.to_vec(), salt.to_vec());
    elsewhere(state, request, length, move |key| pbkdf2(&password, &salt, iterations, &digest, key)).await
}

fn hkdf(digest: &str, secret: &[u8], salt: &[u8], info: &[u8], key: &mut [u8]) -> Result<(), JsErrorBox> {
    with_digest!(digest, D => {
        let expanded = hkdf::Hkdf::<D>::new(Some(salt), secret).expand(info, key);
        expanded.map_err(|_| JsErrorBox::type_error("Invalid key length"))
    }, else Err(invalid_digest(digest)))
}

#[op2(fast)]
pub(crate) fn op_node_hkdf(
    #[string] digest: &str,
    #[buffer] secret: &[u8],
    #[buffer] salt: &[u8],
    #[buffer] info: &[u8],
    #[buffer] key: &mut [u8],
) -> Result<(), JsErrorBox> {
    hkdf(digest, secret, salt, info, key)
}

/// Derives a key with HKDF on another thread.
#[op2]
#[allow(clippy::too_many_arguments, reason = "they are the library's")]
pub(crate) async fn op_node_hkdf_async(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
    #[string] digest: String,
    #[buffer] secret: JsBuffer,
    #[buffer] salt: JsBuffer,
    #[buffer] info: JsBuffer,
    #[number] length: usize,
) -> Result<Uint8Array, JsErrorBox> {
    let (secret, salt, info) = (secret.to_vec(), salt.to_vec(), info.to_vec());
    elsewhere(state, request, length, move |key| hkdf(&digest, &secret, &salt, &info, key)).await
}

/// The cost parameters of scrypt. The library has checked them against its memory limit.
#[derive(Debug, Clone, Copy)]
struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

fn scrypt(password: &[u8], salt: &[u8], cost: Cost, key: &mut [u8]) -> Result<(), JsErrorBox> {
    // This length is not used here; the length of the key is that of `key`.
    let params = scrypt::Params::new(cost.log_n, cost.r, cost.p, scrypt::Params::RECOMMENDED_LEN);
    let params = params.map_err(|error| JsErrorBox::range_error(error.to_string()))?;
    scrypt::scrypt(password, salt, &params, key).map_err(|error| JsErrorBox::range_error(error.to_string()))
}

#[op2]
#[allow(clippy::too_many_arguments, reason = "they are the library's")]
pub(crate) fn op_node_scrypt_sync(
    #[serde] password: StringOrBuffer,
    #[serde] salt: StringOrBuffer,
    #[smi] _length: u32,
    #[smi] log_n: u8,
    #[smi] r: u32,
    #[smi] p: u32,
    #[number] _max_memory: u64,
    #[anybuffer] key: &mut [u8],
) -> Result<(), JsErrorBox> {
    scrypt(&password, &salt, Cost { log_n, r, p }, key)
}

/// Derives a key with scrypt on another thread.
#[op2]
#[allow(clippy::too_many_arguments, reason = "they are the library's")]
pub(crate) async fn op_node_scrypt_async(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
    #[serde] password: StringOrBuffer,
    #[serde] salt: StringOrBuffer,
    #[smi] length: u32,
    #[smi] log_n: u8,
    #[smi] r: u32,
    #[smi] p: u32,
    #[number] _max_memory: u64,
) -> Result<Uint8Array, JsErrorBox> {
    let (password, salt) = (password.to_vec(), salt.to_vec());
    elsewhere(state, request, length as usize, move |key| scrypt(&password, &salt, Cost { log_n, r, p }, key))
        .await
}
