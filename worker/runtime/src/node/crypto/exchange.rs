//! Diffie and Hellman's exchange of keys, with numbers and with curves: `crypto.createDiffieHellman`, `createECDH`, `diffieHellman`.

use std::cell::RefCell;
use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::op2;
use deno_error::JsErrorBox;

use super::super::native_memory::NativeMemory;
use super::dh::{copy, group, halves, numbers, parameters};
use super::key::NodeKey;
use super::ssl::{Owned, curve_id, done, failed, ffi, number, number_bytes, padded_number, ssl};

/// The longest prime that AWS-LC calculates with, in bits.
const MOST_BITS: u32 = 10_000;

/// About what the sides of an exchange take of the memory outside of V8's heap, in bytes.
const DH_MEMORY: usize = 4096;
const CURVE_MEMORY: usize = 1024;

/// One side of an exchange with numbers, owned by JavaScript.
pub(crate) struct Exchange {
    dh: RefCell<Owned<ffi::DH>>,
    /// What is wrong with the parameters, as the flags `DH_CHECK_` of BoringSSL: those of the generator differ from AWS-LC's.
    checked: i32,
    /// Counts the memory of the numbers.
    memory: NativeMemory,
}

untraced!(Exchange, c"DiffieHellmanHandle");

impl Exchange {
    /// Fails if the prime is none. That it is no safe one, or that the generator does not fit, is only told in `checked`.
    fn new(dh: Owned<ffi::DH>) -> Result<Self, JsErrorBox> {
        let mut flags = 0;
        let check = ssl!(DH_check(dh.get(), &raw mut flags));
        if check != 1 || flags & ffi::DH_CHECK_P_NOT_PRIME != 0 {
            return Err(failed("DiffieHellman init failed: Invalid DH prime generated"));
        }
        let checked = flags | generator_flags(dh.get());
        Ok(Self { dh: RefCell::new(dh), checked, memory: NativeMemory::of(DH_MEMORY) })
    }
}

/// What is to be said of a generator, as BoringSSL does: with these it can tell whether they make all numbers.
fn generator_flags(dh: *const ffi::DH) -> i32 {
    let (p, g) = numbers(dh);
    let fits = match ssl!(BN_get_word(g)) {
        2 => ssl!(BN_mod_word(p, 24)) == 11,
        5 => matches!(ssl!(BN_mod_word(p, 10)), 3 | 7),
        _ => return ffi::DH_CHECK_UNABLE_TO_CHECK_GENERATOR,
    };
    if fits { 0 } else { ffi::DH_CHECK_NOT_SUITABLE_GENERATOR }
}

#[op2]
#[cppgc]
pub(crate) fn op_crypto_dh_group(#[string] name: &str) -> Result<Exchange, JsErrorBox> {
    // Workers know those only; the older ones are too short.
    let known = group(name).filter(|_| !name.eq_ignore_ascii_case("modp5"));
    let dh = known.ok_or_else(|| {
        failed(
            "Failed to init DiffieHellmanGroup: invalid group. Only groups {modp14, modp15, modp16, modp17, modp18} are \
             supported.",
        )
    })?;
    // These primes are safe ones, which takes seconds to find out.
    let checked = ffi::DH_CHECK_NOT_SUITABLE_GENERATOR;
    Ok(Exchange { dh: RefCell::new(dh), checked, memory: NativeMemory::of(DH_MEMORY) })
}

/// Starts an exchange with new parameters, the prime of so many bits.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_dh_size(bits: i32, generator: i32) -> Result<Exchange, JsErrorBox> {
    let none = "DiffieHellman init failed: could not generate parameters";
    let dh = Owned::new(ssl!(DH_new())).ok_or_else(|| failed(none))?;
    if bits > i32::try_from(MOST_BITS).unwrap_or(i32::MAX) {
        return Err(failed(none));
    }
    done(ssl!(DH_generate_parameters_ex(dh.get(), bits, generator, ptr::null_mut())), none)?;
    Exchange::new(dh)
}

