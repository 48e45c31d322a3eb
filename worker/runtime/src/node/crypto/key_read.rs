//! Reads keys: PEM and DER of PKCS #1, PKCS #8, SEC 1 and SPKI, of certificates, and JSON Web Keys.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::{FromV8, op2};
use deno_error::JsErrorBox;

use super::key::{NodeKey, curve_of, public_half, spki};
use super::ssl::{Memory, Owned, PKey, decoded, failed, ffi, key_of, number, ssl};

const PRIVATE: &str = "Failed to parse private key";
const PUBLIC: &str = "Failed to parse public key";

/// The passphrase for a key. Without one, AWS-LC is told that there is none: it would ask the terminal.
#[allow(unsafe_code, reason = "AWS-LC calls it")]
unsafe extern "C" fn give_passphrase(
    into: *mut c_char,
    room: c_int,
    _: c_int,
    passphrase: *mut c_void,
) -> c_int {
    // SAFETY: `read` passes this, which lives until its call has returned.
    let passphrase = unsafe { &*passphrase.cast::<Option<&[u8]>>() };
    match (passphrase, usize::try_from(room)) {
        (Some(passphrase), Ok(room)) if passphrase.len() <= room => {
            // SAFETY: there is room for it.
            unsafe { ptr::copy_nonoverlapping(passphrase.as_ptr().cast(), into, passphrase.len()) };
            c_int::try_from(passphrase.len()).unwrap_or(-1)
        }
        _ => -1,
    }
}

/// Calls a reader of AWS-LC that may ask for the passphrase.
fn read(
    bytes: &[u8],
    passphrase: Option<&[u8]>,
    reader: impl FnOnce(*mut ffi::BIO, ffi::pem_password_cb, *mut c_void) -> *mut ffi::EVP_PKEY,
) -> Option<PKey> {
    let memory = Memory::of(bytes).ok()?;
    PKey::new(reader(memory.get(), Some(give_passphrase), (&raw const passphrase).cast_mut().cast()))
}

/// Whether Workers can use such a key: they know no other algorithms and curves. A key of DSA may lack its parameters, where those are
/// of an issuer: AWS-LC reads through a null pointer when it is asked for them.
pub(super) fn is_known(key: &PKey) -> bool {
    match key.id() {
        ffi::EVP_PKEY_EC => curve_of(key).is_some(),
        ffi::EVP_PKEY_DSA => ssl!(EVP_PKEY_missing_parameters(key.get())) == 0,
        ffi::EVP_PKEY_RSA | ffi::EVP_PKEY_ED25519 | ffi::EVP_PKEY_X25519 => true,
        _ => false,
    }
}

fn private_key(bytes: &[u8], format: &str, kind: &str, passphrase: Option<&[u8]>) -> Option<PKey> {
    if format == "pem" {
        return read(bytes, passphrase, |memory, callback, at| {
            ssl!(PEM_read_bio_PrivateKey(memory, ptr::null_mut(), callback, at))
        });
    }
    match kind {
        "pkcs1" | "sec1" => {
            let (key, _) = decoded(bytes, |at, length| ssl!(d2i_AutoPrivateKey(ptr::null_mut(), at, length)));
            PKey::new(key)
        }
        _ => {
            let open = || {
                let (key, _) =
                    decoded(bytes, |at, length| ssl!(d2i_PKCS8_PRIV_KEY_INFO(ptr::null_mut(), at, length)));
                if key.is_null() {
                    return None;
                }
                let of = PKey::new(ssl!(EVP_PKCS82PKEY(key)));
                ssl!(PKCS8_PRIV_KEY_INFO_free(key));
                of
            };
            open().or_else(|| {
                passphrase?;
                read(bytes, passphrase, |memory, callback, at| {
                    ssl!(d2i_PKCS8PrivateKey_bio(memory, ptr::null_mut(), callback, at))
                })
            })
        }
    }
}

fn pkcs1_public(bytes: &[u8]) -> Option<PKey> {
    let (rsa, _) = decoded(bytes, |at, length| ssl!(d2i_RSAPublicKey(ptr::null_mut(), at, length)));
    key_of(Owned::new(rsa)?, |key, rsa| ssl!(EVP_PKEY_assign_RSA(key, rsa)))
}

