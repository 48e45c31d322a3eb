//! Keys: what is behind each `KeyObject`, what they tell of themselves, and how they compare.

use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::{ToV8, op2};
use deno_error::JsErrorBox;
use subtle::ConstantTimeEq as _;

use super::super::native_memory::NativeMemory;
use super::ssl::{PKey, curve_name, decoded, encoded, failed, ffi, number_bytes, ssl};

/// About what an asymmetric key takes of the memory outside of V8's heap.
const KEY_MEMORY: usize = 4096;

enum Material {
    Secret(Vec<u8>),
    Public(PKey),
    Private(PKey),
}

/// A key, owned by JavaScript.
pub(crate) struct NodeKey {
    material: Material,
    /// Counts the key's memory.
    _memory: NativeMemory,
}

untraced!(NodeKey, c"KeyObjectHandle");

impl NodeKey {
    fn new(material: Material) -> Self {
        let bytes = if let Material::Secret(bytes) = &material { bytes.len() } else { KEY_MEMORY };
        Self { material, _memory: NativeMemory::of(bytes) }
    }

    pub(super) fn public(key: PKey) -> Self {
        Self::new(Material::Public(key))
    }

    pub(super) fn private(key: PKey) -> Self {
        Self::new(Material::Private(key))
    }

    /// The bytes of a secret key.
    pub(super) fn secret(&self) -> Option<&[u8]> {
        if let Material::Secret(bytes) = &self.material { Some(bytes) } else { None }
    }

    /// The key, unless it is a secret.
    pub(super) fn pkey(&self) -> Option<&PKey> {
        match &self.material {
            Material::Secret(_) => None,
            Material::Public(key) | Material::Private(key) => Some(key),
        }
    }

    /// The key, if it is private.
    pub(super) fn private_key(&self) -> Option<&PKey> {
        if let Material::Private(key) = &self.material { Some(key) } else { None }
    }
}

#[op2]
#[cppgc]
pub(crate) fn op_crypto_key_secret(#[buffer] bytes: &[u8]) -> NodeKey {
    NodeKey::new(Material::Secret(bytes.to_vec()))
}

/// Returns the bytes of a secret key.
#[op2]
pub(crate) fn op_crypto_key_bytes(#[cppgc] key: &NodeKey) -> Option<Uint8Array> {
    key.secret().map(|bytes| bytes.to_vec().into())
}

#[op2]
#[string]
pub(crate) fn op_crypto_key_type(#[cppgc] key: &NodeKey) -> &'static str {
    match key.material {
        Material::Secret(_) => "secret",
        Material::Public(_) => "public",
        Material::Private(_) => "private",
    }
}

/// Returns the name of the algorithm of an asymmetric key.
#[op2]
#[string]
pub(crate) fn op_crypto_key_algorithm(#[cppgc] key: &NodeKey) -> &'static str {
    key.pkey().map_or("", algorithm)
}

pub(super) fn algorithm(key: &PKey) -> &'static str {
    match key.id() {
        ffi::EVP_PKEY_RSA => "rsa",
        ffi::EVP_PKEY_EC => "ec",
        ffi::EVP_PKEY_ED25519 => "ed25519",
        ffi::EVP_PKEY_X25519 => "x25519",
        ffi::EVP_PKEY_DH => "dh",
        ffi::EVP_PKEY_DSA => "dsa",
        _ => "",
    }
}

/// What an asymmetric key tells of itself.
#[derive(ToV8, Default)]
pub(crate) struct Details {
    modulus_length: Option<u32>,
    /// The most significant byte first.
    public_exponent: Option<Uint8Array>,
    divisor_length: Option<u32>,
    named_curve: Option<&'static str>,
}

#[op2]
pub(crate) fn op_crypto_key_details(#[cppgc] key: &NodeKey) -> Details {
    let Some(key) = key.pkey() else { return Details::default() };
    match key.id() {
        ffi::EVP_PKEY_RSA => {
            let (mut n, mut e, mut d) = (ptr::null(), ptr::null(), ptr::null());
            ssl!(RSA_get0_key(ssl!(EVP_PKEY_get0_RSA(key.get())), &raw mut n, &raw mut e, &raw mut d));
            Details {
                modulus_length: Some(ssl!(BN_num_bits(n))),
                public_exponent: Some(number_bytes(e).into()),
                ..Details::default()
            }
        }
        ffi::EVP_PKEY_DSA => {
            let (mut p, mut q, mut g) = (ptr::null(), ptr::null(), ptr::null());
            ssl!(DSA_get0_pqg(ssl!(EVP_PKEY_get0_DSA(key.get())), &raw mut p, &raw mut q, &raw mut g));
            Details {
                modulus_length: Some(ssl!(BN_num_bits(p))),
                divisor_length: Some(ssl!(BN_num_bits(q))),
                ..Details::default()
            }
        }
        ffi::EVP_PKEY_EC => Details { named_curve: curve_of(key), ..Details::default() },
        _ => Details::default(),
    }
}

/// The curve of a key of EC.
pub(super) fn curve_of(key: &PKey) -> Option<&'static str> {
    let group = ssl!(EC_KEY_get0_group(ssl!(EVP_PKEY_get0_EC_KEY(key.get()))));
    curve_name(ssl!(EC_GROUP_get_curve_name(group)))
}

/// Returns whether two keys are the same.
#[op2(fast)]
pub(crate) fn op_crypto_key_equals(#[cppgc] a: &NodeKey, #[cppgc] b: &NodeKey) -> bool {
    match (&a.material, &b.material) {
        (Material::Secret(a), Material::Secret(b)) => a.ct_eq(b).into(),
        (Material::Public(a), Material::Public(b)) => ssl!(EVP_PKEY_cmp(a.get(), b.get())) == 1,
        // The public halves are compared, which belong to the private ones.
        (Material::Private(a), Material::Private(b)) => ssl!(EVP_PKEY_cmp(a.get(), b.get())) == 1,
        _ => false,
    }
}

/// Returns the public half of a key.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_key_public_half(#[cppgc] key: &NodeKey) -> Result<NodeKey, JsErrorBox> {
    let Some(key) = key.pkey() else { return Err(failed("Failed to get public key")) };
    public_half(key).map(NodeKey::public)
}

/// Returns a key that has nothing of the private half in it.
pub(super) fn public_half(key: &PKey) -> Result<PKey, JsErrorBox> {
    if key.id() == ffi::EVP_PKEY_DH {
        return super::dh::public_half(key);
    }
    let bytes = encoded(|at| ssl!(i2d_PUBKEY(key.get(), at)));
    bytes.and_then(|bytes| spki(&bytes)).ok_or_else(|| failed("Failed to get public key"))
}

/// Reads a public key of SPKI.
pub(super) fn spki(bytes: &[u8]) -> Option<PKey> {
    let (key, _) = decoded(bytes, |at, length| ssl!(d2i_PUBKEY(ptr::null_mut(), at, length)));
    PKey::new(key)
}
