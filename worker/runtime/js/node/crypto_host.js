// What the scripts of node:crypto of Workers (third_party/workerd) call: keys, ciphers, signatures and certificates, by the names of Workers'
// own functions, over the ops of this crate. Keys are objects of this crate, or those of WebCrypto.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayPrototypeForEach,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    Error,
    Number,
    ObjectCreate,
    ObjectDefineProperties,
    ObjectEntries,
    ObjectPrototypeIsPrototypeOf,
    ObjectSetPrototypeOf,
    RangeError,
    SafeArrayIterator,
    SafeWeakMap,
    String,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypeError,
    Uint8Array,
  } = primordials;
  const { ops } = core;
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { CryptoKey } = core.loadExtScript("ext:nano_workers/crypto.js");
  const { cryptoKeyExportNodeKeyMaterial, importCryptoKeySync } = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs").default;

  /** The bytes of a BufferSource without a copy, or undefined for any other value. */
  function bytesOf(source) {
    if (core.isAnyArrayBuffer(source)) return new Uint8Array(source);
    if (!ArrayBufferIsView(source)) return undefined;
    return TypedArrayPrototypeGetSymbolToStringTag(source) === undefined
      ? new Uint8Array(DataViewPrototypeGetBuffer(source), DataViewPrototypeGetByteOffset(source), DataViewPrototypeGetByteLength(source))
      : new Uint8Array(TypedArrayPrototypeGetBuffer(source), TypedArrayPrototypeGetByteOffset(source), TypedArrayPrototypeGetByteLength(source));
  }
  function bytes(source, method, of, number) {
    const found = bytesOf(source);
    if (found === undefined) throw new TypeError(`Failed to execute '${method}' on '${of}': parameter ${number} is not of type 'BufferSource'.`);
    return found;
  }
  const bufferOf = (array) => TypedArrayPrototypeGetBuffer(array);
  const numberOrNone = (value) => value === undefined ? undefined : +value;

  /** What keys of this crate inherit from: they pass for keys of WebCrypto, as those that Workers put here are. */
  const KeyPrototype = ObjectCreate(CryptoKey.prototype, {
    type: { __proto__: null, get() { return ops.op_crypto_key_type(this); } },
  });
  /** Makes a key of this crate pass for one of WebCrypto, and tells V8 of its memory. */
  function held(key) {
    ops.op_native_memory();
    return ObjectSetPrototypeOf(key, KeyPrototype);
  }
  const isOurs = (key) => ObjectPrototypeIsPrototypeOf(KeyPrototype, key);

  /** The keys of this crate that have been made of keys of WebCrypto. */
  const converted = new SafeWeakMap();
  /** The key of this crate behind either kind of key. */
  function native(key) {
    if (isOurs(key)) return key;
    let of = converted.get(key);
    if (of === undefined) {
      const { type, data } = cryptoKeyExportNodeKeyMaterial(key);
      of = type === "secret"
        ? ops.op_crypto_key_secret(data)
        : type === "private"
        ? ops.op_crypto_key_read_private(data, "der", "pkcs8", null)
        : ops.op_crypto_key_read_public(data, "der", "spki", null);
      converted.set(key, held(of));
    }
    return of;
  }

  const MEMBERS = ["x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi"];
  function fromJwk(jwk, isPrivate) {
    const text = (value) => value === undefined || value === null ? undefined : String(value);
    const decoded = { __proto__: null, kty: text(jwk.kty), crv: text(jwk.crv) };
    ArrayPrototypeForEach(MEMBERS, (name) => {
      const value = text(jwk[name]);
      decoded[name] = value === undefined ? undefined : new Uint8Array(Buffer.from(value, "base64url"));
    });
    return held(ops.op_crypto_key_read_jwk(decoded, isPrivate));
  }
  function read(op, { key, format, type, passphrase }, isPrivate) {
    if (format === "jwk") return fromJwk(key, isPrivate);
    const secret = passphrase === undefined ? null : bytesOf(passphrase);
    return held(op(bytesOf(key), format, type ?? "", secret));
  }

  /** A copy of an object of an op, without what it does not have. */
  function present(of) {
    const copy = {};
    for (const entry of new SafeArrayIterator(ObjectEntries(of))) {
      if (entry[1] !== undefined && entry[1] !== null) copy[entry[0]] = entry[1];
    }
    return copy;
  }

  function exportKey(key, options = {}) {
    if (!isOurs(key) && !key.extractable) throw new TypeError("Unable to export non-extractable key");
    const of = native(key);
    const { format, type, cipher, passphrase } = options;
    if (ops.op_crypto_key_type(of) === "secret") {
      const data = ops.op_crypto_key_bytes(of);
      if (format === "jwk") return { kty: "oct", ext: true, k: ops.op_node_export_secret_key_b64url(data) };
      if (format === "buffer" || format === undefined) return bufferOf(data);
      throw new TypeError(`Invalid format for secret key export: ${format}`);
    }
    if (passphrase !== undefined && bytesOf(passphrase) === undefined) {
      throw new TypeError("Incorrect type for the 'passphrase' field on 'KeyExportOptions': the provided value is not of type 'BufferSource'.");
    }
    if (format === "jwk") return present(ops.op_crypto_key_write_jwk(of));
    if (type === undefined) throw new TypeError("Missing type option");
    if (format !== "pem" && format !== "der") throw new Error("Invalid key format");
    const written = ops.op_crypto_key_write(of, type, format === "pem", cipher ?? "", passphrase === undefined ? new Uint8Array() : bytesOf(passphrase));
    return format === "pem" ? core.decode(written) : written;
  }

  function toCryptoKey(key, algorithm, extractable, usages) {
    if (extractable && !isOurs(key) && !key.extractable) {
      throw new DOMException("Cannot create an extractable CryptoKey from a non-extractable key.", "InvalidAccessError");
    }
    const of = native(key);
    const type = ops.op_crypto_key_type(of);
    if (type === "secret") return importCryptoKeySync("raw", ops.op_crypto_key_bytes(of), algorithm, extractable, usages);
    const [format, kind] = type === "private" ? ["pkcs8", "pkcs8"] : ["spki", "spki"];
    return importCryptoKeySync(format, ops.op_crypto_key_write(of, kind, false, "", new Uint8Array()), algorithm, extractable, usages);
  }

  function pair(of) {
    const privateKey = held(of);
    return { publicKey: held(ops.op_crypto_make_public(privateKey)), privateKey };
  }
  const NONE = new Uint8Array();
  /** What to make, as the ops want it. */
  const rsaKind = ({ modulusLength, publicExponent }) => ["rsa", "", modulusLength, publicExponent, NONE];
  const ecKind = ({ namedCurve }) => ["ec", namedCurve, 0, 0, NONE];
  const edKind = ({ type }) => [type, "", 0, 0, NONE];
  function dhKind({ primeOrGroup, generator }) {
    if (typeof primeOrGroup === "string") return ["group", primeOrGroup, 0, 0, NONE];
    if (typeof primeOrGroup === "number") throw new Error("Generating DH keys from a prime length is not yet implemented");
    return ["dh", "", generator ?? 2, 0, bytesOf(primeOrGroup)];
  }
  const request = () => core.getAsyncContext()?.request ?? 0;
  /** While this is set, nothing slow is done: how to do it on another thread is kept here instead. */
  let asked;
  /** What was done on another thread. */
  let ready;
  /** Does something slow: at once, or as the comments above say. */
  function slowly(now, later) {
    if (ready !== undefined) return ready.value;
    if (asked === undefined) return now();
    asked.later = later;
    throw asked;
  }
  /**
   * Makes a call that does something slow on another thread, and returns a promise of its result. The call is made twice: the first one checks
   * its arguments, and tells what to do; when that is done, the second one finds it. `checked` runs between them.
   */
  function begin(call, checked) {
    const wish = { __proto__: null, later: undefined };
    asked = wish;
    try {
      call();
    } catch (error) {
      if (error !== wish) throw error;
    } finally {
      asked = undefined;
    }
    checked?.();
    return (async () => {
      ready = { __proto__: null, value: await wish.later() };
      try {
        return call();
      } finally {
        ready = undefined;
      }
    })();
  }
  const made = (kind) => (options) => {
    const args = kind(options);
    return slowly(
      () => pair(ops.op_crypto_make(...new SafeArrayIterator(args))),
      async () => pair(await ops.op_crypto_make_later(request(), ...new SafeArrayIterator(args))),
    );
  };

  class CipherHandle {
    #cipher;
    constructor(encrypts, name, key, iv, tagLength) {
      this.#cipher = ops.op_crypto_cipher(encrypts, name, native(key), bytesOf(iv), numberOrNone(tagLength));
      ops.op_native_memory();
    }
    update(data) {
      const out = ops.op_crypto_cipher_update(this.#cipher, bytes(data, "update", "CipherHandle", 1));
      if (out === null || out === undefined) {
        throw new DOMException("Decryption failed: Incorrect key/IV or corrupted ciphertext/authentication tag provided.", "OperationError");
      }
      return out;
    }
    final() {
      return ops.op_crypto_cipher_final(this.#cipher);
    }
    setAAD(data, plaintextLength) {
      numberOrNone(plaintextLength);
      ops.op_crypto_cipher_aad(this.#cipher, bytes(data, "setAAD", "CipherHandle", 1));
      ops.op_native_memory();
    }
    setAutoPadding(pads) {
      ops.op_crypto_cipher_padding(this.#cipher, pads);
    }
    setAuthTag(tag) {
      ops.op_crypto_cipher_set_tag(this.#cipher, bytes(tag, "setAuthTag", "CipherHandle", 1));
    }
    getAuthTag() {
      return ops.op_crypto_cipher_get_tag(this.#cipher);
    }
  }

  /** A number as the functions of Workers take one. */
  const integer = (value) => value === undefined || value === null ? undefined : value | 0;
  class SignHandle {
    #digesting;
    constructor(algorithm) {
      this.#digesting = ops.op_crypto_sign_start(algorithm);
      ops.op_native_memory();
    }
    update(data) {
      if (!ops.op_crypto_sign_update(this.#digesting, bytesOf(data))) throw new Error("Signing context has already been finalized");
    }
    sign(key, padding, salt, form) {
      return ops.op_crypto_sign_finish(this.#digesting, native(key), integer(padding), integer(salt), form === 1);
    }
  }
  class VerifyHandle {
    #digesting;
    constructor(algorithm) {
      this.#digesting = ops.op_crypto_sign_start(algorithm);
      ops.op_native_memory();
    }
    update(data) {
      if (!ops.op_crypto_sign_update(this.#digesting, bytesOf(data))) throw new Error("Verification context has already been finalized");
    }
    verify(key, signature, padding, salt, form) {
      const given = bytes(signature, "verify", "VerifyHandle", 2);
      return ops.op_crypto_verify_finish(this.#digesting, native(key), given, integer(padding), integer(salt), form === 1);
    }
  }

  const rsa = (operation) => (key, data, { padding, oaepHash, oaepLabel }) => {
    const given = bytes(data, operation, "CryptoImpl", 2);
    return ops.op_crypto_rsa(operation, native(key), given, padding | 0, oaepHash, oaepLabel === undefined ? null : bytesOf(oaepLabel));
  };

  class DiffieHellmanHandle {
    #exchange;
    constructor(sizeOrKey, generator) {
      if (typeof sizeOrKey === "number") {
        if (typeof generator !== "number") throw new Error("DiffieHellman init failed: invalid parameters");
        this.#exchange = ops.op_crypto_dh_size(sizeOrKey, generator);
        ops.op_native_memory();
        return;
      }
      if (typeof generator === "number") {
        if (generator < 2) throw new RangeError("DiffieHellman init failed: generator too small");
        generator = new Uint8Array([generator >>> 24, generator >>> 16, generator >>> 8, generator]);
      }
      this.#exchange = sizeOrKey === undefined ? undefined : ops.op_crypto_dh(bytesOf(sizeOrKey), bytesOf(generator));
      ops.op_native_memory();
    }
    static ofGroup(name) {
      const handle = new DiffieHellmanHandle();
      handle.#exchange = ops.op_crypto_dh_group(`${name}`);
      ops.op_native_memory();
      return handle;
    }
    getVerifyError() {
      return ops.op_crypto_dh_checked(this.#exchange);
    }
    generateKeys() {
      return ops.op_crypto_dh_generate(this.#exchange);
    }
    computeSecret(key) {
      return ops.op_crypto_dh_compute(this.#exchange, bytesOf(key));
    }
    getPrime() {
      return ops.op_crypto_dh_number(this.#exchange, "prime");
    }
    getGenerator() {
      return ops.op_crypto_dh_number(this.#exchange, "generator");
    }
    getPublicKey() {
      return ops.op_crypto_dh_number(this.#exchange, "public");
    }
    getPrivateKey() {
      return ops.op_crypto_dh_number(this.#exchange, "private");
    }
    setPublicKey(key) {
      ops.op_crypto_dh_set(this.#exchange, true, bytesOf(key));
      ops.op_native_memory();
    }
    setPrivateKey(key) {
      ops.op_crypto_dh_set(this.#exchange, false, bytesOf(key));
      ops.op_native_memory();
    }
  }

  class ECDHHandle {
    #exchange;
    constructor(curve) {
      this.#exchange = ops.op_crypto_ecdh(curve);
      ops.op_native_memory();
    }
    generateKeys() {
      ops.op_crypto_ecdh_generate(this.#exchange);
    }
    computeSecret(other) {
      return ops.op_crypto_ecdh_compute(this.#exchange, bytesOf(other));
    }
    getPrivateKey() {
      return ops.op_crypto_ecdh_private(this.#exchange);
    }
    getPublicKey(format) {
      return ops.op_crypto_ecdh_public(this.#exchange, format);
    }
    setPrivateKey(key) {
      ops.op_crypto_ecdh_set(this.#exchange, bytesOf(key));
    }
    static convertKey(key, curve, format) {
      return ops.op_crypto_ecdh_convert(bytesOf(key), curve, format);
    }
  }

  /** The flags of `X509_check_host`. */
  const CHECKS = { __proto__: null, subject: 1, wildcards: 2, singleLabelSubdomains: 16, never: 32 };
  function flagsOf({ subject, wildcards, singleLabelSubdomains } = { __proto__: null }) {
    let flags = 0;
    if (subject === "always") flags |= CHECKS.subject;
    else if (subject === "never") flags |= CHECKS.never;
    else if (subject !== undefined && subject !== "default") throw new Error("Invalid subject option");
    if (wildcards === false) flags |= CHECKS.wildcards;
    if (singleLabelSubdomains) flags |= CHECKS.singleLabelSubdomains;
    return flags;
  }
  class X509Certificate {
    #certificate;
    #contents;
    static parse(data) {
      const certificate = ops.op_crypto_x509(bytesOf(data));
      if (certificate === null || certificate === undefined) return undefined;
      ops.op_native_memory();
      const handle = new X509Certificate();
      handle.#certificate = certificate;
      handle.#contents = ops.op_crypto_x509_contents(certificate);
      return handle;
    }
    static {
      const members = {
        subject: "subject", subjectAltName: "subjectAltName", issuer: "issuer", infoAccess: "infoAccess", validFrom: "validFrom",
        validTo: "validTo", fingerprint: "fingerprint", fingerprint256: "fingerprint256", fingerprint512: "fingerprint512",
        keyUsage: "keyUsage", serialNumber: "serialNumber", pem: "pem", isCA: "isCa", raw: "raw",
      };
      const getters = { __proto__: null };
      for (const entry of new SafeArrayIterator(ObjectEntries(members))) {
        getters[entry[0]] = { __proto__: null, get() { return this.#contents[entry[1]] ?? undefined; } };
      }
      ObjectDefineProperties(X509Certificate.prototype, getters);
    }
    get publicKey() {
      const key = ops.op_crypto_x509_key(this.#certificate);
      // Their script throws for null, as on Workers.
      return key ? held(key) : null;
    }
    checkHost(name, options) {
      return ops.op_crypto_x509_host(this.#certificate, name, flagsOf(options ?? undefined)) ?? undefined;
    }
    checkEmail(email, options) {
      return ops.op_crypto_x509_is_for(this.#certificate, "email", email, flagsOf(options ?? undefined)) ? email : undefined;
    }
    checkIp(ip, options) {
      return ops.op_crypto_x509_is_for(this.#certificate, "ip", ip, flagsOf(options ?? undefined)) ? ip : undefined;
    }
    checkIssued(other) {
      return ops.op_crypto_x509_is_issued(this.#certificate, other.#certificate);
    }
    checkPrivateKey(key) {
      return ops.op_crypto_x509_has_key(this.#certificate, native(key));
    }
    verify(key) {
      return ops.op_crypto_x509_is_signed(this.#certificate, native(key));
    }
    toLegacyObject() {
      const contents = this.#contents;
      const named = (parts) => {
        const names = {};
        for (const part of new SafeArrayIterator(parts)) names[part[0]] = part[1];
        return names;
      };
      const key = ops.op_crypto_x509_key(this.#certificate);
      const { modulus, bits, exponent, pubkey, asn1Curve, nistCurve } = key ? present(ops.op_crypto_x509_key_contents(key)) : {};
      return {
        subject: named(contents.subjectParts),
        subjectAltName: contents.subjectAltName ?? "",
        infoAccess: contents.infoAccess ?? "",
        issuer: named(contents.issuerParts),
        ca: contents.isCa,
        modulus, bits, exponent, pubkey, asn1Curve, nistCurve,
        valid_from: contents.validFrom,
        valid_to: contents.validTo,
        fingerprint: contents.fingerprint,
        fingerprint256: contents.fingerprint256,
        fingerprint512: contents.fingerprint512,
        serialNumber: contents.serialNumber,
        ext_key_usage: contents.keyUsage ?? undefined,
        raw: contents.raw,
      };
    }
  }

  const cryptoImpl = {
    newHandle: (mode, ...rest) => new CipherHandle(mode === 0, ...new SafeArrayIterator(rest)),
    getCiphers: () => ops.op_crypto_ciphers(),
    getCipherInfo(nameOrId, { keyLength, ivLength }) {
      const isName = typeof nameOrId === "string";
      const found = ops.op_crypto_cipher_info(isName ? nameOrId : "", isName ? 0 : Number(nameOrId) | 0, keyLength === undefined ? undefined : keyLength >>> 0, ivLength === undefined ? undefined : ivLength >>> 0);
      return found === null || found === undefined ? undefined : present(found);
    },
    publicEncrypt: rsa("publicEncrypt"),
    publicDecrypt: rsa("publicDecrypt"),
    privateEncrypt: rsa("privateEncrypt"),
    privateDecrypt: rsa("privateDecrypt"),
    createSecretKey: (key) => held(ops.op_crypto_key_secret(bytes(key, "createSecretKey", "CryptoImpl", 1))),
    createPrivateKey: (options) => read(ops.op_crypto_key_read_private, options, true),
    createPublicKey(options) {
      if (ObjectPrototypeIsPrototypeOf(CryptoKey.prototype, options.key)) return held(ops.op_crypto_key_public_half(native(options.key)));
      return read(ops.op_crypto_key_read_public, options, false);
    },
    exportKey,
    equals: (a, b) => ops.op_crypto_key_equals(native(a), native(b)),
    getAsymmetricKeyDetail(key) {
      const detail = present(ops.op_crypto_key_details(native(key)));
      if (detail.publicExponent !== undefined) detail.publicExponent = bufferOf(detail.publicExponent);
      return detail;
    },
    getAsymmetricKeyType: (key) => ops.op_crypto_key_algorithm(native(key)),
    getSymmetricKeySize: (key) => TypedArrayPrototypeGetByteLength(ops.op_crypto_key_bytes(native(key))),
    toCryptoKey,
    generateRsaKeyPair: made(rsaKind),
    generateEcKeyPair: made(ecKind),
    generateEdKeyPair: made(edKind),
    generateDhKeyPair: made(dhKind),
    SignHandle,
    VerifyHandle,
    signOneShot: (key, algorithm, data, padding, salt, form) =>
      ops.op_crypto_sign(native(key), algorithm ?? null, bytesOf(data), integer(padding), integer(salt), form === 1),
    verifyOneShot: (key, algorithm, data, signature, padding, salt, form) =>
      ops.op_crypto_verify(native(key), algorithm ?? null, bytesOf(data), bytesOf(signature), integer(padding), integer(salt), form === 1),
    DiffieHellmanHandle,
    DiffieHellmanGroupHandle: (name) => DiffieHellmanHandle.ofGroup(name),
    statelessDH: (privateKey, publicKey) => ops.op_crypto_shared(native(privateKey), native(publicKey)),
    ECDHHandle,
    randomPrime(size, safe, add, rem) {
      const args = [size, safe, bytesOf(add) ?? null, bytesOf(rem) ?? null];
      return slowly(
        () => bufferOf(ops.op_crypto_prime(...new SafeArrayIterator(args))),
        async () => bufferOf(await ops.op_crypto_prime_later(request(), ...new SafeArrayIterator(args))),
      );
    },
    checkPrimeSync(candidate, checks) {
      const bytes = bytesOf(candidate);
      return slowly(() => ops.op_crypto_is_prime(bytes, checks), () => ops.op_crypto_is_prime_later(request(), bytes, checks));
    },
    X509Certificate,
    verifySpkac: (spkac) => ops.op_crypto_spkac_verify(bytesOf(spkac)),
    exportPublicKey: (spkac) => ops.op_crypto_spkac_key(bytesOf(spkac)) ?? undefined,
    exportChallenge: (spkac) => ops.op_crypto_spkac_challenge(bytesOf(spkac)) ?? undefined,
  };

  return { begin, cryptoImpl, native };
})();