/// The public key of a certificate in DER.
fn certified(bytes: &[u8]) -> Option<PKey> {
    let (certificate, _) = decoded(bytes, |at, length| ssl!(d2i_X509(ptr::null_mut(), at, length)));
    PKey::new(ssl!(X509_get_pubkey(Owned::new(certificate)?.get())))
}

/// What is in the first block of PEM with this label.
fn block(bytes: &[u8], label: &std::ffi::CStr) -> Option<Vec<u8>> {
    let memory = Memory::of(bytes).ok()?;
    let none: Option<&[u8]> = None;
    let (mut data, mut length) = (ptr::null_mut(), 0);
    let read = ssl!(PEM_bytes_read_bio(
        &raw mut data,
        &raw mut length,
        ptr::null_mut(),
        label.as_ptr(),
        memory.get(),
        Some(give_passphrase),
        (&raw const none).cast_mut().cast(),
    ));
    if read != 1 {
        return None;
    }
    let copy = super::ssl::copied(data, usize::try_from(length).unwrap_or_default());
    ssl!(OPENSSL_free(data.cast()));
    Some(copy)
}

fn public_key(bytes: &[u8], format: &str, kind: &str, passphrase: Option<&[u8]>) -> Option<PKey> {
    if format == "pem" {
        return (block(bytes, c"PUBLIC KEY").and_then(|der| spki(&der)))
            .or_else(|| block(bytes, c"RSA PUBLIC KEY").and_then(|der| pkcs1_public(&der)))
            .or_else(|| block(bytes, c"CERTIFICATE").and_then(|der| certified(&der)))
            .or_else(|| public_half(&private_key(bytes, "pem", "", passphrase)?).ok());
    }
    let half = |kind| public_half(&private_key(bytes, "der", kind, None)?).ok();
    match kind {
        "pkcs1" => pkcs1_public(bytes).or_else(|| half("pkcs1")),
        "" => pkcs1_public(bytes).or_else(|| spki(bytes)).or_else(|| half("pkcs8")),
        _ => spki(bytes),
    }
}

/// Reads a private key. `format` is `pem` or `der`, `kind` one of `pkcs1`, `pkcs8`, `sec1`.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_key_read_private(
    #[buffer] bytes: &[u8],
    #[string] format: &str,
    #[string] kind: &str,
    #[buffer] passphrase: Option<&[u8]>,
) -> Result<NodeKey, JsErrorBox> {
    let key = private_key(bytes, format, kind, passphrase).filter(is_known);
    key.map(NodeKey::private).ok_or_else(|| failed(PRIVATE))
}

/// Reads a public key, or the public half of a private one.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_key_read_public(
    #[buffer] bytes: &[u8],
    #[string] format: &str,
    #[string] kind: &str,
    #[buffer] passphrase: Option<&[u8]>,
) -> Result<NodeKey, JsErrorBox> {
    let key = public_key(bytes, format, kind, passphrase).filter(is_known);
    key.map(NodeKey::public).ok_or_else(|| failed(PUBLIC))
}

/// The members of a JSON Web Key, decoded.
#[derive(FromV8)]
pub(crate) struct JwkToRead {
    kty: Option<String>,
    crv: Option<String>,
    x: Option<Uint8Array>,
    y: Option<Uint8Array>,
    d: Option<Uint8Array>,
    n: Option<Uint8Array>,
    e: Option<Uint8Array>,
    p: Option<Uint8Array>,
    q: Option<Uint8Array>,
    dp: Option<Uint8Array>,
    dq: Option<Uint8Array>,
    qi: Option<Uint8Array>,
}

/// Reads a JSON Web Key.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_key_read_jwk(
    #[scoped] jwk: JwkToRead,
    is_private: bool,
) -> Result<NodeKey, JsErrorBox> {
    let key = match jwk.kty.as_deref() {
        Some("RSA") => rsa_of(&jwk, is_private),
        Some("EC") => ec_of(&jwk, is_private),
        Some("OKP") => okp_of(&jwk, is_private),
        _ => {
            let kind = if is_private { "private" } else { "public" };
            return Err(failed(format!("JWK {kind} key import is not implemented for this key type")));
        }
    }?;
    Ok(if is_private { NodeKey::private(key) } else { NodeKey::public(key) })
}

fn member<'a>(of: Option<&'a Uint8Array>, message: &'static str) -> Result<&'a [u8], JsErrorBox> {
    of.map(|bytes| &**bytes).ok_or_else(|| failed(message))
}