/// Starts an exchange with these parameters.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_dh(
    #[buffer] prime: &[u8],
    #[buffer] generator: &[u8],
) -> Result<Exchange, JsErrorBox> {
    if prime.is_empty() {
        return Err(failed("DiffieHellman init failed: invalid key"));
    }
    if prime.len() > MOST_BITS as usize / 8 {
        return Err(JsErrorBox::range_error("DiffieHellman init failed: key is too large"));
    }
    let generator = number(generator)?;
    if ssl!(BN_is_zero(generator.get())) == 1 {
        return Err(failed("DiffieHellman init failed: invalid generator"));
    }
    if ssl!(BN_num_bits(generator.get())) > MOST_BITS {
        return Err(failed("DiffieHellman init failed: invalid generator"));
    }
    let dh = parameters(number(prime)?, generator);
    Exchange::new(dh.ok_or_else(|| failed("DiffieHellman init failed: invalid parameters"))?)
}

/// What is wrong with the parameters, as flags.
#[op2(fast)]
pub(crate) fn op_crypto_dh_checked(#[cppgc] exchange: &Exchange) -> i32 {
    exchange.checked
}

/// Makes the keys that are not there yet, and returns the public one.
#[op2]
pub(crate) fn op_crypto_dh_generate(#[cppgc] exchange: &Exchange) -> Result<Uint8Array, JsErrorBox> {
    let dh = exchange.dh.borrow();
    done(ssl!(DH_generate_key(dh.get())), "Key generation failed")?;
    Ok(padded_number(halves(dh.get()).0, usize::try_from(ssl!(DH_size(dh.get()))).unwrap_or_default()).into())
}

/// Returns one of the numbers: `prime`, `generator`, `public` or `private`.
#[op2]
pub(crate) fn op_crypto_dh_number(
    #[cppgc] exchange: &Exchange,
    #[string] which: &str,
) -> Result<Uint8Array, JsErrorBox> {
    let dh = exchange.dh.borrow();
    let ((p, g), (public, private)) = (numbers(dh.get()), halves(dh.get()));
    let (number, missing) = match which {
        "prime" => (p, "p is null"),
        "generator" => (g, "g is null"),
        "public" => (public, "No public key"),
        _ => (private, "No private key"),
    };
    if number.is_null() { Err(failed(missing)) } else { Ok(number_bytes(number).into()) }
}

/// Sets one of the keys.
#[op2(fast)]
pub(crate) fn op_crypto_dh_set(
    #[cppgc] exchange: &Exchange,
    is_public: bool,
    #[buffer] bytes: &[u8],
) -> Result<(), JsErrorBox> {
    let dh = exchange.dh.borrow();
    let key = number(bytes)?.release();
    let (public, private) = if is_public { (key, ptr::null_mut()) } else { (ptr::null_mut(), key) };
    done(ssl!(DH_set0_key(dh.get(), public, private)), "Failed to set key")?;
    // Such a key has any length, whatever that of the prime is.
    let (public, private) = halves(dh.get());
    let lengths =
        [public, private].map(|key| if key.is_null() { 0 } else { ssl!(BN_num_bytes(key)) as usize });
    exchange.memory.set(DH_MEMORY + lengths.iter().sum::<usize>());
    Ok(())
}

#[op2]
pub(crate) fn op_crypto_dh_compute(
    #[cppgc] exchange: &Exchange,
    #[buffer] other: &[u8],
) -> Result<Uint8Array, JsErrorBox> {
    let dh = exchange.dh.borrow();
    if other.is_empty() {
        return Err(failed("DiffieHellman computeSecret() failed: invalid key"));
    }
    let key = number(other)?;
    let (p, _) = numbers(dh.get());
    let refused =
        |why| JsErrorBox::range_error(format!("DiffieHellman computeSecret() failed: Supplied key is {why}"));
    let one = number(&[1])?;
    if ssl!(BN_cmp(key.get(), one.get())) <= 0 {
        return Err(refused("too small"));
    }
    let limit = copy(p).ok_or_else(|| failed("out of memory"))?;
    ssl!(BN_sub_word(limit.get(), 1));
    if ssl!(BN_cmp(key.get(), limit.get())) >= 0 {
        return Err(refused("too large"));
    }
    shared(dh.get(), key.get())
        .map(Into::into)
        .ok_or_else(|| failed("DiffieHellman computeSecret() failed: error computing shared secret"))
}

