//! Ciphers that seal one piece as a whole, with a tag: ChaCha20-Poly1305 and what else BoringSSL has of their kind.

use std::ptr;

use deno_error::JsErrorBox;

use super::ssl::{Owned, failed, ffi, ssl};

/// The names of [`aead`], in the order in which Workers list them.
pub(super) const NAMES: &str = "aes-128-gcm-siv aes-256-gcm-siv aes-128-ctr-hmac-sha256 aes-256-ctr-hmac-sha256 \
    aes-128-ccm-bluetooth aes-128-ccm-bluetooth-8 aes-128-ccm-matter chacha20-poly1305 xchacha20-poly1305";

fn aead(name: &str) -> Option<*const ffi::EVP_AEAD> {
    Some(match name {
        "aes-128-gcm-siv" => ssl!(EVP_aead_aes_128_gcm_siv()),
        "aes-256-gcm-siv" => ssl!(EVP_aead_aes_256_gcm_siv()),
        "aes-128-ctr-hmac-sha256" => ssl!(EVP_aead_aes_128_ctr_hmac_sha256()),
        "aes-256-ctr-hmac-sha256" => ssl!(EVP_aead_aes_256_ctr_hmac_sha256()),
        "aes-128-ccm-bluetooth" => ssl!(EVP_aead_aes_128_ccm_bluetooth()),
        "aes-128-ccm-bluetooth-8" => ssl!(EVP_aead_aes_128_ccm_bluetooth_8()),
        "aes-128-ccm-matter" => ssl!(EVP_aead_aes_128_ccm_matter()),
        "chacha20-poly1305" => ssl!(EVP_aead_chacha20_poly1305()),
        "xchacha20-poly1305" => ssl!(EVP_aead_xchacha20_poly1305()),
        _ => return None,
    })
}

/// The lengths of such a cipher, and how else it is known.
pub(super) struct Lengths {
    pub(super) id: i32,
    /// The lengths in bytes.
    pub(super) nonce: u32,
    pub(super) key: u32,
    pub(super) mode: &'static str,
}

pub(super) fn information(name: &str) -> Option<Lengths> {
    let of = aead(name)?;
    let mode = ["gcm", "ccm", "ctr"].into_iter().find(|mode| name.contains(mode)).unwrap_or("stream");
    Some(Lengths {
        id: if name == "chacha20-poly1305" { ffi::NID_chacha20_poly1305 } else { 0 },
        nonce: u32::try_from(ssl!(EVP_AEAD_nonce_length(of))).unwrap_or_default(),
        key: u32::try_from(ssl!(EVP_AEAD_key_length(of))).unwrap_or_default(),
        mode,
    })
}

/// Seals or opens one piece.
pub(super) struct Sealer {
    context: Owned<ffi::EVP_AEAD_CTX>,
    encrypts: bool,
    nonce: Vec<u8>,
    aad: Vec<u8>,
    /// The length of tags in bytes.
    tag_length: usize,
    /// Whether tags may have the lengths that GCM allows.
    is_like_gcm: bool,
    tag: Option<Vec<u8>>,
    is_updated: bool,
    is_finished: bool,
}

impl Sealer {
    pub(super) fn new(
        name: &str,
        encrypts: bool,
        key: &[u8],
        nonce: &[u8],
        tag_length: Option<u32>,
    ) -> Result<Self, JsErrorBox> {
        let lower = name.to_ascii_lowercase();
        let of = aead(&lower).ok_or_else(|| failed(format!("Unknown or unsupported cipher: {name}")))?;
        if nonce.len() != ssl!(EVP_AEAD_nonce_length(of)) {
            return Err(failed("Invalid initialization vector"));
        }
        let most = ssl!(EVP_AEAD_max_tag_len(of));
        let length = tag_length.map_or(0, |length| length as usize);
        let context = Owned::new(ssl!(EVP_AEAD_CTX_new(of, key.as_ptr(), key.len(), length)))
            .ok_or_else(|| failed("Failed to initialize AEAD cipher/decipher context"))?;
        let has_usual_tag = lower == "chacha20-poly1305" || lower.ends_with("-siv");
        if tag_length.is_none() && !has_usual_tag {
            return Err(failed(format!("The auth tag length is required for cipher {name}")));
        }
        Ok(Self {
            context,
            encrypts,
            nonce: nonce.to_vec(),
            aad: Vec::new(),
            tag_length: if length == 0 { most } else { length },
            is_like_gcm: tag_length.is_none() && lower.ends_with("-siv"),
            tag: None,
            is_updated: false,
            is_finished: false,
        })
    }

