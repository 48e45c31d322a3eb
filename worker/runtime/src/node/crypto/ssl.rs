//! AWS-LC, of which `deno_crypto` brings a copy: what the modules beside this one call, with owners that free what it allocates.
//! It descends from BoringSSL, which Workers have, so that it accepts and refuses what they do.

#![allow(unsafe_code, reason = "AWS-LC is a library of C")]

use std::ffi::CString;
use std::ptr::{self, NonNull};

use deno_error::JsErrorBox;

pub(super) use aws_lc_sys as ffi;

/// Calls a function of AWS-LC.
///
/// The modules of `node:crypto` keep these rules, on which every such call relies: a pointer comes from an [`Owned`] value, from a
/// slice, or from another call that says whose it is, and what it points to lives until the call has returned; a length is that of the
/// slice whose pointer goes before it; memory that AWS-LC takes over is released with [`Owned::release`].
macro_rules! ssl {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        #[allow(unsafe_code, unused_unsafe, clippy::macro_metavars_in_unsafe, reason = "AWS-LC is a library of C")]
        // SAFETY: the rules above.
        let result = unsafe { $crate::node::crypto::ssl::ffi::$function($($argument),*) };
        result
    }};
}
pub(super) use ssl;

/// Something that AWS-LC has allocated.
pub(super) trait Native {
    /// Calls the function of AWS-LC that frees values of this type; most only lower a count of owners.
    ///
    /// # Safety
    /// Nobody uses it any more.
    unsafe fn free(of: *mut Self);
}

macro_rules! native {
    ($($type:ident $free:ident),* $(,)?) => {
        $(impl Native for ffi::$type {
            unsafe fn free(of: *mut Self) {
                // SAFETY: the caller says that nobody uses it.
                unsafe { ffi::$free(of) };
            }
        })*
    };
}

native! {
    BIGNUM BN_clear_free, BN_CTX BN_CTX_free, BN_GENCB BN_GENCB_free, DH DH_free, EC_GROUP EC_GROUP_free, EC_KEY EC_KEY_free, EC_POINT EC_POINT_free,
    ECDSA_SIG ECDSA_SIG_free, EVP_AEAD_CTX EVP_AEAD_CTX_free, EVP_CIPHER_CTX EVP_CIPHER_CTX_free, EVP_MD_CTX EVP_MD_CTX_free,
    EVP_PKEY EVP_PKEY_free, EVP_PKEY_CTX EVP_PKEY_CTX_free, NETSCAPE_SPKI NETSCAPE_SPKI_free, RSA RSA_free, X509 X509_free,
    GENERAL_NAMES GENERAL_NAMES_free, AUTHORITY_INFO_ACCESS AUTHORITY_INFO_ACCESS_free, EXTENDED_KEY_USAGE EXTENDED_KEY_USAGE_free,
}

impl Native for ffi::BIO {
    unsafe fn free(of: *mut Self) {
        // SAFETY: the caller says that nobody uses it.
        unsafe { ffi::BIO_free(of) };
    }
}

/// Owns something that AWS-LC has allocated.
pub(super) struct Owned<T: Native>(NonNull<T>);

impl<T: Native> Owned<T> {
    /// Takes what a call has returned, which is null if the call has failed.
    pub(super) fn new(of: *mut T) -> Option<Self> {
        NonNull::new(of).map(Self)
    }

    pub(super) fn get(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Gives it to AWS-LC.
    pub(super) fn release(self) -> *mut T {
        let of = self.get();
        std::mem::forget(self);
        of
    }
}

impl<T: Native> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: this is the only owner.
        unsafe { T::free(self.get()) };
    }
}

/// A key, of which there are many owners: AWS-LC counts them, and changes none that has been made.
pub(super) struct PKey(Owned<ffi::EVP_PKEY>);

// SAFETY: nothing changes a key once it is made, and AWS-LC counts its owners atomically.
unsafe impl Send for PKey {}
// SAFETY: as above.
unsafe impl Sync for PKey {}