/// The shared secret, as long as the prime.
fn shared(dh: *mut ffi::DH, other: *const ffi::BIGNUM) -> Option<Vec<u8>> {
    if halves(dh).1.is_null() || other.is_null() {
        return None;
    }
    let size = usize::try_from(ssl!(DH_size(dh))).ok()?;
    let mut out = vec![0; size];
    let length = usize::try_from(ssl!(DH_compute_key(out.as_mut_ptr(), other, dh))).ok()?;
    out.truncate(length);
    // It begins with zeros that the number does not have.
    Some([vec![0; size - length], out].concat())
}

/// Returns the secret that two keys share.
#[op2]
pub(crate) fn op_crypto_shared(
    #[cppgc] private: &NodeKey,
    #[cppgc] public: &NodeKey,
) -> Result<Uint8Array, JsErrorBox> {
    let none = || failed("Failed to derive shared diffie-hellman secret");
    let (private, public) = (private.private_key().ok_or_else(none)?, public.pkey().ok_or_else(none)?);
    if private.id() == ffi::EVP_PKEY_DH && public.id() == ffi::EVP_PKEY_DH {
        let (mine, theirs) = [private, public].map(|key| ssl!(EVP_PKEY_get0_DH(key.get()))).into();
        let ((p, g), (other_p, other_g)) = (numbers(mine), numbers(theirs));
        if ssl!(BN_cmp(p, other_p)) != 0 || ssl!(BN_cmp(g, other_g)) != 0 {
            return Err(none());
        }
        return shared(mine, halves(theirs).0).map(Into::into).ok_or_else(none);
    }
    let context = Owned::new(ssl!(EVP_PKEY_CTX_new(private.get(), ptr::null_mut()))).ok_or_else(none)?;
    let at = context.get();
    let mut length = 0;
    if ssl!(EVP_PKEY_derive_init(at)) != 1
        || ssl!(EVP_PKEY_derive_set_peer(at, public.get())) != 1
        || ssl!(EVP_PKEY_derive(at, ptr::null_mut(), &raw mut length)) != 1
    {
        return Err(none());
    }
    let mut out = vec![0; length];
    if ssl!(EVP_PKEY_derive(at, out.as_mut_ptr(), &raw mut length)) != 1 {
        return Err(none());
    }
    out.truncate(length);
    Ok(out.into())
}

/// One side of an exchange with a curve, owned by JavaScript.
pub(crate) struct CurveExchange {
    key: Owned<ffi::EC_KEY>,
    /// Counts the memory of the key.
    _memory: NativeMemory,
}

untraced!(CurveExchange, c"ECDHHandle");

#[op2]
#[cppgc]
pub(crate) fn op_crypto_ecdh(#[string] curve: &str) -> Result<CurveExchange, JsErrorBox> {
    if curve == "secp256k1" {
        return Err(failed("Failed to create key using named curve"));
    }
    let id = curve_id(curve).ok_or_else(|| failed("Invalid curve"))?;
    let key = Owned::new(ssl!(EC_KEY_new_by_curve_name(id)));
    key.map(|key| CurveExchange { key, _memory: NativeMemory::of(CURVE_MEMORY) })
        .ok_or_else(|| failed("Failed to create key using named curve"))
}

#[op2(fast)]
pub(crate) fn op_crypto_ecdh_generate(#[cppgc] exchange: &CurveExchange) -> Result<(), JsErrorBox> {
    done(ssl!(EC_KEY_generate_key(exchange.key.get())), "Failed to generate key")
}

/// Reads a point of a curve.
fn point_of(group: *const ffi::EC_GROUP, bytes: &[u8]) -> Result<Owned<ffi::EC_POINT>, JsErrorBox> {
    let point = Owned::new(ssl!(EC_POINT_new(group))).ok_or_else(|| failed("out of memory"))?;
    let read = ssl!(EC_POINT_oct2point(group, point.get(), bytes.as_ptr(), bytes.len(), ptr::null_mut()));
    done(read, "Failed to set point")?;
    if ssl!(EC_POINT_is_at_infinity(group, point.get())) == 1 {
        return Err(failed("Failed to set point"));
    }
    Ok(point)
}