    /// Fails if nothing can be done any more.
    pub(super) fn goes_on(&self) -> Result<(), JsErrorBox> {
        if self.is_finished {
            return Err(failed("Cipher/decipher context has already been finalized"));
        }
        Ok(())
    }

    /// Seals or opens `bytes`. Returns nothing if they are not what was sealed.
    pub(super) fn update(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, JsErrorBox> {
        if std::mem::replace(&mut self.is_updated, true) {
            return Err(failed("update() can only be invoked once on an AEAD"));
        }
        self.goes_on()?;
        let mut out = vec![0; bytes.len()];
        let (at, nonce, aad) = (self.context.get(), &self.nonce, &self.aad);
        if self.encrypts {
            let mut tag = vec![0; ffi::EVP_AEAD_MAX_OVERHEAD as usize];
            let mut length = 0;
            let sealed = ssl!(EVP_AEAD_CTX_seal_scatter(
                at,
                out.as_mut_ptr(),
                tag.as_mut_ptr(),
                &raw mut length,
                tag.len(),
                nonce.as_ptr(),
                nonce.len(),
                bytes.as_ptr(),
                bytes.len(),
                ptr::null(),
                0,
                aad.as_ptr(),
                aad.len(),
            ));
            if sealed != 1 {
                return Err(failed("Failed to encrypt"));
            }
            tag.truncate(length);
            self.tag = Some(tag);
            return Ok(Some(out));
        }
        let Some(tag) = &self.tag else { return Err(failed("No auth tag provided")) };
        let opened = ssl!(EVP_AEAD_CTX_open_gather(
            at,
            out.as_mut_ptr(),
            nonce.as_ptr(),
            nonce.len(),
            bytes.as_ptr(),
            bytes.len(),
            tag.as_ptr(),
            tag.len(),
            aad.as_ptr(),
            aad.len(),
        ));
        ssl!(ERR_clear_error());
        Ok((opened == 1).then_some(out))
    }

    pub(super) fn set_aad(&mut self, bytes: &[u8]) -> Result<(), JsErrorBox> {
        self.goes_on()?;
        self.aad = bytes.to_vec();
        Ok(())
    }

    pub(super) fn set_tag(&mut self, tag: &[u8]) -> Result<(), JsErrorBox> {
        self.goes_on()?;
        let fits = match self.is_like_gcm {
            true => matches!(tag.len(), 4 | 8 | 12..=16),
            false => tag.len() == self.tag_length,
        };
        if !fits {
            return Err(failed("Invalid authentication tag length"));
        }
        if self.tag.is_some() {
            return Err(failed("Auth tag is already set"));
        }
        self.tag = Some(tag.to_vec());
        Ok(())
    }

    /// Ends it. If there was no data, an empty piece is sealed, or opened: it has a tag, too, which would be compared with nothing.
    pub(super) fn finish(&mut self) -> Result<(), JsErrorBox> {
        self.goes_on()?;
        let last = if self.is_updated { Ok(Some(Vec::new())) } else { self.update(&[]) };
        self.is_finished = true;
        last?.map(drop).ok_or_else(|| failed("Authentication failed"))
    }

    /// Returns the tag, once, or nothing before the end.
    pub(super) fn take_tag(&mut self) -> Option<Vec<u8>> {
        self.is_finished.then(|| self.tag.take().unwrap_or_default())
    }
}