fn rsa_of(jwk: &JwkToRead, is_private: bool) -> Result<PKey, JsErrorBox> {
    let invalid = || failed("RSA JWK invalid key");
    let rsa = Owned::new(ssl!(RSA_new())).ok_or_else(invalid)?;
    let n = number(member(jwk.n.as_ref(), "RSA JWK missing n parameter")?)?;
    let e = number(member(jwk.e.as_ref(), "RSA JWK missing e parameter")?)?;
    let d = match is_private {
        true => number(member(jwk.d.as_ref(), "RSA JWK missing d parameter")?)?.release(),
        false => ptr::null_mut(),
    };
    if ssl!(RSA_set0_key(rsa.get(), n.release(), e.release(), d)) != 1 {
        return Err(invalid());
    }
    if is_private {
        let p = number(member(jwk.p.as_ref(), "RSA JWK missing p parameter")?)?;
        let q = number(member(jwk.q.as_ref(), "RSA JWK missing q parameter")?)?;
        let dp = number(member(jwk.dp.as_ref(), "RSA JWK missing dp parameter")?)?;
        let dq = number(member(jwk.dq.as_ref(), "RSA JWK missing dq parameter")?)?;
        let qi = number(member(jwk.qi.as_ref(), "RSA JWK missing qi parameter")?)?;
        if ssl!(RSA_set0_factors(rsa.get(), p.release(), q.release())) != 1
            || ssl!(RSA_set0_crt_params(rsa.get(), dp.release(), dq.release(), qi.release())) != 1
        {
            return Err(invalid());
        }
    }
    // Numbers that do not belong together are refused: calculations with them have no result, or one that tells of the key.
    if ssl!(RSA_check_key(rsa.get())) != 1 {
        return Err(invalid());
    }
    key_of(rsa, |key, rsa| ssl!(EVP_PKEY_assign_RSA(key, rsa))).ok_or_else(invalid)
}

fn ec_of(jwk: &JwkToRead, is_private: bool) -> Result<PKey, JsErrorBox> {
    let curve = match jwk.crv.as_deref() {
        Some("P-256") => ffi::NID_X9_62_prime256v1,
        Some("P-384") => ffi::NID_secp384r1,
        Some("P-521") => ffi::NID_secp521r1,
        Some(_) => return Err(failed("EC JWK unsupported crv parameter")),
        None => return Err(failed("EC JWK missing crv parameter")),
    };
    let x = number(member(jwk.x.as_ref(), "EC JWK missing x parameter")?)?;
    let y = number(member(jwk.y.as_ref(), "EC JWK missing y parameter")?)?;
    let invalid = || failed("EC JWK invalid public key");
    let ec = Owned::new(ssl!(EC_KEY_new_by_curve_name(curve))).ok_or_else(invalid)?;
    if ssl!(EC_KEY_set_public_key_affine_coordinates(ec.get(), x.get(), y.get())) != 1 {
        return Err(invalid());
    }
    if is_private {
        let d = number(member(jwk.d.as_ref(), "EC JWK missing d parameter")?)?;
        if ssl!(EC_KEY_set_private_key(ec.get(), d.get())) != 1 || ssl!(EC_KEY_check_key(ec.get())) != 1 {
            return Err(failed("EC JWK invalid private key"));
        }
    }
    key_of(ec, |key, ec| ssl!(EVP_PKEY_assign_EC_KEY(key, ec))).ok_or_else(invalid)
}

fn okp_of(jwk: &JwkToRead, is_private: bool) -> Result<PKey, JsErrorBox> {
    let id = match jwk.crv.as_deref() {
        Some("Ed25519") => ffi::EVP_PKEY_ED25519,
        Some("X25519") => ffi::EVP_PKEY_X25519,
        Some(_) => return Err(failed("OKP JWK unsupported crv parameter")),
        None => return Err(failed("OKP JWK missing crv parameter")),
    };
    let engine = ptr::null_mut();
    let key = if is_private {
        let d = member(jwk.d.as_ref(), "OKP JWK missing d parameter")?;
        ssl!(EVP_PKEY_new_raw_private_key(id, engine, d.as_ptr(), d.len()))
    } else {
        let x = member(jwk.x.as_ref(), "OKP JWK missing x parameter")?;
        ssl!(EVP_PKEY_new_raw_public_key(id, engine, x.as_ptr(), x.len()))
    };
    PKey::new(key).ok_or_else(|| failed("OKP JWK invalid key"))
}
