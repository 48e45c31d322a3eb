// Adds what deno_crypto's algorithms lack: AES-GCM with vectors and tags of every length, bit lengths that are not whole bytes,
// weak Ed25519 keys, and ECDSA with short digests over P-384. https://w3c.github.io/webcrypto/
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayBufferIsView,
    ArrayPrototypeIncludes,
    BigUint64Array,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    JSONParse,
    JSONStringify,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectPrototypeIsPrototypeOf,
    ReflectApply,
    SafeArrayIterator,
    StringPrototypeToUpperCase,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSet,
    TypedArrayPrototypeSlice,
    Uint8Array,
    uncurryThis,
  } = primordials;
  const { op_aes_gcm_open, op_aes_gcm_seal, op_p384_sign, op_p384_verify } = core.ops;
  const { CryptoKey, cryptoKeyExportNodeKeyMaterial, SubtleCrypto } = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

  /** The length in bytes of an Ed25519 point: y, with the sign of x in the highest bit. */
  const POINT = 32;
  const FIELD = 2n ** 255n - 19n;
  const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
  /** The y of points whose order divides 8, also in unreduced form. Anybody can forge signatures for such keys. */
  const SMALL_ORDER = [0n, 1n, FIELD - 1n, FIELD, FIELD + 1n, ORDER_8, FIELD - ORDER_8];
  /** The shortest digest in bytes that the library signs over P-384: half of the field's length. */
  const P384_DIGEST = 24;
  const TAG_BITS = [32, 64, 96, 104, 112, 120, 128];

  const { prototype } = CryptoKey;
  const algorithmOf = uncurryThis(ObjectGetOwnPropertyDescriptor(prototype, "algorithm").get);
  const usagesOf = uncurryThis(ObjectGetOwnPropertyDescriptor(prototype, "usages").get);
  const typeOf = uncurryThis(ObjectGetOwnPropertyDescriptor(prototype, "type").get);
  const digest = uncurryThis(SubtleCrypto.prototype.digest);
  const exportKey = uncurryThis(SubtleCrypto.prototype.exportKey);
  const importKey = uncurryThis(SubtleCrypto.prototype.importKey);

  /** Replaces a method of SubtleCrypto. The replacement gets the original as its first argument. */
  function redefine(method, length, replacement) {
    const original = SubtleCrypto.prototype[method];
    const value = {
      async [method](...args) {
        return await replacement(original, this, args);
      },
    }[method];
    ObjectDefineProperty(value, "length", { __proto__: null, value: length, configurable: true });
    ObjectDefineProperty(SubtleCrypto.prototype, method, { __proto__: null, value });
  }

  /** Returns the name in an AlgorithmIdentifier in upper case, for comparison. */
  function nameOf(algorithm) {
    const name = typeof algorithm === "string" ? algorithm : algorithm?.name;
    return typeof name === "string" ? StringPrototypeToUpperCase(name) : "";
  }

  /** Returns whether a key has this algorithm and usage. If not, the original method is called and reports the error. */
  function fits(key, name, usage) {
    return ObjectPrototypeIsPrototypeOf(prototype, key) && nameOf(algorithmOf(key)) === name &&
      ArrayPrototypeIncludes(usagesOf(key), usage);
  }

  function isSmallOrder(point) {
    const [a, b, c, d] = new SafeArrayIterator(new BigUint64Array(TypedArrayPrototypeGetBuffer(point)));
    const y = a | b << 64n | c << 128n | (d & 0x7fff_ffff_ffff_ffffn) << 192n;
    return ArrayPrototypeIncludes(SMALL_ORDER, y);
  }

  const materialOf = (key) => cryptoKeyExportNodeKeyMaterial(key).data;

  /** Returns the bytes of a BufferSource without a copy, or undefined for any other value. */
  function bytesOf(source) {
    if (core.isAnyArrayBuffer(source)) return new Uint8Array(source);
    if (!ArrayBufferIsView(source)) return undefined;
    return TypedArrayPrototypeGetSymbolToStringTag(source) === undefined
      ? new Uint8Array(
        DataViewPrototypeGetBuffer(source),
        DataViewPrototypeGetByteOffset(source),
        DataViewPrototypeGetByteLength(source),
      )
      : new Uint8Array(
        TypedArrayPrototypeGetBuffer(source),
        TypedArrayPrototypeGetByteOffset(source),
        TypedArrayPrototypeGetByteLength(source),
      );
  }

  /** Returns the parameters of an AES-GCM call that the standard allows but deno_crypto refuses. */
  function unusualGcm(algorithm, key, data, usage) {
    if (nameOf(algorithm) !== "AES-GCM" || !fits(key, "AES-GCM", usage)) return undefined;
    const iv = bytesOf(algorithm.iv);
    const additional = algorithm.additionalData === undefined ? new Uint8Array() : bytesOf(algorithm.additionalData);
    const bytes = bytesOf(data);
    const tagLength = algorithm.tagLength ?? 128;
    if (iv === undefined || additional === undefined || bytes === undefined) return undefined;
    if (iv.length === 0) throw new DOMException("AES-GCM needs an initialization vector that is not empty", "OperationError");
    if (!ArrayPrototypeIncludes(TAG_BITS, tagLength)) return undefined;
    const usual = (iv.length === 12 || iv.length === 16) && tagLength === 128;
    const request = core.getAsyncContext()?.request ?? 0;
    return usual ? undefined : [request, materialOf(key), iv, additional, bytes, tagLength / 8];
  }

  redefine("encrypt", 3, async (original, subtle, args) => {
    const gcm = unusualGcm(args[0], args[1], args[2], "encrypt");
    if (gcm === undefined) return ReflectApply(original, subtle, args);
    return TypedArrayPrototypeGetBuffer(await ReflectApply(op_aes_gcm_seal, undefined, gcm));
  });

  redefine("decrypt", 3, async (original, subtle, args) => {
    const gcm = unusualGcm(args[0], args[1], args[2], "decrypt");
    if (gcm === undefined) return ReflectApply(original, subtle, args);
    return TypedArrayPrototypeGetBuffer(await ReflectApply(op_aes_gcm_open, undefined, gcm));
  });

  // Wrapping is export and encryption. Unwrapping is decryption and import.
  redefine("wrapKey", 4, async (original, subtle, args) => {
    const { 0: format, 1: key, 2: wrappingKey, 3: algorithm } = args;
    const gcm = unusualGcm(algorithm, wrappingKey, new Uint8Array(), "wrapKey");
    if (gcm === undefined) return ReflectApply(original, subtle, args);
    const exported = await exportKey(subtle, format, key);
    gcm[4] = format === "jwk" ? core.encode(JSONStringify(exported)) : new Uint8Array(exported);
    return TypedArrayPrototypeGetBuffer(await ReflectApply(op_aes_gcm_seal, undefined, gcm));
  });

  redefine("unwrapKey", 7, async (original, subtle, args) => {
    const [format, wrapped, unwrappingKey, algorithm, ...rest] = new SafeArrayIterator(args);
    const gcm = unusualGcm(algorithm, unwrappingKey, wrapped, "unwrapKey");
    if (gcm === undefined) return ReflectApply(original, subtle, args);
    const bytes = await ReflectApply(op_aes_gcm_open, undefined, gcm);
    let key = bytes;
    if (format === "jwk") {
      try {
        key = JSONParse(core.decode(bytes));
      } catch {
        throw new DOMException("what was unwrapped is no JSON Web Key", "DataError");
      }
    }
    return await importKey(subtle, format, key, ...new SafeArrayIterator(rest));
  });

  redefine("deriveBits", 2, async (original, subtle, args) => {
    const bits = await ReflectApply(original, subtle, args);
    const rest = args[2] % 8;
    if (rest > 0) {
      const bytes = new Uint8Array(bits);
      bytes[bytes.length - 1] &= 0xff << (8 - rest);
    }
    return bits;
  });

  /** Returns whether this is ECDSA over P-384 with SHA-1, whose digest is too short for the library. */
  function isShortDigest(algorithm, key, usage) {
    return nameOf(algorithm) === "ECDSA" && nameOf(algorithm.hash) === "SHA-1" && fits(key, "ECDSA", usage) &&
      algorithmOf(key).namedCurve === "P-384" && typeOf(key) === (usage === "sign" ? "private" : "public");
  }

  async function padded(subtle, data) {
    const short = new Uint8Array(await digest(subtle, "SHA-1", data));
    const bytes = new Uint8Array(P384_DIGEST);
    TypedArrayPrototypeSet(bytes, short, P384_DIGEST - short.length);
    return bytes;
  }

  redefine("sign", 3, async (original, subtle, args) => {
    const { 0: algorithm, 1: key, 2: data } = args;
    if (!isShortDigest(algorithm, key, "sign")) return ReflectApply(original, subtle, args);
    return TypedArrayPrototypeGetBuffer(op_p384_sign(materialOf(key), await padded(subtle, data)));
  });

  redefine("verify", 4, async (original, subtle, args) => {
    const { 0: algorithm, 1: key, 2: signature, 3: data } = args;
    if (isShortDigest(algorithm, key, "verify")) {
      const given = TypedArrayPrototypeSlice(bytesOf(signature) ?? new Uint8Array());
      return op_p384_verify(materialOf(key), await padded(subtle, data), given);
    }
    if (nameOf(algorithm) !== "ED25519" || !fits(key, "ED25519", "verify")) {
      return ReflectApply(original, subtle, args);
    }
    // The signature is copied: the app may change it as soon as the call returns.
    const half = TypedArrayPrototypeSlice(bytesOf(signature) ?? new Uint8Array(), 0, POINT);
    if (!(await ReflectApply(original, subtle, args))) return false;
    const spki = materialOf(key);
    return !isSmallOrder(half) && !isSmallOrder(TypedArrayPrototypeSlice(spki, spki.length - POINT));
  });

  return { algorithmOf, materialOf, nameOf, redefine, usagesOf };
})();
