//! Prime numbers: `crypto.generatePrime` and `checkPrime`, on this thread, or on one of those for slow calculations.

use std::cell::RefCell;
use std::ffi::c_int;
use std::ptr;
use std::rc::Rc;

use deno_core::convert::Uint8Array;
use deno_core::{JsBuffer, OpState, op2};
use deno_error::JsErrorBox;

use super::ssl::{Owned, done, failed, ffi, number, padded_number, ssl};
use crate::requests::turns;

/// The most checks of a number: each makes a mistake four times less likely.
const MOST_CHECKS: i32 = 64;

/// The most bits of a number that is checked, or made: a prime of so many takes minutes.
const MOST_BITS: i32 = 1 << 20;

/// The largest number by which AWS-LC tries to divide.
const LARGEST_DIVISOR: u64 = 17_863;

/// The prime that is wanted.
struct WantedPrime {
    bits: i32,
    is_safe: bool,
    /// The prime is the second of these plus a multiple of the first; 1 plus, without a second one.
    add: Option<Vec<u8>>,
    rem: Option<Vec<u8>>,
}

/// Whether AWS-LC is to try another candidate. If `add` is nearly as large as the prime, it may try the same ones again and again.
#[allow(unsafe_code, reason = "AWS-LC calls it")]
unsafe extern "C" fn goes_on(event: c_int, count: c_int, callback: *mut ffi::BN_GENCB) -> c_int {
    // SAFETY: `make` passes this, which lives until its call has returned.
    let most = unsafe { *ssl!(BN_GENCB_get_arg(callback)).cast::<c_int>() };
    c_int::from(event != ffi::BN_GENCB_GENERATED || count < most)
}

impl WantedPrime {
    /// A number of candidates among which there is a prime, if there is any.
    fn most_candidates(&self) -> c_int {
        // One number in 0.7 times its bits is a prime, and among those, as few are safe ones.
        let bits = self.bits.clamp(32, 1 << 14);
        if self.is_safe { bits * bits * 4 } else { bits * 64 }
    }

    fn make(&self) -> Result<Vec<u8>, JsErrorBox> {
        let of = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(number).transpose();
        let (add, rem) = (of(&self.add)?, of(&self.rem)?);
        if let Some(add) = &add {
            // With others there is no such prime, or one alone, and the search would not end.
            let invalid = || JsErrorBox::range_error("Invalid values for add and rem");
            let rem = match &rem {
                Some(rem) => ssl!(BN_dup(rem.get())),
                None => number(&[1])?.release(),
            };
            let rem = Owned::new(rem).ok_or_else(invalid)?;
            let fits = ssl!(BN_is_zero(add.get())) == 0
                && ssl!(BN_num_bits(add.get())) <= self.bits.unsigned_abs()
                && ssl!(BN_cmp(add.get(), rem.get())) > 0;
            // AWS-LC wants the half of the prime before to have no small divisor either. With an odd divisor of `add`, by which the
            // prime leaves 0 or 1, or with an even `rem`, it would look for one for ever.
            let mut divisors = (3..=LARGEST_DIVISOR).step_by(2);
            let never = divisors
                .any(|by| ssl!(BN_mod_word(add.get(), by)) == 0 && ssl!(BN_mod_word(rem.get(), by)) <= 1);
            let is_even = ssl!(BN_mod_word(add.get(), 2)) == 0 && ssl!(BN_mod_word(rem.get(), 2)) == 0;
            // The halves of safe primes go up by the half of `add`, which is none if it is odd.
            let is_odd_for_safe = self.is_safe && ssl!(BN_mod_word(add.get(), 2)) == 1;
            if !fits || never || is_even || is_odd_for_safe {
                return Err(invalid());
            }
        }
        let none = "Error while generating prime";
        if self.bits > MOST_BITS {
            return Err(failed(none));
        }
        let at = |number: &Option<super::ssl::Number>| {
            number.as_ref().map_or(ptr::null(), |of| of.get().cast_const())
        };
        let prime = number(&[])?;
        let (add, rem) = (at(&add), at(&rem));
        let safe = i32::from(self.is_safe);
        let mut most = self.most_candidates();
        let callback = Owned::new(ssl!(BN_GENCB_new())).ok_or_else(|| failed(none))?;
        if !add.is_null() {
            ssl!(BN_GENCB_set(callback.get(), Some(goes_on), (&raw mut most).cast()));
        }
        let callback = if add.is_null() { ptr::null_mut() } else { callback.get() };
        done(ssl!(BN_generate_prime_ex(prime.get(), self.bits, safe, add, rem, callback)), none)?;
        let length = usize::try_from(self.bits).unwrap_or_default().div_ceil(8);
        Ok(padded_number(prime.get(), length))
    }
}

