//! Ciphers: `crypto.createCipheriv`, `createDecipheriv`, `getCipherInfo`. Those with a tag that Workers encrypt in one piece are in
//! [`super::aead`].

use std::cell::RefCell;
use std::ptr;

use deno_core::convert::Uint8Array;
use deno_core::{ToV8, op2};
use deno_error::JsErrorBox;

use super::super::native_memory::NativeMemory;
use super::aead::{self, Sealer};
use super::key::NodeKey;
use super::ssl::{Owned, copied_text, done, failed, ffi, ssl};

const FINISHED: &str = "Cipher/decipher context has already been finalized";
const NO_TAG: &str = "Cipher does not support authenticated mode";
const TAG_LENGTH: &str = "Invalid authentication tag length";

/// The length of a whole tag of GCM.
const GCM_TAG: usize = 16;

/// Returns the cipher of this name that works piece by piece.
fn cipher(name: &str) -> Option<*const ffi::EVP_CIPHER> {
    Some(match name.to_ascii_lowercase().as_str() {
        "aes-128-cbc" => ssl!(EVP_aes_128_cbc()),
        "aes-192-cbc" => ssl!(EVP_aes_192_cbc()),
        "aes-256-cbc" => ssl!(EVP_aes_256_cbc()),
        "aes-128-ctr" => ssl!(EVP_aes_128_ctr()),
        "aes-192-ctr" => ssl!(EVP_aes_192_ctr()),
        "aes-256-ctr" => ssl!(EVP_aes_256_ctr()),
        "aes-128-ecb" => ssl!(EVP_aes_128_ecb()),
        "aes-192-ecb" => ssl!(EVP_aes_192_ecb()),
        "aes-256-ecb" => ssl!(EVP_aes_256_ecb()),
        "aes-128-ofb" => ssl!(EVP_aes_128_ofb()),
        "aes-192-ofb" => ssl!(EVP_aes_192_ofb()),
        "aes-256-ofb" => ssl!(EVP_aes_256_ofb()),
        "aes-128-gcm" => ssl!(EVP_aes_128_gcm()),
        "aes-192-gcm" => ssl!(EVP_aes_192_gcm()),
        "aes-256-gcm" => ssl!(EVP_aes_256_gcm()),
        "des-cbc" => ssl!(EVP_des_cbc()),
        "des-ecb" => ssl!(EVP_des_ecb()),
        "des-ede" => ssl!(EVP_des_ede()),
        "des-ede-cbc" => ssl!(EVP_des_ede_cbc()),
        "des-ede3-cbc" => ssl!(EVP_des_ede3_cbc()),
        "rc2-cbc" => ssl!(EVP_rc2_cbc()),
        "rc4" => ssl!(EVP_rc4()),
        _ => return None,
    })
}

/// The names of [`cipher`], in the order in which Workers list them.
const NAMES: &str = "aes-128-cbc aes-192-cbc aes-256-cbc aes-128-ctr aes-192-ctr aes-256-ctr aes-128-ecb aes-192-ecb aes-256-ecb \
    aes-128-ofb aes-192-ofb aes-256-ofb aes-128-gcm aes-192-gcm aes-256-gcm des-cbc des-ecb des-ede des-ede-cbc des-ede3-cbc \
    rc2-cbc rc4";

/// Returns the cipher with which to protect a key.
pub(super) fn cipher_for_keys(name: &str) -> Option<*const ffi::EVP_CIPHER> {
    cipher(name)
}

/// The names of all ciphers.
#[op2]
pub(crate) fn op_crypto_ciphers() -> Vec<String> {
    let names = || NAMES.split_whitespace();
    let all = names().map(str::to_ascii_uppercase).chain(names().map(str::to_owned));
    all.chain(aead::NAMES.split_whitespace().map(str::to_owned)).collect()
}

/// What there is to know of a cipher.
#[derive(ToV8)]
pub(crate) struct Information {
    name: String,
    nid: i32,
    block_size: u32,
    iv_length: u32,
    key_length: u32,
    mode: &'static str,
}