/// Writes a point in the format `compressed`, `uncompressed` or `hybrid`.
fn point_bytes(
    group: *const ffi::EC_GROUP,
    point: *const ffi::EC_POINT,
    format: &str,
) -> Result<Vec<u8>, JsErrorBox> {
    use ffi::point_conversion_form_t as Form;
    let form = match format {
        "compressed" => Form::POINT_CONVERSION_COMPRESSED,
        "hybrid" => Form::POINT_CONVERSION_HYBRID,
        _ => Form::POINT_CONVERSION_UNCOMPRESSED,
    };
    let none = ptr::null_mut();
    let length = ssl!(EC_POINT_point2oct(group, point, form, ptr::null_mut(), 0, none));
    if length == 0 {
        return Err(failed("Failed to get public key length"));
    }
    let mut out = vec![0; length];
    let written = ssl!(EC_POINT_point2oct(group, point, form, out.as_mut_ptr(), length, none));
    if written == length { Ok(out) } else { Err(failed("Failed to get public key")) }
}

#[op2]
pub(crate) fn op_crypto_ecdh_public(
    #[cppgc] exchange: &CurveExchange,
    #[string] format: &str,
) -> Result<Uint8Array, JsErrorBox> {
    let key = exchange.key.get();
    let point = ssl!(EC_KEY_get0_public_key(key));
    if point.is_null() {
        return Err(failed("Failed to get ECDH public key"));
    }
    point_bytes(ssl!(EC_KEY_get0_group(key)), point, format).map(Into::into)
}

#[op2]
pub(crate) fn op_crypto_ecdh_private(#[cppgc] exchange: &CurveExchange) -> Result<Uint8Array, JsErrorBox> {
    let number = ssl!(EC_KEY_get0_private_key(exchange.key.get()));
    if number.is_null() {
        Err(failed("Failed to get ECDH private key"))
    } else {
        Ok(number_bytes(number).into())
    }
}

#[op2(fast)]
pub(crate) fn op_crypto_ecdh_set(
    #[cppgc] exchange: &CurveExchange,
    #[buffer] bytes: &[u8],
) -> Result<(), JsErrorBox> {
    let refused = || failed("Private key is not valid for specified curve.");
    let key = exchange.key.get();
    let group = ssl!(EC_KEY_get0_group(key));
    let private = number(bytes)?;
    let order = ssl!(EC_GROUP_get0_order(group));
    if ssl!(BN_is_zero(private.get())) == 1 || ssl!(BN_cmp(private.get(), order)) >= 0 {
        return Err(refused());
    }
    let point = Owned::new(ssl!(EC_POINT_new(group))).ok_or_else(refused)?;
    let none = ptr::null_mut();
    if ssl!(EC_POINT_mul(group, point.get(), private.get(), ptr::null(), ptr::null(), none)) != 1
        || ssl!(EC_KEY_set_private_key(key, private.get())) != 1
        || ssl!(EC_KEY_set_public_key(key, point.get())) != 1
    {
        return Err(refused());
    }
    Ok(())
}

#[op2]
pub(crate) fn op_crypto_ecdh_compute(
    #[cppgc] exchange: &CurveExchange,
    #[buffer] other: &[u8],
) -> Result<Uint8Array, JsErrorBox> {
    let key = exchange.key.get();
    if ssl!(EC_KEY_get0_private_key(key)).is_null() {
        return Err(failed("Invalid keypair"));
    }
    let group = ssl!(EC_KEY_get0_group(key));
    let point = point_of(group, other)?;
    let mut out = vec![0; (ssl!(EC_GROUP_get_degree(group)) as usize).div_ceil(8)];
    let computed = ssl!(ECDH_compute_key(out.as_mut_ptr().cast(), out.len(), point.get(), key, None));
    if usize::try_from(computed) != Ok(out.len()) {
        return Err(failed("Failed to compute ECDH key"));
    }
    Ok(out.into())
}

/// Converts a point to another format.
#[op2]
pub(crate) fn op_crypto_ecdh_convert(
    #[buffer] bytes: &[u8],
    #[string] curve: &str,
    #[string] format: &str,
) -> Result<Uint8Array, JsErrorBox> {
    let id = curve_id(curve).ok_or_else(|| failed("Invalid curve"))?;
    let group = Owned::new(ssl!(EC_GROUP_new_by_curve_name(id))).ok_or_else(|| failed("Invalid curve"))?;
    let point = point_of(group.get(), bytes)?;
    point_bytes(group.get(), point.get(), format).map(Into::into)
}
