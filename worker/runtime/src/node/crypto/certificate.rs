//! Certificates: `crypto.X509Certificate`, and the older kind of requests for them, `crypto.Certificate`.

use std::fmt::Write as _;
use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::{ToV8, op2};
use deno_error::JsErrorBox;

use super::key::NodeKey;
use super::key_read::is_known;
use super::names::{digits, general, lines, object, parts};
use super::ssl::{Memory, Owned, PKey, c_text, decoded, encoded, failed, ffi, number_bytes, ssl, taken_text};
use crate::node::native_memory::NativeMemory;

/// What a certificate takes of the memory outside of V8's heap, as a multiple of its length in DER.
const SHARE: usize = 6;

/// A certificate, owned by JavaScript.
pub(crate) struct NodeCertificate {
    x509: Owned<ffi::X509>,
    /// Counts the certificate's memory.
    _memory: NativeMemory,
}

untraced!(NodeCertificate, c"X509CertificateHandle");

/// Reads a certificate in PEM or DER; none if it is no such thing.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_x509(#[buffer] bytes: &[u8]) -> Option<NodeCertificate> {
    let pem = || {
        let memory = Memory::of(bytes).ok()?;
        Owned::new(ssl!(PEM_read_bio_X509(
            memory.get(),
            ptr::null_mut(),
            Some(no_passphrase),
            ptr::null_mut()
        )))
    };
    let x509 = pem().or_else(|| {
        let (x509, _) = decoded(bytes, |at, length| ssl!(d2i_X509(ptr::null_mut(), at, length)));
        Owned::new(x509)
    });
    ssl!(ERR_clear_error());
    Some(NodeCertificate { x509: x509?, _memory: NativeMemory::of(bytes.len() * SHARE) })
}

/// Certificates have no passphrase. AWS-LC would ask the terminal for one.
#[allow(unsafe_code, reason = "AWS-LC calls it")]
unsafe extern "C" fn no_passphrase(
    _: *mut std::ffi::c_char,
    _: std::ffi::c_int,
    _: std::ffi::c_int,
    _: *mut std::ffi::c_void,
) -> std::ffi::c_int {
    -1
}

/// What a certificate tells of itself.
#[derive(ToV8)]
pub(crate) struct Contents {
    subject: Option<String>,
    subject_parts: Vec<Vec<String>>,
    subject_alt_name: Option<String>,
    issuer: Option<String>,
    issuer_parts: Vec<Vec<String>>,
    info_access: Option<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
    fingerprint: String,
    fingerprint256: String,
    fingerprint512: String,
    key_usage: Option<Vec<String>>,
    serial_number: Option<String>,
    pem: String,
    is_ca: bool,
    raw: Option<Uint8Array>,
}

#[op2]
pub(crate) fn op_crypto_x509_contents(#[cppgc] certificate: &NodeCertificate) -> Contents {
    let of = certificate.x509.get();
    let (subject, issuer) = (ssl!(X509_get_subject_name(of)), ssl!(X509_get_issuer_name(of)));
    let pairs = |name| parts(name).into_iter().map(|(key, value)| vec![key, value]).collect();
    let serial = ssl!(X509_get_serialNumber(of));
    let serial = Owned::new(ssl!(ASN1_INTEGER_to_BN(serial, ptr::null_mut())));
    let pem = Memory::new().ok().filter(|out| ssl!(PEM_write_bio_X509(out.get(), of)) == 1);
    Contents {
        subject: lines(subject),
        subject_parts: pairs(subject),
        subject_alt_name: alternatives(of),
        issuer: lines(issuer),
        issuer_parts: pairs(issuer),
        info_access: access(of),
        valid_from: time(ssl!(X509_get0_notBefore(of))),
        valid_to: time(ssl!(X509_get0_notAfter(of))),
        fingerprint: fingerprint(of, ssl!(EVP_sha1())),
        fingerprint256: fingerprint(of, ssl!(EVP_sha256())),
        fingerprint512: fingerprint(of, ssl!(EVP_sha512())),
        key_usage: usages(of),
        serial_number: serial.and_then(|number| digits(number.get())),
        pem: pem.map(|out| out.text()).unwrap_or_default(),
        is_ca: ssl!(X509_check_ca(of)) == 1,
        raw: encoded(|at| ssl!(i2d_X509(of, at))).map(Into::into),
    }
}

fn time(of: *const ffi::ASN1_TIME) -> Option<String> {
    let out = Memory::new().ok()?;
    (ssl!(ASN1_TIME_print(out.get(), of)) == 1).then(|| out.text())
}