impl PKey {
    pub(super) fn new(of: *mut ffi::EVP_PKEY) -> Option<Self> {
        Owned::new(of).map(Self)
    }

    pub(super) fn get(&self) -> *mut ffi::EVP_PKEY {
        self.0.get()
    }

    /// Its algorithm, one of `EVP_PKEY_`.
    pub(super) fn id(&self) -> i32 {
        ssl!(EVP_PKEY_id(self.get()))
    }
}

impl Clone for PKey {
    fn clone(&self) -> Self {
        ssl!(EVP_PKEY_up_ref(self.get()));
        Self(Owned(self.0.0))
    }
}

/// Makes a key of one of RSA, EC or DH, which it takes over.
pub(super) fn key_of<T: Native>(
    part: Owned<T>,
    assign: impl FnOnce(*mut ffi::EVP_PKEY, *mut T) -> i32,
) -> Option<PKey> {
    let key = PKey::new(ssl!(EVP_PKEY_new()))?;
    if assign(key.get(), part.get()) != 1 {
        return None;
    }
    part.release();
    Some(key)
}

/// The failure of a call, in these words. What AWS-LC itself says is forgotten: the next call is not to find it.
pub(super) fn failed(message: impl Into<std::borrow::Cow<'static, str>>) -> JsErrorBox {
    ssl!(ERR_clear_error());
    JsErrorBox::generic(message)
}

/// Turns a result of 1, which tells of success, into a `Result`.
pub(super) fn done(result: i32, message: &'static str) -> Result<(), JsErrorBox> {
    if result == 1 { Ok(()) } else { Err(failed(message)) }
}

/// A text for C, none if it has a NUL in it.
pub(super) fn c_text(text: &str) -> Option<CString> {
    CString::new(text).ok()
}

/// Returns what a function of the family `i2d_` writes.
pub(super) fn encoded(write: impl Fn(*mut *mut u8) -> i32) -> Option<Vec<u8>> {
    let length = usize::try_from(write(ptr::null_mut())).ok()?;
    let mut bytes = vec![0; length];
    let mut at = bytes.as_mut_ptr();
    let written = usize::try_from(write(&raw mut at)).ok()?;
    (written == length && length > 0).then_some(bytes)
}

/// Returns what a function of the family `d2i_` reads, and how many bytes were left.
pub(super) fn decoded<T>(bytes: &[u8], read: impl FnOnce(*mut *const u8, i64) -> *mut T) -> (*mut T, usize) {
    let mut at = bytes.as_ptr();
    let length = bytes.len();
    let of = read(&raw mut at, i64::try_from(length).unwrap_or(i64::MAX));
    (of, length.saturating_sub((at as usize).wrapping_sub(bytes.as_ptr() as usize)))
}

/// A stream of AWS-LC in memory.
pub(super) struct Memory(Owned<ffi::BIO>);

impl Memory {
    /// An empty one, to write to.
    pub(super) fn new() -> Result<Self, JsErrorBox> {
        Owned::new(ssl!(BIO_new(ssl!(BIO_s_mem())))).map(Self).ok_or_else(|| failed("out of memory"))
    }

    /// One with a copy of these bytes, to read from.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, JsErrorBox> {
        let memory = Self::new()?;
        let length = i32::try_from(bytes.len()).map_err(|_| failed("The input is too long"))?;
        if length > 0 && ssl!(BIO_write(memory.get(), bytes.as_ptr().cast(), length)) != length {
            return Err(failed("out of memory"));
        }
        Ok(memory)
    }

    pub(super) fn get(&self) -> *mut ffi::BIO {
        self.0.get()
    }

    /// A copy of what was written and not read. None of it is taken out.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (mut contents, mut length) = (ptr::null(), 0);
        if ssl!(BIO_mem_contents(self.get(), &raw mut contents, &raw mut length)) != 1 || length == 0 {
            return Vec::new();
        }
        copied(contents, length)
    }

    /// The same as text. What is not UTF-8 in it is replaced.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Copies bytes of AWS-LC.
