//! Signatures: `crypto.sign`, `verify`, `createSign` and `createVerify`.

use std::cell::RefCell;
use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::op2;
use deno_error::JsErrorBox;

use super::super::native_memory::NativeMemory;
use super::key::NodeKey;
use super::ssl::{Owned, PKey, digest, done, failed, ffi, number, padded_number, ssl};

/// How RSA pads, and how signatures of EC are written.
#[derive(Clone, Copy)]
struct Form {
    padding: Option<i32>,
    salt: Option<i32>,
    /// Whether a signature of EC is two numbers of the same length (IEEE P1363), not DER.
    is_p1363: bool,
}

/// A digest of what is signed, which grows, owned by JavaScript. It is none once it was used.
pub(crate) struct Digesting {
    /// The digest so far, and which it is.
    running: RefCell<Option<(Owned<ffi::EVP_MD_CTX>, *const ffi::EVP_MD)>>,
    /// Counts the memory of the digest.
    _memory: NativeMemory,
}

/// About what a digest takes of the memory outside of V8's heap, in bytes.
const DIGEST_MEMORY: usize = 512;

untraced!(Digesting, c"SignHandle");

fn digest_of(name: &str) -> Result<*const ffi::EVP_MD, JsErrorBox> {
    digest(name).ok_or_else(|| failed(format!("Unknown digest: {name}")))
}

#[op2]
#[cppgc]
pub(crate) fn op_crypto_sign_start(#[string] name: &str) -> Result<Digesting, JsErrorBox> {
    let md = digest_of(name)?;
    let context = Owned::new(ssl!(EVP_MD_CTX_new())).ok_or_else(|| failed("out of memory"))?;
    done(
        ssl!(EVP_DigestInit_ex(context.get(), md, ptr::null_mut())),
        "Failed to initialize signing context",
    )?;
    Ok(Digesting { running: RefCell::new(Some((context, md))), _memory: NativeMemory::of(DIGEST_MEMORY) })
}

/// Adds bytes. Returns `false` if the signature was already made.
#[op2(fast)]
pub(crate) fn op_crypto_sign_update(#[cppgc] digesting: &Digesting, #[buffer] bytes: &[u8]) -> bool {
    let digesting = digesting.running.borrow();
    let Some((context, _)) = &*digesting else { return false };
    ssl!(EVP_DigestUpdate(context.get(), bytes.as_ptr().cast(), bytes.len())) == 1
}

impl Digesting {
    /// Returns the digest, and which it is.
    fn finish(&self, message: &'static str) -> Result<(Vec<u8>, *const ffi::EVP_MD), JsErrorBox> {
        let (context, md) = self.running.take().ok_or_else(|| failed(message))?;
        let mut out = vec![0; ssl!(EVP_MD_size(md))];
        let mut length = 0;
        let finish = ssl!(EVP_DigestFinal_ex(context.get(), out.as_mut_ptr(), &raw mut length));
        done(finish, "Failed to finalize digest")?;
        Ok((out, md))
    }
}

/// Sets how RSA pads.
fn set_form(
    context: *mut ffi::EVP_PKEY_CTX,
    key: &PKey,
    form: Form,
    message: &'static str,
) -> Result<(), JsErrorBox> {
    if key.id() != ffi::EVP_PKEY_RSA {
        return Ok(());
    }
    let padding = form.padding.unwrap_or(ffi::RSA_PKCS1_PADDING);
    done(ssl!(EVP_PKEY_CTX_set_rsa_padding(context, padding)), message)?;
    if let (ffi::RSA_PKCS1_PSS_PADDING, Some(salt)) = (padding, form.salt) {
        done(ssl!(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt)), message)?;
    }
    Ok(())
}

/// The length of each number in a signature of EC.
fn half(key: &PKey) -> Option<usize> {
    if key.id() != ffi::EVP_PKEY_EC {
        return None;
    }
    let group = ssl!(EC_KEY_get0_group(ssl!(EVP_PKEY_get0_EC_KEY(key.get()))));
    Some((ssl!(BN_num_bits(ssl!(EC_GROUP_get0_order(group)))) as usize).div_ceil(8))
}

