//! AES-GCM (NIST SP 800-38D) with initialization vectors and tags of any length, built from AES, CTR and GHASH, because the crate
//! aes-gcm fixes the lengths at compile time.

use std::cell::RefCell;
use std::rc::Rc;

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipher, BlockEncryptMut, KeyInit, KeyIvInit as _, StreamCipher as _};
use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr32BE;
use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;
use subtle::ConstantTimeEq as _;

use super::failure::operation_error;
use crate::requests::turns;

const BLOCK: usize = 16;

/// One message under one key and initialization vector.
struct Gcm<C: BlockCipher<BlockSize = U16> + BlockEncryptMut> {
    /// The keystream for the data; its first block has been used to mask the tag.
    keystream: Ctr32BE<C>,
    hash: GHash,
    mask: [u8; BLOCK],
}

impl<C> Gcm<C>
where
    C: BlockCipher<BlockSize = U16> + BlockEncryptMut + KeyInit,
{
    fn new(key: &[u8], iv: &[u8]) -> Option<Self> {
        let mut cipher = C::new_from_slice(key).ok()?;
        let mut subkey = [0; BLOCK].into();
        cipher.encrypt_block_mut(&mut subkey);
        let hash = GHash::new(&subkey);
        let mut keystream = Ctr32BE::<C>::new_from_slices(key, &first_counter(hash.clone(), iv)).ok()?;
        let mut mask = [0; BLOCK];
        keystream.apply_keystream(&mut mask);
        Some(Self { keystream, hash, mask })
    }

    fn tag(&self, additional: &[u8], ciphertext: &[u8]) -> [u8; BLOCK] {
        let mut hash = self.hash.clone();
        hash.update_padded(additional);
        hash.update_padded(ciphertext);
        hash.update(&[lengths(additional.len(), ciphertext.len()).into()]);
        let mut tag = self.mask;
        for (byte, hashed) in tag.iter_mut().zip(hash.finalize()) {
            *byte ^= hashed;
        }
        tag
    }
}

/// Returns the initial counter block (J0).
fn first_counter(mut hash: GHash, iv: &[u8]) -> [u8; BLOCK] {
    let mut counter = [0; BLOCK];
    if iv.len() == 12 {
        counter[..12].copy_from_slice(iv);
        counter[15] = 1;
    } else {
        hash.update_padded(iv);
        hash.update(&[lengths(0, iv.len()).into()]);
        counter.copy_from_slice(&hash.finalize());
    }
    counter
}

/// Encodes two lengths in bits, as GHASH expects them.
fn lengths(first: usize, second: usize) -> [u8; BLOCK] {
    let bits = |length: usize| (length as u64) * 8;
    (u128::from(bits(first)) << 64 | u128::from(bits(second))).to_be_bytes()
}

fn seal<C>(key: &[u8], iv: &[u8], additional: &[u8], data: Vec<u8>, tag_length: usize) -> Option<Vec<u8>>
where
    C: BlockCipher<BlockSize = U16> + BlockEncryptMut + KeyInit,
{
    let mut gcm = Gcm::<C>::new(key, iv)?;
    let mut sealed = data;
    gcm.keystream.try_apply_keystream(&mut sealed).ok()?;
    let tag = gcm.tag(additional, &sealed);
    sealed.extend_from_slice(tag.get(..tag_length)?);
    Some(sealed)
}

fn open<C>(key: &[u8], iv: &[u8], additional: &[u8], sealed: &[u8], tag_length: usize) -> Option<Vec<u8>>
where
    C: BlockCipher<BlockSize = U16> + BlockEncryptMut + KeyInit,
{
    let (ciphertext, tag) = sealed.split_at_checked(sealed.len().checked_sub(tag_length)?)?;
    let mut gcm = Gcm::<C>::new(key, iv)?;
    let expected = gcm.tag(additional, ciphertext);
    if !bool::from(expected.get(..tag_length)?.ct_eq(tag)) {
        return None;
    }
    let mut data = ciphertext.to_vec();
    gcm.keystream.try_apply_keystream(&mut data).ok()?;
    Some(data)
}

/// Encrypts for the request `id`, and appends a tag of `tag_length` bytes.
#[op2]
#[buffer]
pub(crate) async fn op_aes_gcm_seal(
    state: Rc<RefCell<OpState>>,
    #[smi] id: u32,
    #[buffer(copy)] key: Vec<u8>,
    #[buffer(copy)] iv: Vec<u8>,
    #[buffer(copy)] additional: Vec<u8>,
    #[buffer(copy)] data: Vec<u8>,
    #[smi] tag_length: u32,
) -> Result<Vec<u8>, JsErrorBox> {
    let tag_length = tag_length as usize;
    let sealed = turns::run(state, id, move || match key.len() {
        16 => seal::<Aes128>(&key, &iv, &additional, data, tag_length),
        24 => seal::<Aes192>(&key, &iv, &additional, data, tag_length),
        _ => seal::<Aes256>(&key, &iv, &additional, data, tag_length),
    });
    sealed.await?.ok_or_else(|| operation_error("the data cannot be encrypted"))
}

/// Decrypts for the request `id`. The input ends in a tag of `tag_length` bytes; fails if the tag is wrong.
#[op2]
#[buffer]
pub(crate) async fn op_aes_gcm_open(
    state: Rc<RefCell<OpState>>,
    #[smi] id: u32,
    #[buffer(copy)] key: Vec<u8>,
    #[buffer(copy)] iv: Vec<u8>,
    #[buffer(copy)] additional: Vec<u8>,
    #[buffer(copy)] sealed: Vec<u8>,
    #[smi] tag_length: u32,
) -> Result<Vec<u8>, JsErrorBox> {
    let tag_length = tag_length as usize;
    let data = turns::run(state, id, move || match key.len() {
        16 => open::<Aes128>(&key, &iv, &additional, &sealed, tag_length),
        24 => open::<Aes192>(&key, &iv, &additional, &sealed, tag_length),
        _ => open::<Aes256>(&key, &iv, &additional, &sealed, tag_length),
    });
    data.await?.ok_or_else(|| {
        operation_error("the data was not encrypted with this key, vector and additional data")
    })
}
