//! Writes keys: PEM and DER of PKCS #1, PKCS #8, SEC 1 and SPKI, also with a passphrase, and JSON Web Keys.

use std::ptr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use deno_core::convert::Uint8Array;
use deno_core::{ToV8, op2};
use deno_error::JsErrorBox;

use super::cipher::cipher_for_keys;
use super::key::{NodeKey, curve_of};
use super::ssl::{Memory, PKey, encoded, failed, ffi, number_bytes, padded_number, ssl};

/// How a private key is protected.
struct Protection<'a> {
    cipher: *const ffi::EVP_CIPHER,
    passphrase: &'a [u8],
}

impl Protection<'_> {
    fn cipher(this: Option<&Self>) -> *const ffi::EVP_CIPHER {
        this.map_or(ptr::null(), |this| this.cipher)
    }

    /// The passphrase and its length.
    fn passphrase(this: Option<&Self>) -> (*const u8, i32) {
        this.map_or((ptr::null(), 0), |this| {
            (this.passphrase.as_ptr(), i32::try_from(this.passphrase.len()).unwrap_or(i32::MAX))
        })
    }
}

const FAILED: &str = "Failed to export key";

/// Writes a key in PEM or DER. `kind` is one of `pkcs1`, `pkcs8`, `sec1`, `spki`; an empty `cipher` means none.
#[op2]
pub(crate) fn op_crypto_key_write(
    #[cppgc] key: &NodeKey,
    #[string] kind: &str,
    is_pem: bool,
    #[string] cipher: &str,
    #[buffer] passphrase: &[u8],
) -> Result<Uint8Array, JsErrorBox> {
    let pkey = key.pkey().ok_or_else(|| failed(FAILED))?;
    let protection = match cipher {
        "" => None,
        name => {
            let cipher = cipher_for_keys(name).ok_or_else(|| failed(format!("Unknown cipher: {name}")))?;
            Some(Protection { cipher, passphrase })
        }
    };
    let written = match key.private_key() {
        Some(pkey) => private(pkey, kind, is_pem, protection.as_ref())?,
        None => public(pkey, kind, is_pem)?,
    };
    written.map(Into::into).ok_or_else(|| failed(FAILED))
}

/// Calls a writer, and returns what it has written.
fn written(write: impl FnOnce(*mut ffi::BIO) -> i32) -> Result<Option<Vec<u8>>, JsErrorBox> {
    let memory = Memory::new()?;
    Ok((write(memory.get()) == 1).then(|| memory.bytes()))
}

fn private(
    key: &PKey,
    kind: &str,
    is_pem: bool,
    protection: Option<&Protection<'_>>,
) -> Result<Option<Vec<u8>>, JsErrorBox> {
    let cipher = Protection::cipher(protection);
    let (passphrase, length) = Protection::passphrase(protection);
    let none = ptr::null_mut();
    match kind {
        "pkcs1" => {
            if key.id() != ffi::EVP_PKEY_RSA {
                return Err(failed("PKCS1 can only be used for RSA keys"));
            }
            let rsa = ssl!(EVP_PKEY_get0_RSA(key.get()));
            if is_pem {
                return written(|to| {
                    ssl!(PEM_write_bio_RSAPrivateKey(to, rsa, cipher, passphrase, length, None, none))
                });
            }
            Ok(encoded(|at| ssl!(i2d_RSAPrivateKey(rsa, at))))
        }
        "sec1" => {
            if key.id() != ffi::EVP_PKEY_EC {
                return Err(failed("SEC1 can only be used for EC keys"));
            }
            let ec = ssl!(EVP_PKEY_get0_EC_KEY(key.get()));
            if is_pem {
                return written(|to| {
                    ssl!(PEM_write_bio_ECPrivateKey(to, ec, cipher, passphrase, length, None, none))
                });
            }
            Ok(encoded(|at| ssl!(i2d_ECPrivateKey(ec, at))))
        }
        "pkcs8" => written(|to| {
            let (at, passphrase) = (key.get(), passphrase.cast());
            if is_pem {
                ssl!(PEM_write_bio_PKCS8PrivateKey(to, at, cipher, passphrase, length, None, none))
            } else {
                ssl!(i2d_PKCS8PrivateKey_bio(to, at, cipher, passphrase, length, None, none))
            }
        }),
        "spki" => Ok(None),
        _ => Err(failed("Invalid key encoding")),
    }
}

fn public(key: &PKey, kind: &str, is_pem: bool) -> Result<Option<Vec<u8>>, JsErrorBox> {
    match kind {
        "pkcs1" => {
            if key.id() != ffi::EVP_PKEY_RSA {
                return Err(failed("PKCS1 can only be used for RSA keys"));
            }
            let rsa = ssl!(EVP_PKEY_get0_RSA(key.get()));
            if is_pem {
                return written(|to| ssl!(PEM_write_bio_RSAPublicKey(to, rsa)));
            }
            Ok(encoded(|at| ssl!(i2d_RSAPublicKey(rsa, at))))
        }
        "sec1" if key.id() != ffi::EVP_PKEY_EC => Err(failed("SEC1 can only be used for EC keys")),
        "pkcs8" | "sec1" | "spki" if is_pem => written(|to| ssl!(PEM_write_bio_PUBKEY(to, key.get()))),
        "pkcs8" | "sec1" | "spki" => Ok(encoded(|at| ssl!(i2d_PUBKEY(key.get(), at)))),
        _ => Err(failed("Invalid key encoding")),
    }
}

