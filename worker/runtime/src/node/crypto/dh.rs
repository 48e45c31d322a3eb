//! The numbers of Diffie and Hellman: the parameters, and the keys with them.

use std::ptr;

use deno_error::JsErrorBox;

use super::ssl::{Number, Owned, PKey, failed, ffi, key_of, number, ssl};

/// Returns the parameters with this prime and generator.
pub(super) fn parameters(prime: Number, generator: Number) -> Option<Owned<ffi::DH>> {
    let dh = Owned::new(ssl!(DH_new()))?;
    (ssl!(DH_set0_pqg(dh.get(), prime.release(), ptr::null_mut(), generator.release())) == 1).then_some(dh)
}

/// Returns the parameters of a group of RFC 3526, such as `modp14`.
pub(super) fn group(name: &str) -> Option<Owned<ffi::DH>> {
    let none = ptr::null_mut();
    let prime = match name.to_ascii_lowercase().as_str() {
        "modp5" => ssl!(BN_get_rfc3526_prime_1536(none)),
        "modp14" => ssl!(BN_get_rfc3526_prime_2048(none)),
        "modp15" => ssl!(BN_get_rfc3526_prime_3072(none)),
        "modp16" => ssl!(BN_get_rfc3526_prime_4096(none)),
        "modp17" => ssl!(BN_get_rfc3526_prime_6144(none)),
        "modp18" => ssl!(BN_get_rfc3526_prime_8192(none)),
        _ => return None,
    };
    parameters(Owned::new(prime)?, number(&[2]).ok()?)
}

/// The numbers of parameters: the prime and the generator. They belong to `dh`.
pub(super) fn numbers(dh: *const ffi::DH) -> (*const ffi::BIGNUM, *const ffi::BIGNUM) {
    let (mut p, mut q, mut g) = (ptr::null(), ptr::null(), ptr::null());
    ssl!(DH_get0_pqg(dh, &raw mut p, &raw mut q, &raw mut g));
    (p, g)
}

/// The keys: the public and the private one. They belong to `dh`.
pub(super) fn halves(dh: *const ffi::DH) -> (*const ffi::BIGNUM, *const ffi::BIGNUM) {
    let (mut public, mut private) = (ptr::null(), ptr::null());
    ssl!(DH_get0_key(dh, &raw mut public, &raw mut private));
    (public, private)
}

pub(super) fn copy(number: *const ffi::BIGNUM) -> Option<Number> {
    Owned::new(ssl!(BN_dup(number)))
}

/// Returns a key of DH without its private half.
pub(super) fn public_half(key: &PKey) -> Result<PKey, JsErrorBox> {
    let from = ssl!(EVP_PKEY_get0_DH(key.get()));
    let (p, g) = numbers(from);
    let half = || {
        let dh = parameters(copy(p)?, copy(g)?)?;
        let public = copy(halves(from).0)?;
        if ssl!(DH_set0_key(dh.get(), public.release(), ptr::null_mut())) != 1 {
            return None;
        }
        key_of(dh, |key, dh| ssl!(EVP_PKEY_assign_DH(key, dh)))
    };
    half().ok_or_else(|| failed("Failed to get public key"))
}
