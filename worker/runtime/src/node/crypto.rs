//! What `node:crypto` has besides digests, key derivation and random values, of which the sibling modules have the functions.
//!
//! The scripts are those of Workers (`third_party/workerd`), and so is what they call here, by what it takes, returns and throws. Beneath it
//! is AWS-LC. `js/node/crypto_host.js` is between them.
//!
//! - [`mod@ssl`], AWS-LC.
//! - [`key`], [`key_read`], [`key_write`], [`make`]: keys.
//! - [`cipher`], [`aead`]: ciphers.
//! - [`sign`], [`rsa`]: signatures, and encryption with RSA.
//! - [`exchange`], [`dh`], [`primes`]: exchanges of keys, and prime numbers.
//! - [`certificate`], [`names`]: certificates.

mod aead;
pub(crate) mod certificate;
pub(crate) mod cipher;
mod dh;
pub(crate) mod exchange;
pub(crate) mod key;
pub(crate) mod key_read;
pub(crate) mod key_write;
pub(crate) mod make;
mod names;
pub(crate) mod primes;
pub(crate) mod rsa;
pub(crate) mod sign;
mod ssl;