pub(super) fn copied(bytes: *const u8, length: usize) -> Vec<u8> {
    if bytes.is_null() || length == 0 {
        return Vec::new();
    }
    // SAFETY: by the rules of `ssl!`, there are so many bytes.
    unsafe { std::slice::from_raw_parts(bytes, length) }.to_vec()
}

/// Copies a text of AWS-LC that ends with NUL.
pub(super) fn copied_text(text: *const std::ffi::c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by the rules of `ssl!`, it ends with NUL.
    Some(unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Copies a text of AWS-LC that ends with NUL, and frees it.
pub(super) fn taken_text(text: *mut std::ffi::c_char) -> Option<String> {
    let copy = copied_text(text);
    ssl!(OPENSSL_free(text.cast()));
    copy
}

/// A number of any size.
pub(super) type Number = Owned<ffi::BIGNUM>;

/// Reads a number, the most significant byte first. Zeros at its start are left out: AWS-LC would keep them, and calculate with them.
pub(super) fn number(bytes: &[u8]) -> Result<Number, JsErrorBox> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[zeros..];
    Owned::new(ssl!(BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut())))
        .ok_or_else(|| failed("out of memory"))
}

/// Writes a number, the most significant byte first, in as few bytes as it needs.
pub(super) fn number_bytes(number: *const ffi::BIGNUM) -> Vec<u8> {
    padded_number(number, 0)
}

/// Writes a number in at least so many bytes.
pub(super) fn padded_number(number: *const ffi::BIGNUM, least: usize) -> Vec<u8> {
    if number.is_null() {
        return Vec::new();
    }
    let length = (ssl!(BN_num_bytes(number)) as usize).max(least);
    let mut bytes = vec![0; length];
    ssl!(BN_bn2bin_padded(bytes.as_mut_ptr(), length, number));
    bytes
}

/// A digest by its name, as Workers know it.
pub(super) fn digest(name: &str) -> Option<*const ffi::EVP_MD> {
    let lower = name.to_ascii_lowercase();
    Some(match lower.strip_prefix("rsa-").unwrap_or(&lower) {
        "md4" => ssl!(EVP_md4()),
        "md5" => ssl!(EVP_md5()),
        "md5-sha1" => ssl!(EVP_md5_sha1()),
        "sha1" | "dsa-sha" | "dsa-sha1" | "ecdsa-with-sha1" | "ssl3-sha1" | "sha-1" => ssl!(EVP_sha1()),
        "sha224" | "sha-224" => ssl!(EVP_sha224()),
        "sha256" | "sha-256" => ssl!(EVP_sha256()),
        "sha384" | "sha-384" => ssl!(EVP_sha384()),
        "sha512" | "sha-512" => ssl!(EVP_sha512()),
        "sha512-256" => ssl!(EVP_sha512_256()),
        _ => return None,
    })
}

/// The name of a curve, as `node:crypto` has it, none for those that Workers do not have.
pub(super) fn curve_name(id: i32) -> Option<&'static str> {
    Some(match id {
        ffi::NID_secp224r1 => "secp224r1",
        ffi::NID_X9_62_prime256v1 => "prime256v1",
        ffi::NID_secp384r1 => "secp384r1",
        ffi::NID_secp521r1 => "secp521r1",
        _ => return None,
    })
}

/// The curve of this name.
pub(super) fn curve_id(name: &str) -> Option<i32> {
    Some(match name {
        "secp224r1" => ffi::NID_secp224r1,
        "prime256v1" => ffi::NID_X9_62_prime256v1,
        "secp384r1" => ffi::NID_secp384r1,
        "secp521r1" => ffi::NID_secp521r1,
        _ => return None,
    })
}