fn fingerprint(of: *const ffi::X509, md: *const ffi::EVP_MD) -> String {
    let mut digest = [0; ffi::EVP_MAX_MD_SIZE as usize];
    let mut length = 0;
    ssl!(X509_digest(of, md, digest.as_mut_ptr(), &raw mut length));
    let pairs: Vec<_> = digest[..length as usize].iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// An extension of a certificate, none if it has none of them.
fn extension<T: super::ssl::Native>(of: *const ffi::X509, nid: i32) -> Option<Owned<T>> {
    Owned::new(ssl!(X509_get_ext_d2i(of, nid, ptr::null_mut(), ptr::null_mut())).cast())
}

/// The members of a list of AWS-LC.
fn members<T>(list: *const ffi::OPENSSL_STACK) -> impl Iterator<Item = *const T> {
    (0..ssl!(OPENSSL_sk_num(list))).map(move |at| ssl!(OPENSSL_sk_value(list, at)).cast_const().cast())
}

fn alternatives(of: *const ffi::X509) -> Option<String> {
    let list: Owned<ffi::GENERAL_NAMES> = extension(of, ffi::NID_subject_alt_name)?;
    let mut out = String::new();
    for (number, name) in members(list.get().cast()).enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        general(&mut out, name);
    }
    Some(out)
}

#[allow(unsafe_code, reason = "the structures of AWS-LC are those of C")]
fn access(of: *const ffi::X509) -> Option<String> {
    let list: Owned<ffi::AUTHORITY_INFO_ACCESS> = extension(of, ffi::NID_info_access)?;
    let mut out = String::new();
    for description in members::<ffi::ACCESS_DESCRIPTION>(list.get().cast()) {
        // SAFETY: it belongs to the list, which lives.
        let description = unsafe { &*description };
        let _ = write!(out, "{} - ", object(description.method, false).unwrap_or_default());
        general(&mut out, description.location);
        out.push('\n');
    }
    Some(out)
}

fn usages(of: *const ffi::X509) -> Option<Vec<String>> {
    let list: Owned<ffi::EXTENDED_KEY_USAGE> = extension(of, ffi::NID_ext_key_usage)?;
    Some(members(list.get().cast()).filter_map(|usage| object(usage, true)).collect())
}

/// Returns the key of a certificate, none if Workers do not know its kind.
#[op2]
#[cppgc]
pub(crate) fn op_crypto_x509_key(#[cppgc] certificate: &NodeCertificate) -> Option<NodeKey> {
    let key = PKey::new(ssl!(X509_get_pubkey(certificate.x509.get())));
    ssl!(ERR_clear_error());
    key.filter(is_known).map(NodeKey::public)
}

/// What the older form of certificates tells of a key.
#[derive(ToV8, Default)]
pub(crate) struct KeyContents {
    modulus: Option<String>,
    bits: Option<u32>,
    exponent: Option<String>,
    pubkey: Option<Uint8Array>,
    asn1_curve: Option<&'static str>,
    nist_curve: Option<&'static str>,
}

#[op2]
pub(crate) fn op_crypto_x509_key_contents(#[cppgc] key: &NodeKey) -> KeyContents {
    let Some(key) = key.pkey() else { return KeyContents::default() };
    match key.id() {
        ffi::EVP_PKEY_RSA => {
            let rsa = ssl!(EVP_PKEY_get0_RSA(key.get()));
            let (mut n, mut e, mut d) = (ptr::null(), ptr::null(), ptr::null());
            ssl!(RSA_get0_key(rsa, &raw mut n, &raw mut e, &raw mut d));
            let exponent = number_bytes(e).iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
            KeyContents {
                modulus: digits(n),
                bits: Some(ssl!(BN_num_bits(n))),
                exponent: Some(format!("{exponent:#x}")),
                pubkey: encoded(|at| ssl!(i2d_RSA_PUBKEY(rsa, at))).map(Into::into),
                ..KeyContents::default()
            }
        }
        ffi::EVP_PKEY_EC => {
            let ec = ssl!(EVP_PKEY_get0_EC_KEY(key.get()));
            let group = ssl!(EC_KEY_get0_group(ec));
            let curve = super::key::curve_of(key);
            let form = ffi::point_conversion_form_t::POINT_CONVERSION_UNCOMPRESSED;
            let point = ssl!(EC_KEY_get0_public_key(ec));
            let length = ssl!(EC_POINT_point2oct(group, point, form, ptr::null_mut(), 0, ptr::null_mut()));
            let mut bytes = vec![0; length];
            ssl!(EC_POINT_point2oct(group, point, form, bytes.as_mut_ptr(), length, ptr::null_mut()));
            KeyContents {
                bits: Some(ssl!(BN_num_bits(ssl!(EC_GROUP_get0_order(group))))),
                pubkey: Some(bytes.into()),
                asn1_curve: curve,
                nist_curve: match curve {
                    Some("secp224r1") => Some("P-224"),
                    Some("prime256v1") => Some("P-256"),
                    Some("secp384r1") => Some("P-384"),
                    Some("secp521r1") => Some("P-521"),
                    _ => None,
                },
                ..KeyContents::default()
            }
        }
        _ => KeyContents::default(),
    }
}