/// Converts a signature from DER.
fn to_p1363(key: &PKey, signature: Vec<u8>) -> Vec<u8> {
    let Some(half) = half(key) else { return signature };
    let Some(parsed) = Owned::new(ssl!(ECDSA_SIG_from_bytes(signature.as_ptr(), signature.len()))) else {
        return signature;
    };
    let (mut r, mut s) = (ptr::null(), ptr::null());
    ssl!(ECDSA_SIG_get0(parsed.get(), &raw mut r, &raw mut s));
    [padded_number(r, half), padded_number(s, half)].concat()
}

/// Converts a signature to DER; none if it has not the right length.
fn from_p1363(key: &PKey, signature: &[u8]) -> Option<Vec<u8>> {
    let Some(half) = half(key) else { return Some(signature.to_vec()) };
    if signature.len() != 2 * half {
        return None;
    }
    let (r, s) = signature.split_at(half);
    let parsed = Owned::new(ssl!(ECDSA_SIG_new()))?;
    if ssl!(ECDSA_SIG_set0(parsed.get(), number(r).ok()?.release(), number(s).ok()?.release())) != 1 {
        return None;
    }
    let (mut bytes, mut length) = (ptr::null_mut(), 0);
    if ssl!(ECDSA_SIG_to_bytes(&raw mut bytes, &raw mut length, parsed.get())) != 1 {
        return None;
    }
    let copy = super::ssl::copied(bytes, length);
    ssl!(OPENSSL_free(bytes.cast()));
    Some(copy)
}

fn refuse_dsa(key: &PKey, message: &'static str) -> Result<(), JsErrorBox> {
    if key.id() == ffi::EVP_PKEY_DSA { Err(failed(message)) } else { Ok(()) }
}

const NO_SIGNING: &str = "Signing with DSA keys is not currently supported";
const NO_VERIFYING: &str = "Verifying with DSA keys is not currently supported";
const NO_SIGNATURE: &str = "Failed to generate signature";

/// Signs what was added.
#[op2]
pub(crate) fn op_crypto_sign_finish(
    #[cppgc] digesting: &Digesting,
    #[cppgc] key: &NodeKey,
    padding: Option<i32>,
    salt: Option<i32>,
    is_p1363: bool,
) -> Result<Uint8Array, JsErrorBox> {
    let form = Form { padding, salt, is_p1363 };
    let key = key.private_key().ok_or_else(|| failed("Invalid key for sign operation"))?;
    refuse_dsa(key, NO_SIGNING)?;
    let (digest, md) = digesting.finish("Signing context has already been finalized")?;
    let context = Owned::new(ssl!(EVP_PKEY_CTX_new(key.get(), ptr::null_mut())));
    let context = context.ok_or_else(|| failed("Failed to initialize signing context"))?;
    let at = context.get();
    done(ssl!(EVP_PKEY_sign_init(at)), "Failed to initialize signing context")?;
    set_form(at, key, form, "Failed to set RSA parameters for signature")?;
    done(ssl!(EVP_PKEY_CTX_set_signature_md(at, md)), "Failed to set signature digest")?;
    let mut signature = vec![0; usize::try_from(ssl!(EVP_PKEY_size(key.get()))).unwrap_or_default()];
    let mut length = signature.len();
    let sign =
        ssl!(EVP_PKEY_sign(at, signature.as_mut_ptr(), &raw mut length, digest.as_ptr(), digest.len()));
    done(sign, NO_SIGNATURE)?;
    signature.truncate(length);
    Ok(if form.is_p1363 { to_p1363(key, signature) } else { signature }.into())
}