/// Returns what there is to know of a cipher, none if there is no such cipher, or it has no keys or vectors of these lengths.
/// `id` is used where the name is empty.
#[op2]
pub(crate) fn op_crypto_cipher_info(
    #[string] name: &str,
    #[smi] id: i32,
    key_length: Option<u32>,
    iv_length: Option<u32>,
) -> Option<Information> {
    let by_id = |id| {
        NAMES.split_whitespace().find_map(|name| cipher(name).filter(|of| ssl!(EVP_CIPHER_nid(*of)) == id))
    };
    let Some(of) = (if name.is_empty() { by_id(id) } else { cipher(name) }) else {
        let found = aead::information(&name.to_ascii_lowercase())?;
        return Some(Information {
            name: name.to_ascii_lowercase(),
            nid: found.id,
            block_size: 1,
            iv_length: found.nonce,
            key_length: found.key,
            mode: found.mode,
        });
    };
    let nid = ssl!(EVP_CIPHER_nid(of));
    let mode = match i32::try_from(ssl!(EVP_CIPHER_mode(of))).unwrap_or_default() {
        ffi::EVP_CIPH_ECB_MODE => "ecb",
        ffi::EVP_CIPH_CBC_MODE => "cbc",
        ffi::EVP_CIPH_OFB_MODE => "ofb",
        ffi::EVP_CIPH_CTR_MODE => "ctr",
        ffi::EVP_CIPH_GCM_MODE => "gcm",
        _ => "stream",
    };
    let (key, iv) = (ssl!(EVP_CIPHER_key_length(of)), ssl!(EVP_CIPHER_iv_length(of)));
    let takes_any_iv = mode == "gcm" && iv_length.is_some_and(|length| length > 0);
    if key_length.is_some_and(|length| length != key)
        || iv_length.is_some_and(|length| length != iv && !takes_any_iv)
    {
        return None;
    }
    Some(Information {
        name: copied_text(ssl!(OBJ_nid2sn(nid))).unwrap_or_default(),
        nid,
        block_size: ssl!(EVP_CIPHER_block_size(of)),
        iv_length: if takes_any_iv { iv_length.unwrap_or(iv) } else { iv },
        key_length: key,
        mode,
    })
}

/// A cipher that works piece by piece.
struct PieceCipher {
    context: Owned<ffi::EVP_CIPHER_CTX>,
    encrypts: bool,
    is_gcm: bool,
    /// How long the tag has to be, if the app has said so.
    tag_length: Option<usize>,
    /// The tag: that to compare with, or that which was computed.
    tag: Option<Vec<u8>>,
    /// Whether the context knows the tag to compare with.
    is_tag_passed: bool,
    /// Whether there was data: what is authenticated only goes before it.
    has_data: bool,
    is_finished: bool,
}

impl PieceCipher {
    fn new(
        of: *const ffi::EVP_CIPHER,
        encrypts: bool,
        key: &[u8],
        iv: &[u8],
        tag_length: Option<u32>,
    ) -> Result<Self, JsErrorBox> {
        let is_gcm = ssl!(EVP_CIPHER_mode(of)) == ffi::EVP_CIPH_GCM_MODE as u32;
        let wanted = ssl!(EVP_CIPHER_iv_length(of)) as usize;
        let fits = if is_gcm { !iv.is_empty() } else { iv.len() == wanted };
        if !fits {
            return Err(failed("Invalid initialization vector"));
        }
        let tag_length = tag_length.map(|length| length as usize).filter(|_| is_gcm);
        if tag_length.is_some_and(|length| !is_tag_length(length)) {
            return Err(failed(TAG_LENGTH));
        }
        let context = Owned::new(ssl!(EVP_CIPHER_CTX_new())).ok_or_else(|| failed("out of memory"))?;
        let (at, mode) = (context.get(), i32::from(encrypts));
        let start = "Failed to initialize cipher/decipher context";
        done(ssl!(EVP_CipherInit_ex(at, of, ptr::null_mut(), ptr::null(), ptr::null(), mode)), start)?;
        let set = |command, length: usize| {
            let length = i32::try_from(length).unwrap_or(i32::MAX);
            ssl!(EVP_CIPHER_CTX_ctrl(at, command, length, ptr::null_mut()))
        };
        if is_gcm {
            done(set(ffi::EVP_CTRL_AEAD_SET_IVLEN, iv.len()), "Invalid initialization vector")?;
        }
        let key_length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        if key_length != ssl!(EVP_CIPHER_key_length(of)) {
            done(ssl!(EVP_CIPHER_CTX_set_key_length(at, key_length)), "Invalid key length")?;
        }
        let iv = if iv.is_empty() { ptr::null() } else { iv.as_ptr() };
        done(ssl!(EVP_CipherInit_ex(at, ptr::null(), ptr::null_mut(), key.as_ptr(), iv, mode)), start)?;
        Ok(Self {
            context,
            encrypts,
            is_gcm,
            tag_length,
            tag: None,
            is_tag_passed: false,
            has_data: false,
            is_finished: false,
        })
    }

