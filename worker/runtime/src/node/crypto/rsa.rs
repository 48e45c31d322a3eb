//! Encryption with RSA: `crypto.publicEncrypt`, `privateDecrypt`, `privateEncrypt` and `publicDecrypt`.

use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::op2;
use deno_error::JsErrorBox;

use super::key::NodeKey;
use super::ssl::{Owned, digest, done, failed, ffi, ssl};

type Start = fn(*mut ffi::EVP_PKEY_CTX) -> i32;
type Run = fn(*mut ffi::EVP_PKEY_CTX, *mut u8, *mut usize, &[u8]) -> i32;

/// Encrypts or decrypts. `operation` is the name of the function of `node:crypto`.
#[op2]
pub(crate) fn op_crypto_rsa(
    #[string] operation: &str,
    #[cppgc] key: &NodeKey,
    #[buffer] bytes: &[u8],
    #[smi] padding: i32,
    #[string] hash: &str,
    #[buffer] label: Option<&[u8]>,
) -> Result<Uint8Array, JsErrorBox> {
    let only = || failed(format!("{operation}() currently only supports RSA keys"));
    let key = key.pkey().filter(|key| key.id() == ffi::EVP_PKEY_RSA).ok_or_else(only)?;
    let (start, run): (Start, Run) = match operation {
        "publicEncrypt" => (
            |at| ssl!(EVP_PKEY_encrypt_init(at)),
            |at, out, length, bytes| ssl!(EVP_PKEY_encrypt(at, out, length, bytes.as_ptr(), bytes.len())),
        ),
        "privateDecrypt" => (
            |at| ssl!(EVP_PKEY_decrypt_init(at)),
            |at, out, length, bytes| ssl!(EVP_PKEY_decrypt(at, out, length, bytes.as_ptr(), bytes.len())),
        ),
        "privateEncrypt" => (
            |at| ssl!(EVP_PKEY_sign_init(at)),
            |at, out, length, bytes| ssl!(EVP_PKEY_sign(at, out, length, bytes.as_ptr(), bytes.len())),
        ),
        _ => (
            |at| ssl!(EVP_PKEY_verify_recover_init(at)),
            |at, out, length, bytes| {
                ssl!(EVP_PKEY_verify_recover(at, out, length, bytes.as_ptr(), bytes.len()))
            },
        ),
    };
    let context = Owned::new(ssl!(EVP_PKEY_CTX_new(key.get(), ptr::null_mut())));
    let context = context.ok_or_else(|| failed("Failed to initialize cipher/decipher"))?;
    let at = context.get();
    done(start(at), "Failed to initialize cipher/decipher")?;
    done(ssl!(EVP_PKEY_CTX_set_rsa_padding(at, padding)), "Failed to set the padding")?;
    if padding == ffi::RSA_PKCS1_OAEP_PADDING {
        let md = digest(hash).ok_or_else(|| failed("Unsupported hash digest"))?;
        done(ssl!(EVP_PKEY_CTX_set_rsa_oaep_md(at, md)), "Failed to set the OAEP hash")?;
        if let Some(label) = label.filter(|label| !label.is_empty()) {
            let copy = ssl!(OPENSSL_memdup(label.as_ptr().cast(), label.len()));
            if copy.is_null() {
                return Err(failed("out of memory"));
            }
            if ssl!(EVP_PKEY_CTX_set0_rsa_oaep_label(at, copy.cast(), label.len())) != 1 {
                ssl!(OPENSSL_free(copy));
                return Err(failed("Failed to set the OAEP label"));
            }
        }
    }
    let mut out = vec![0; usize::try_from(ssl!(EVP_PKEY_size(key.get()))).unwrap_or_default()];
    let mut length = out.len();
    done(run(at, out.as_mut_ptr(), &raw mut length, bytes), "Failed to cipher/decipher")?;
    out.truncate(length);
    Ok(out.into())
}