/// Returns whether this is a signature of what was added.
#[op2]
#[allow(clippy::too_many_arguments, reason = "they are those of Workers' own function")]
pub(crate) fn op_crypto_verify_finish(
    #[cppgc] digesting: &Digesting,
    #[cppgc] key: &NodeKey,
    #[buffer] signature: &[u8],
    padding: Option<i32>,
    salt: Option<i32>,
    is_p1363: bool,
) -> Result<bool, JsErrorBox> {
    let form = Form { padding, salt, is_p1363 };
    let key = key.pkey().ok_or_else(|| failed("Invalid key for verification operation"))?;
    refuse_dsa(key, NO_VERIFYING)?;
    let (digest, md) = digesting.finish("Verification context has already been finalized")?;
    let context = Owned::new(ssl!(EVP_PKEY_CTX_new(key.get(), ptr::null_mut())));
    let context = context.ok_or_else(|| failed("Failed to initialize verification context"))?;
    let at = context.get();
    if ssl!(EVP_PKEY_verify_init(at)) != 1 {
        return Err(failed("Failed to set digest context for signature verification"));
    }
    set_form(at, key, form, "Failed to set RSA parameters for signature")?;
    if ssl!(EVP_PKEY_CTX_set_signature_md(at, md)) != 1 {
        return Err(failed("Unsupported operation for this key"));
    }
    let converted = if form.is_p1363 { from_p1363(key, signature) } else { Some(signature.to_vec()) };
    let Some(signature) = converted else { return Ok(false) };
    let verify =
        ssl!(EVP_PKEY_verify(at, signature.as_ptr(), signature.len(), digest.as_ptr(), digest.len()));
    ssl!(ERR_clear_error());
    Ok(verify == 1)
}

/// Signs `data`. `name` is that of a digest; none for keys that have their own, as Ed25519 has.
#[op2]
#[allow(clippy::too_many_arguments, reason = "they are those of Workers' own function")]
pub(crate) fn op_crypto_sign(
    #[cppgc] key: &NodeKey,
    #[string] name: Option<String>,
    #[buffer] data: &[u8],
    padding: Option<i32>,
    salt: Option<i32>,
    is_p1363: bool,
) -> Result<Uint8Array, JsErrorBox> {
    let form = Form { padding, salt, is_p1363 };
    let key = key.private_key().ok_or_else(|| failed("Invalid key for sign operation"))?;
    refuse_dsa(key, NO_SIGNING)?;
    let md = name.as_deref().map(digest_of).transpose()?.unwrap_or(ptr::null());
    let context = Owned::new(ssl!(EVP_MD_CTX_new())).ok_or_else(|| failed("out of memory"))?;
    let mut inner = ptr::null_mut();
    let start = ssl!(EVP_DigestSignInit(context.get(), &raw mut inner, md, ptr::null_mut(), key.get()));
    done(start, "Failed to initialize signing context")?;
    set_form(inner, key, form, "Failed to set RSA parameters for signature")?;
    let mut signature = vec![0; usize::try_from(ssl!(EVP_PKEY_size(key.get()))).unwrap_or_default()];
    let mut length = signature.len();
    let sign = ssl!(EVP_DigestSign(
        context.get(),
        signature.as_mut_ptr(),
        &raw mut length,
        data.as_ptr(),
        data.len()
    ));
    done(sign, NO_SIGNATURE)?;
    signature.truncate(length);
    Ok(if form.is_p1363 { to_p1363(key, signature) } else { signature }.into())
}

/// Returns whether this is a signature of `data`, with a digest as for [`op_crypto_sign`].
#[op2]
#[allow(clippy::too_many_arguments, reason = "they are those of Workers' own function")]
pub(crate) fn op_crypto_verify(
    #[cppgc] key: &NodeKey,
    #[string] name: Option<String>,
    #[buffer] data: &[u8],
    #[buffer] signature: &[u8],
    padding: Option<i32>,
    salt: Option<i32>,
    is_p1363: bool,
) -> Result<bool, JsErrorBox> {
    let form = Form { padding, salt, is_p1363 };
    let key = key.pkey().ok_or_else(|| failed("Invalid key for verification operation"))?;
    refuse_dsa(key, NO_VERIFYING)?;
    let md = name.as_deref().map(digest_of).transpose()?.unwrap_or(ptr::null());
    let context = Owned::new(ssl!(EVP_MD_CTX_new())).ok_or_else(|| failed("out of memory"))?;
    let mut inner = ptr::null_mut();
    let start = ssl!(EVP_DigestVerifyInit(context.get(), &raw mut inner, md, ptr::null_mut(), key.get()));
    done(start, "Failed to initialize verification context")?;
    set_form(inner, key, form, "Failed to set RSA parameters for signature")?;
    let converted = if form.is_p1363 { from_p1363(key, signature) } else { Some(signature.to_vec()) };
    let Some(signature) = converted else { return Ok(false) };
    let verify =
        ssl!(EVP_DigestVerify(context.get(), signature.as_ptr(), signature.len(), data.as_ptr(), data.len()));
    ssl!(ERR_clear_error());
    Ok(verify == 1)
}