/// Returns the name in the certificate that fits a host, none if none does. `flags` are those of `X509_check_host`.
#[op2]
#[string]
pub(crate) fn op_crypto_x509_host(
    #[cppgc] certificate: &NodeCertificate,
    #[string] host: &str,
    flags: u32,
) -> Result<Option<String>, JsErrorBox> {
    let mut found = ptr::null_mut();
    let at = certificate.x509.get();
    // AWS-LC takes the first for a text that a NUL ends, wherever one is, and the second for all names below.
    if host.is_empty() || host.starts_with('.') {
        return Ok(None);
    }
    match ssl!(X509_check_host(at, host.as_ptr().cast(), host.len(), flags, &raw mut found)) {
        1 => Ok(taken_text(found).or_else(|| Some(host.to_owned()))),
        0 => Ok(None),
        _ => Err(failed("Invalid name")),
    }
}

/// Whether a certificate is for an address of mail (`email`) or of the network (`ip`).
#[op2(fast)]
pub(crate) fn op_crypto_x509_is_for(
    #[cppgc] certificate: &NodeCertificate,
    #[string] kind: &str,
    #[string] text: &str,
    flags: u32,
) -> Result<bool, JsErrorBox> {
    let at = certificate.x509.get();
    let result = if kind == "email" {
        // As for a host.
        if text.is_empty() {
            return Ok(false);
        }
        ssl!(X509_check_email(at, text.as_ptr().cast(), text.len(), flags))
    } else {
        let address = c_text(text).ok_or_else(|| failed("Invalid IP"))?;
        ssl!(X509_check_ip_asc(at, address.as_ptr(), flags))
    };
    match result {
        1 => Ok(true),
        0 => Ok(false),
        _ if kind == "email" => Err(failed("Invalid name")),
        _ => Err(failed("Invalid IP")),
    }
}

/// Whether the second certificate has issued the first one.
#[op2(fast)]
pub(crate) fn op_crypto_x509_is_issued(#[cppgc] of: &NodeCertificate, #[cppgc] by: &NodeCertificate) -> bool {
    ssl!(X509_check_issued(by.x509.get(), of.x509.get())) == 0
}

/// Whether this is the private key of a certificate.
#[op2(fast)]
pub(crate) fn op_crypto_x509_has_key(#[cppgc] certificate: &NodeCertificate, #[cppgc] key: &NodeKey) -> bool {
    let result = key.private_key().map(|key| ssl!(X509_check_private_key(certificate.x509.get(), key.get())));
    ssl!(ERR_clear_error());
    result == Some(1)
}

/// Whether a certificate was signed by the private half of this key.
#[op2(fast)]
pub(crate) fn op_crypto_x509_is_signed(
    #[cppgc] certificate: &NodeCertificate,
    #[cppgc] key: &NodeKey,
) -> bool {
    let result = key.pkey().map(|key| ssl!(X509_verify(certificate.x509.get(), key.get())));
    ssl!(ERR_clear_error());
    result == Some(1)
}

/// A request for a certificate in the form of Netscape.
fn request(bytes: &[u8]) -> Option<Owned<ffi::NETSCAPE_SPKI>> {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
    let bytes = &bytes[..=end];
    let length = i32::try_from(bytes.len()).ok()?;
    // AWS-LC reads the length from a NUL if it is not positive.
    if length == 0 {
        return None;
    }
    let request = ssl!(NETSCAPE_SPKI_b64_decode(bytes.as_ptr().cast(), length as ffi::ossl_ssize_t));
    ssl!(ERR_clear_error());
    Owned::new(request)
}

/// Whether a request was signed by its key.
#[op2(fast)]
pub(crate) fn op_crypto_spkac_verify(#[buffer] bytes: &[u8]) -> bool {
    let verify = || {
        let request = request(bytes)?;
        let key = PKey::new(ssl!(NETSCAPE_SPKI_get_pubkey(request.get())))?;
        Some(ssl!(NETSCAPE_SPKI_verify(request.get(), key.get())) == 1)
    };
    let is_signed = verify().unwrap_or_default();
    ssl!(ERR_clear_error());
    is_signed
}

/// The key of a request, in PEM.
#[op2]
pub(crate) fn op_crypto_spkac_key(#[buffer] bytes: &[u8]) -> Option<Uint8Array> {
    let request = request(bytes)?;
    let key = PKey::new(ssl!(NETSCAPE_SPKI_get_pubkey(request.get())))?;
    let out = Memory::new().ok()?;
    (ssl!(PEM_write_bio_PUBKEY(out.get(), key.get())) == 1).then(|| out.bytes().into())
}

/// What a request answers.
#[op2]
#[allow(unsafe_code, reason = "the structures of AWS-LC are those of C")]
pub(crate) fn op_crypto_spkac_challenge(#[buffer] bytes: &[u8]) -> Option<Uint8Array> {
    let request = request(bytes)?;
    // SAFETY: AWS-LC has read a request, which has all its parts, and which lives.
    let challenge = unsafe { (*(*request.get()).spkac).challenge };
    let mut text = ptr::null_mut();
    let length = usize::try_from(ssl!(ASN1_STRING_to_UTF8(&raw mut text, challenge))).ok()?;
    let copy = super::ssl::copied(text, length);
    ssl!(OPENSSL_free(text.cast()));
    Some(copy.into())
}
