// The part of node:crypto that is not of Workers' own scripts: digests, key derivation, comparison and random values.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ObjectGetPrototypeOf,
    ObjectPrototypeIsPrototypeOf,
    SafeArrayIterator,
    StringPrototypeSlice,
    StringPrototypeStartsWith,
    StringPrototypeToLowerCase,
    TypedArrayPrototypeGetByteLength,
  } = primordials;
  const { op_node_create_hash, op_node_timing_safe_equal } = core.ops;
  // The library tells the handle of a digest from a name by the handle's class. The build script compiles the handles of
  // this crate under another name, so they have no such class. This object stands for it.
  core.ops.Hasher = { prototype: ObjectGetPrototypeOf(op_node_create_hash("md5")) };
  // These ops charge their work to the request that asks for it.
  for (const name of new SafeArrayIterator(["op_node_hkdf_async", "op_node_pbkdf2_async", "op_node_scrypt_async"])) {
    const op = core.ops[name];
    core.ops[name] = (...args) => op(core.getAsyncContext()?.request ?? 0, ...new SafeArrayIterator(args));
  }
  const published = (script) => core.loadExtScript(`ext:deno_node/${script}`);
  const { Hash, Hmac, createHash, getHashes } = published("internal/crypto/hash.ts");
  const { hkdf, hkdfSync } = published("internal/crypto/hkdf.ts");
  const { getArrayBufferOrView } = published("internal/crypto/keys.ts");
  const { pbkdf2, pbkdf2Sync } = published("internal/crypto/pbkdf2.ts");
  const { scrypt, scryptSync } = published("internal/crypto/scrypt.ts");
  const { randomBytes } = published("internal/crypto/_randomBytes.ts");
  const { randomFill, randomFillSync } = published("internal/crypto/_randomFill.mjs");
  const { default: randomInt } = published("internal/crypto/_randomInt.ts");
  const { ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE } = core.loadExtScript("ext:workerd/internal_errors.js");
  const { ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH, ERR_INVALID_ARG_TYPE } = published("internal/errors.ts");
  const { isArrayBufferView } = published("internal/util/types.ts");
  const { validateObject, validateString } = published("internal/validators.mjs");
  const { crypto: webcrypto, CryptoKey } = core.loadExtScript("ext:nano_workers/crypto.js");

  // OpenSSL knows a digest by several names and ignores case.
  const PREFIX = "rsa-";
  const aliases = {
    __proto__: null,
    "ripemd": "ripemd160",
    "rmd160": "ripemd160",
    "sha-1": "sha1",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha512/224": "sha512-224",
    "sha512/256": "sha512-256",
  };
  function digestName(name) {
    if (typeof name !== "string") return name;
    const lower = StringPrototypeToLowerCase(name);
    const short = StringPrototypeStartsWith(lower, PREFIX) ? StringPrototypeSlice(lower, PREFIX.length) : lower;
    return aliases[short] ?? short;
  }

  function hash(algorithm, data, options = "hex") {
    validateString(algorithm, "algorithm");
    if (typeof data !== "string" && !isArrayBufferView(data)) {
      throw new ERR_INVALID_ARG_TYPE("input", ["Buffer", "TypedArray", "DataView", "string"], data);
    }
    const { outputEncoding = "hex", outputLength } = typeof options === "string" ? { outputEncoding: options } : options;
    const hash = createHash(digestName(algorithm), outputLength === undefined ? undefined : { outputLength });
    return hash.update(data).digest(outputEncoding);
  }

  function timingSafeEqual(a, b) {
    const [left, right] = [bytesOf(a, "buf1"), bytesOf(b, "buf2")];
    if (TypedArrayPrototypeGetByteLength(left) !== TypedArrayPrototypeGetByteLength(right)) throw new ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH();
    return op_node_timing_safe_equal(left, right);
  }
  function bytesOf(value, name) {
    if (typeof value === "string") {
      throw new ERR_INVALID_ARG_TYPE(name, ["ArrayBuffer", "Buffer", "TypedArray", "DataView"], value);
    }
    return getArrayBufferOrView(value, name);
  }

  /** The key in a form that the library takes: it does not know the key objects of Workers. */
  function secretOf(key) {
    const { KeyObject, getKeyObjectHandle: keyHandleOf } = core.loadExtScript("ext:workerd/crypto_keys.js");
    const isObject = ObjectPrototypeIsPrototypeOf(KeyObject.prototype, key);
    if (!isObject && !ObjectPrototypeIsPrototypeOf(CryptoKey.prototype, key)) return key;
    if (key.type !== "secret") throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "secret");
    const { native } = core.loadExtScript("ext:nano_node/crypto_host.js");
    return core.ops.op_crypto_key_bytes(native(isObject ? keyHandleOf(key) : key));
  }

  function randomUUID(options) {
    if (options !== undefined) validateObject(options, "options");
    return webcrypto.randomUUID();
  }

  return {
    Hash,
    Hmac,
    createHash: (algorithm, options) => createHash(digestName(algorithm), options),
    createHmac: (algorithm, key, options) => Hmac(digestName(algorithm), secretOf(key), options),
    getHashes,
    hash,
    hkdf: (digest, key, ...rest) => hkdf(digestName(digest), secretOf(key), ...new SafeArrayIterator(rest)),
    hkdfSync: (digest, key, ...rest) => hkdfSync(digestName(digest), secretOf(key), ...new SafeArrayIterator(rest)),
    pbkdf2: (password, salt, iterations, length, digest, callback) =>
      pbkdf2(password, salt, iterations, length, digestName(digest), callback),
    pbkdf2Sync: (password, salt, iterations, length, digest) =>
      pbkdf2Sync(password, salt, iterations, length, digestName(digest)),
    randomBytes,
    randomFill,
    randomFillSync,
    randomInt,
    randomUUID,
    scrypt,
    scryptSync,
    timingSafeEqual,
  };
})();