fn is_prime(bytes: &[u8], checks: i32) -> Result<bool, JsErrorBox> {
    if checks > MOST_CHECKS {
        return Err(JsErrorBox::range_error("Invalid number of checks"));
    }
    let candidate = number(bytes)?;
    if ssl!(BN_num_bits(candidate.get())) > MOST_BITS.unsigned_abs() {
        return Err(JsErrorBox::range_error("The candidate is too large"));
    }
    let context = Owned::new(ssl!(BN_CTX_new())).ok_or_else(|| failed("out of memory"))?;
    let checks = if checks == 0 { ffi::BN_prime_checks } else { checks };
    match ssl!(BN_is_prime_ex(candidate.get(), checks, context.get(), ptr::null_mut())) {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(failed("Error while checking prime")),
    }
}

/// Makes a prime on this thread.
#[op2]
pub(crate) fn op_crypto_prime(
    bits: i32,
    is_safe: bool,
    #[buffer] add: Option<&[u8]>,
    #[buffer] rem: Option<&[u8]>,
) -> Result<Uint8Array, JsErrorBox> {
    let [add, rem] = [add, rem].map(|bytes| bytes.map(<[u8]>::to_vec));
    WantedPrime { bits, is_safe, add, rem }.make().map(Into::into)
}

/// Makes a prime on another thread.
#[op2]
pub(crate) async fn op_crypto_prime_later(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
    bits: i32,
    is_safe: bool,
    #[buffer] add: Option<JsBuffer>,
    #[buffer] rem: Option<JsBuffer>,
) -> Result<Uint8Array, JsErrorBox> {
    let [add, rem] = [add, rem].map(|bytes| bytes.map(|bytes| bytes.to_vec()));
    let wanted = WantedPrime { bits, is_safe, add, rem };
    turns::run(state, request, move || wanted.make()).await?.map(Into::into)
}

/// Checks a number on this thread.
#[op2(fast)]
pub(crate) fn op_crypto_is_prime(#[buffer] candidate: &[u8], checks: i32) -> Result<bool, JsErrorBox> {
    is_prime(candidate, checks)
}

/// Checks a number on another thread.
#[op2]
pub(crate) async fn op_crypto_is_prime_later(
    state: Rc<RefCell<OpState>>,
    #[smi] request: u32,
    #[buffer] candidate: JsBuffer,
    checks: i32,
) -> Result<bool, JsErrorBox> {
    let candidate = candidate.to_vec();
    turns::run(state, request, move || is_prime(&candidate, checks)).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a prime of 32 bits.
    fn made(is_safe: bool, add: &[u8], rem: &[u8]) -> Result<Vec<u8>, String> {
        let wanted = WantedPrime { bits: 32, is_safe, add: Some(add.to_vec()), rem: Some(rem.to_vec()) };
        wanted.make().map_err(|error| error.to_string())
    }

    #[test]
    fn a_search_that_would_not_end_is_refused() {
        const INVALID: &str = "Invalid values for add and rem";
        // Each number is even, has a divisor, or follows one that has; the last ones are halves of 7, which is none.
        for (is_safe, add, rem) in [
            (false, &[8], &[2]),
            (false, &[9], &[3]),
            (false, &[9], &[1]),
            (true, &[7], &[6]),
            (true, &[1], &[0]),
        ] {
            assert_eq!(made(is_safe, add, rem).unwrap_err(), INVALID, "{add:?} {rem:?}");
        }
        // The search always begins at 2^31 + 3, and comes to the same number, which is none.
        assert_eq!(made(false, &[0x80, 0, 0, 0], &[3]).unwrap_err(), "Error while generating prime");
    }

    #[test]
    fn a_prime_leaves_the_remainder_that_is_wanted() {
        for is_safe in [false, true] {
            let prime = made(is_safe, &[12], &[11]).unwrap();
            let value = prime.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
            assert_eq!(value % 12, 11);
            assert!(is_prime(&prime, 0).unwrap());
            assert!(!is_safe || is_prime(&(value / 2).to_be_bytes(), 0).unwrap());
        }
    }
}