    /// Fails if nothing can be done any more.
    fn goes_on(&self) -> Result<(), JsErrorBox> {
        if self.is_finished { Err(failed(FINISHED)) } else { Ok(()) }
    }

    /// Tells the context the tag to compare with.
    fn pass_tag(&mut self) -> Result<(), JsErrorBox> {
        if self.encrypts || self.is_tag_passed {
            return Ok(());
        }
        if let Some(tag) = &mut self.tag {
            self.is_tag_passed = true;
            let length = i32::try_from(tag.len()).unwrap_or_default();
            let set = ffi::EVP_CTRL_AEAD_SET_TAG;
            done(
                ssl!(EVP_CIPHER_CTX_ctrl(self.context.get(), set, length, tag.as_mut_ptr().cast())),
                "Failed to set auth tag",
            )?;
        }
        Ok(())
    }

    /// Writes `bytes` to the context, as data or as more data that is authenticated only.
    fn put(&mut self, bytes: &[u8], is_data: bool) -> Result<Vec<u8>, JsErrorBox> {
        // A block more than was put in may come out.
        let room = if is_data { bytes.len() + 2 * ffi::EVP_MAX_BLOCK_LENGTH as usize } else { 0 };
        let mut out = vec![0; room];
        let mut total = 0;
        // The lengths of AWS-LC are of 31 bits.
        for piece in bytes.chunks(1 << 30) {
            let at = if is_data { out[total..].as_mut_ptr() } else { ptr::null_mut() };
            let length = i32::try_from(piece.len()).unwrap_or_default();
            let mut written = 0;
            let put =
                ssl!(EVP_CipherUpdate(self.context.get(), at, &raw mut written, piece.as_ptr(), length));
            done(put, if is_data { "Failed to update cipher/decipher" } else { "Failed to set AAD" })?;
            total += usize::try_from(written).unwrap_or_default();
        }
        out.truncate(if is_data { total } else { 0 });
        Ok(out)
    }

    fn update(&mut self, bytes: &[u8]) -> Result<Vec<u8>, JsErrorBox> {
        self.goes_on()?;
        self.pass_tag()?;
        self.has_data |= !bytes.is_empty();
        self.put(bytes, true)
    }

    fn set_aad(&mut self, bytes: &[u8]) -> Result<(), JsErrorBox> {
        self.goes_on()?;
        if !self.is_gcm {
            return Err(failed(NO_TAG));
        }
        // AWS-LC would have the cipher fail from then on.
        if self.has_data {
            return Err(failed("Failed to set AAD"));
        }
        self.pass_tag()?;
        self.put(bytes, false).map(drop)
    }

    fn finish(&mut self) -> Result<Vec<u8>, JsErrorBox> {
        self.goes_on()?;
        if self.is_gcm && !self.encrypts && self.tag.is_none() && !self.is_tag_passed {
            self.is_tag_passed = true;
            return Err(failed("No auth tag provided"));
        }
        self.pass_tag()?;
        let mut out = vec![0; ffi::EVP_MAX_BLOCK_LENGTH as usize];
        let mut length = 0;
        let at = self.context.get();
        done(ssl!(EVP_CipherFinal_ex(at, out.as_mut_ptr(), &raw mut length)), "Authentication failed")?;
        out.truncate(usize::try_from(length).unwrap_or_default());
        if self.is_gcm && self.encrypts {
            let mut tag = vec![0; self.tag_length.unwrap_or(GCM_TAG)];
            let length = i32::try_from(tag.len()).unwrap_or_default();
            let get = ffi::EVP_CTRL_AEAD_GET_TAG;
            let got = ssl!(EVP_CIPHER_CTX_ctrl(at, get, length, tag.as_mut_ptr().cast()));
            done(got, "Failed to get auth tag")?;
            self.tag = Some(tag);
        }
        self.is_finished = true;
        Ok(out)
    }

    fn set_tag(&mut self, tag: &[u8]) -> Result<(), JsErrorBox> {
        self.goes_on()?;
        if !self.is_gcm {
            return Err(failed(NO_TAG));
        }
        if !is_tag_length(tag.len()) || self.tag_length.is_some_and(|length| length != tag.len()) {
            return Err(failed(TAG_LENGTH));
        }
        if self.tag.is_some() {
            return Err(failed("Auth tag is already set"));
        }
        self.tag = Some(tag.to_vec());
        Ok(())
    }
}

/// Whether NIST allows tags of this length for GCM.
fn is_tag_length(length: usize) -> bool {
    matches!(length, 4 | 8 | 12..=GCM_TAG)
}

