//! Makes pairs of keys, on this thread, or on one of those for slow calculations.

use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;

use deno_core::{JsBuffer, OpState, op2};
use deno_error::JsErrorBox;

use super::dh::{group, parameters};
use super::key::{NodeKey, public_half};
use super::ssl::{Owned, PKey, curve_id, done, failed, ffi, key_of, number, ssl};
use crate::requests::turns;

/// The longest modulus of RSA that Workers make, in bits.
const MOST_BITS: u32 = 16384;

const FAILED: &str = "Failed to generate key";

/// What kind of key to make.
enum Kind {
    Rsa {
        bits: u32,
        exponent: u32,
    },
    Curve(String),
    Edwards(i32),
    /// The prime, the most significant byte first, and the generator.
    Dh(Vec<u8>, i32),
    Group(String),
}

impl Kind {
    /// The kind of this name: `rsa`, `ec`, `ed25519`, `x25519`, `dh` or `group`. The other arguments are those that it has.
    fn new(name: &str, text: &str, first: u32, second: u32, bytes: &[u8]) -> Self {
        match name {
            "rsa" => Self::Rsa { bits: first, exponent: second },
            "ec" => Self::Curve(text.to_owned()),
            "ed25519" => Self::Edwards(ffi::EVP_PKEY_ED25519),
            "x25519" => Self::Edwards(ffi::EVP_PKEY_X25519),
            "dh" => Self::Dh(bytes.to_vec(), i32::try_from(first).unwrap_or(i32::MAX)),
            _ => Self::Group(text.to_owned()),
        }
    }

    fn make(&self) -> Result<PKey, JsErrorBox> {
        match self {
            Self::Rsa { bits, exponent } => {
                if *bits > MOST_BITS {
                    let message = format!("RSA modulusLength exceeds maximum ({MOST_BITS})");
                    return Err(JsErrorBox::range_error(message));
                }
                // AWS-LC cannot make shorter ones.
                if *bits < 512 {
                    return Err(failed("Failed to set modulus length"));
                }
                // With such an exponent there is no key, and AWS-LC would look for one for ever.
                if *exponent < 3 || exponent.is_multiple_of(2) {
                    return Err(failed(FAILED));
                }
                let rsa = Owned::new(ssl!(RSA_new())).ok_or_else(|| failed(FAILED))?;
                let exponent = number(&exponent.to_be_bytes())?;
                let bits = i32::try_from(*bits).unwrap_or(i32::MAX);
                done(ssl!(RSA_generate_key_ex(rsa.get(), bits, exponent.get(), ptr::null_mut())), FAILED)?;
                key_of(rsa, |key, rsa| ssl!(EVP_PKEY_assign_RSA(key, rsa))).ok_or_else(|| failed(FAILED))
            }
            Self::Curve(name) => {
                let id = curve_id(name).or_else(|| nist(name)).ok_or_else(|| {
                    failed(match name.as_str() {
                        "secp256k1" => "Failed to initialize key",
                        _ => "Invalid or unsupported curve",
                    })
                })?;
                let ec = Owned::new(ssl!(EC_KEY_new_by_curve_name(id))).ok_or_else(|| failed(FAILED))?;
                done(ssl!(EC_KEY_generate_key(ec.get())), FAILED)?;
                key_of(ec, |key, ec| ssl!(EVP_PKEY_assign_EC_KEY(key, ec))).ok_or_else(|| failed(FAILED))
            }
            Self::Edwards(id) => {
                let context = Owned::new(ssl!(EVP_PKEY_CTX_new_id(*id, ptr::null_mut())));
                let context = context.ok_or_else(|| failed(FAILED))?;
                let mut key = ptr::null_mut();
                done(ssl!(EVP_PKEY_keygen_init(context.get())), FAILED)?;
                done(ssl!(EVP_PKEY_keygen(context.get(), &raw mut key)), FAILED)?;
                PKey::new(key).ok_or_else(|| failed(FAILED))
            }
            Self::Dh(prime, generator) => {
                let generator = number(&generator.to_be_bytes())?;
                let dh = parameters(number(prime)?, generator).ok_or_else(|| failed(FAILED))?;
                Self::dh(dh)
            }
            Self::Group(name) => {
                let dh = group(name).ok_or_else(|| failed("Invalid or unsupported group"))?;
                Self::dh(dh)
            }
        }
    }

    fn dh(dh: Owned<ffi::DH>) -> Result<PKey, JsErrorBox> {
        done(ssl!(DH_generate_key(dh.get())), FAILED)?;
        key_of(dh, |key, dh| ssl!(EVP_PKEY_assign_DH(key, dh))).ok_or_else(|| failed(FAILED))
    }
}

/// The curve with this name of NIST.
fn nist(name: &str) -> Option<i32> {
    curve_id(match name {
        "P-224" => "secp224r1",
        "P-256" => "prime256v1",
        "P-384" => "secp384r1",
        "P-521" => "secp521r1",
        _ => return None,
    })
}

/// Makes a private key on this thread.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_make(
    #[string] kind: &str,
    #[string] text: &str,
    first: u32,
    second: u32,
    #[buffer] bytes: &[u8],
) -> Result<NodeKey, JsErrorBox> {
    Kind::new(kind, text, first, second, bytes).make().map(NodeKey::private)
}

/// Makes a private key on another thread.
#[op2]
#[cppgc]
pub(crate) async fn op_crypto_make_later(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
    #[string] kind: String,
    #[string] text: String,
    first: u32,
    second: u32,
    #[buffer] bytes: JsBuffer,
) -> Result<NodeKey, JsErrorBox> {
    let kind = Kind::new(&kind, &text, first, second, &bytes);
    turns::run(state, request, move || kind.make()).await?.map(NodeKey::private)
}

/// Returns the public half of what was made.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_make_public(#[cppgc] key: &NodeKey) -> Result<NodeKey, JsErrorBox> {
    let key = key.private_key().ok_or_else(|| failed(FAILED))?;
    public_half(key).map(NodeKey::public)
}