/// A JSON Web Key. What it does not have is left out by the script.
#[derive(ToV8, Default)]
pub(crate) struct JwkToWrite {
    kty: &'static str,
    alg: Option<&'static str>,
    crv: Option<&'static str>,
    x: Option<String>,
    y: Option<String>,
    d: Option<String>,
    n: Option<String>,
    e: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

fn text(bytes: &[u8]) -> Option<String> {
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[op2]
pub(crate) fn op_crypto_key_write_jwk(#[cppgc] key: &NodeKey) -> Result<JwkToWrite, JsErrorBox> {
    let is_private = key.private_key().is_some();
    let key = key.pkey().ok_or_else(|| failed(FAILED))?;
    match key.id() {
        ffi::EVP_PKEY_RSA => Ok(rsa(key, is_private)),
        ffi::EVP_PKEY_EC => ec(key, is_private),
        ffi::EVP_PKEY_ED25519 => okp(key, "Ed25519", is_private),
        ffi::EVP_PKEY_X25519 => okp(key, "X25519", is_private),
        _ => Err(failed("JWK export is not implemented for this key type")),
    }
}

fn rsa(key: &PKey, is_private: bool) -> JwkToWrite {
    let rsa = ssl!(EVP_PKEY_get0_RSA(key.get()));
    let (mut n, mut e, mut d) = (ptr::null(), ptr::null(), ptr::null());
    ssl!(RSA_get0_key(rsa, &raw mut n, &raw mut e, &raw mut d));
    let of = |number| text(&number_bytes(number));
    let mut jwk = JwkToWrite { kty: "RSA", n: of(n), e: of(e), ..JwkToWrite::default() };
    if is_private {
        let (mut p, mut q) = (ptr::null(), ptr::null());
        let (mut dp, mut dq, mut qi) = (ptr::null(), ptr::null(), ptr::null());
        ssl!(RSA_get0_factors(rsa, &raw mut p, &raw mut q));
        ssl!(RSA_get0_crt_params(rsa, &raw mut dp, &raw mut dq, &raw mut qi));
        jwk = JwkToWrite { d: of(d), p: of(p), q: of(q), dp: of(dp), dq: of(dq), qi: of(qi), ..jwk };
    }
    jwk
}

fn ec(key: &PKey, is_private: bool) -> Result<JwkToWrite, JsErrorBox> {
    let crv = match curve_of(key) {
        Some("secp224r1") => "P-224",
        Some("prime256v1") => "P-256",
        Some("secp384r1") => "P-384",
        Some("secp521r1") => "P-521",
        _ => return Err(failed("EC JWK unsupported crv parameter")),
    };
    let ec = ssl!(EVP_PKEY_get0_EC_KEY(key.get()));
    let group = ssl!(EC_KEY_get0_group(ec));
    let length = (ssl!(EC_GROUP_get_degree(group)) as usize).div_ceil(8);
    let (x, y) = (super::ssl::number(&[])?, super::ssl::number(&[])?);
    let point = ssl!(EC_KEY_get0_public_key(ec));
    if point.is_null()
        || ssl!(EC_POINT_get_affine_coordinates(group, point, x.get(), y.get(), ptr::null_mut())) != 1
    {
        return Err(failed(FAILED));
    }
    let of = |number: *const ffi::BIGNUM| text(&padded_number(number, length));
    let d = is_private.then(|| of(ssl!(EC_KEY_get0_private_key(ec)))).flatten();
    Ok(JwkToWrite { kty: "EC", crv: Some(crv), x: of(x.get()), y: of(y.get()), d, ..JwkToWrite::default() })
}

fn okp(key: &PKey, crv: &'static str, is_private: bool) -> Result<JwkToWrite, JsErrorBox> {
    let raw = |is_private: bool| {
        let (mut bytes, mut length) = (vec![0; 32], 32);
        let read = if is_private {
            ssl!(EVP_PKEY_get_raw_private_key(key.get(), bytes.as_mut_ptr(), &raw mut length))
        } else {
            ssl!(EVP_PKEY_get_raw_public_key(key.get(), bytes.as_mut_ptr(), &raw mut length))
        };
        bytes.truncate(length);
        if read == 1 { Ok(text(&bytes)) } else { Err(failed(FAILED)) }
    };
    let d = if is_private { raw(true)? } else { None };
    let alg = (crv == "Ed25519").then_some("EdDSA");
    Ok(JwkToWrite { kty: "OKP", alg, crv: Some(crv), x: raw(false)?, d, ..JwkToWrite::default() })
}