/// How a cipher takes its data.
enum AnyCipher {
    Pieces(PieceCipher),
    Whole(Sealer),
}

/// About what a cipher takes of the memory outside of V8's heap, in bytes.
const CIPHER_MEMORY: usize = 1024;

/// A cipher, owned by JavaScript.
pub(crate) struct NodeCipher {
    cipher: RefCell<AnyCipher>,
    memory: NativeMemory,
}

untraced!(NodeCipher, c"Cipher");

#[op2]
#[cppgc]
pub(crate) fn op_crypto_cipher(
    encrypts: bool,
    #[string] name: &str,
    #[cppgc] key: &NodeKey,
    #[buffer] iv: &[u8],
    tag_length: Option<u32>,
) -> Result<NodeCipher, JsErrorBox> {
    let key = key.secret().ok_or_else(|| failed("Failed to get raw secret key data"))?;
    let state = match cipher(name) {
        Some(of) => AnyCipher::Pieces(PieceCipher::new(of, encrypts, key, iv, tag_length)?),
        None => AnyCipher::Whole(Sealer::new(name, encrypts, key, iv, tag_length)?),
    };
    // AWS-LC keeps a copy of the vector, which for GCM has any length.
    Ok(NodeCipher { cipher: RefCell::new(state), memory: NativeMemory::of(CIPHER_MEMORY + iv.len()) })
}

/// Encrypts or decrypts. Returns nothing if what was to be decrypted is not authentic.
#[op2]
pub(crate) fn op_crypto_cipher_update(
    #[cppgc] cipher: &NodeCipher,
    #[buffer] bytes: &[u8],
) -> Result<Option<Uint8Array>, JsErrorBox> {
    match &mut *cipher.cipher.borrow_mut() {
        AnyCipher::Pieces(running) => running.update(bytes).map(|out| Some(out.into())),
        AnyCipher::Whole(sealer) => Ok(sealer.update(bytes)?.map(Into::into)),
    }
}

#[op2]
pub(crate) fn op_crypto_cipher_final(#[cppgc] cipher: &NodeCipher) -> Result<Uint8Array, JsErrorBox> {
    match &mut *cipher.cipher.borrow_mut() {
        AnyCipher::Pieces(running) => running.finish().map(Into::into),
        AnyCipher::Whole(sealer) => sealer.finish().map(|()| Vec::new().into()),
    }
}

#[op2(fast)]
pub(crate) fn op_crypto_cipher_aad(
    #[cppgc] cipher: &NodeCipher,
    #[buffer] bytes: &[u8],
) -> Result<(), JsErrorBox> {
    match &mut *cipher.cipher.borrow_mut() {
        AnyCipher::Pieces(running) => running.set_aad(bytes),
        AnyCipher::Whole(sealer) => {
            sealer.set_aad(bytes)?;
            cipher.memory.set(CIPHER_MEMORY + bytes.len());
            Ok(())
        }
    }
}

#[op2(fast)]
pub(crate) fn op_crypto_cipher_padding(#[cppgc] cipher: &NodeCipher, pads: bool) -> Result<(), JsErrorBox> {
    match &mut *cipher.cipher.borrow_mut() {
        AnyCipher::Pieces(running) => {
            running.goes_on()?;
            let set = ssl!(EVP_CIPHER_CTX_set_padding(running.context.get(), i32::from(pads)));
            done(set, "Failed to set autopadding")
        }
        AnyCipher::Whole(sealer) => {
            sealer.goes_on()?;
            Err(failed("Setting autopadding is not supported on AEADs"))
        }
    }
}

#[op2(fast)]
pub(crate) fn op_crypto_cipher_set_tag(
    #[cppgc] cipher: &NodeCipher,
    #[buffer] tag: &[u8],
) -> Result<(), JsErrorBox> {
    match &mut *cipher.cipher.borrow_mut() {
        AnyCipher::Pieces(running) => running.set_tag(tag),
        AnyCipher::Whole(sealer) => sealer.set_tag(tag),
    }
}

/// Returns the tag, once.
#[op2]
pub(crate) fn op_crypto_cipher_get_tag(#[cppgc] cipher: &NodeCipher) -> Result<Uint8Array, JsErrorBox> {
    let early = || failed("Auth tag is only available once cipher context has been finalized");
    match &mut *cipher.cipher.borrow_mut() {
        AnyCipher::Pieces(running) if !running.is_finished => Err(early()),
        AnyCipher::Pieces(running) => Ok(running.tag.take().unwrap_or_default().into()),
        AnyCipher::Whole(sealer) => sealer.take_tag().ok_or_else(early).map(Into::into),
    }
}
