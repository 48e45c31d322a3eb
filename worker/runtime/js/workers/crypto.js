// WebCrypto with the additions of Workers: comparisons in constant time, MD5, and streaming digests.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIncludes,
    BigInt,
    MathCeil,
    NumberIsInteger,
    ObjectDefineProperty,
    ObjectPrototypeIsPrototypeOf,
    Promise,
    PromisePrototypeThen,
    ReflectApply,
    SafeArrayIterator,
    StringPrototypeStartsWith,
    StringPrototypeToUpperCase,
    SymbolDispose,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeSet,
    TypeError,
    Uint8Array,
  } = primordials;
  const {
    op_digest,
    op_digest_finish,
    op_digest_update,
    op_node_hkdf_async,
    op_node_pbkdf2_async,
    op_timing_safe_equal,
  } = core.ops;
  const webCrypto = core.loadExtScript("ext:nano_crypto/web_crypto.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { WritableStream } = core.loadExtScript("ext:deno_web/06_streams.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { bytesOf, bytesOrText } = core.loadExtScript("ext:nano_workers/bytes.js");
  const { algorithmOf, materialOf, nameOf, redefine, usagesOf } = core.loadExtScript("ext:nano_crypto/algorithms.js");
  const { Crypto, CryptoKey, SubtleCrypto } = webCrypto;

  /** The highest iteration count that the op for PBKDF2 accepts. */
  const MOST_ITERATIONS = 0x7fff_ffff;
  const DIGESTS = { __proto__: null, "MD5": true, "SHA-1": true, "SHA-256": true, "SHA-384": true, "SHA-512": true };

  const { timingSafeEqual } = {
    timingSafeEqual(a, b) {
      const prefix = "Failed to execute 'timingSafeEqual' on 'SubtleCrypto'";
      webidl.assertBranded(this, SubtleCrypto.prototype);
      webidl.requiredArguments(arguments.length, 2, prefix);
      a = bytesOf(a, `${prefix}: Argument 1`);
      b = bytesOf(b, `${prefix}: Argument 2`);
      if (TypedArrayPrototypeGetByteLength(a) !== TypedArrayPrototypeGetByteLength(b)) {
        throw new TypeError(`${prefix}: the arguments differ in length`);
      }
      return op_timing_safe_equal(a, b);
    },
  };

  /** Checksums, which DigestStream has besides digests. */
  const CHECKSUMS = { __proto__: null, "CRC32": true, "CRC32C": true, "CRC64NVME": true };

  function algorithmName(algorithm, prefix) {
    const name = typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm;
    const known = StringPrototypeToUpperCase(webidl.converters.DOMString(name, prefix, "Argument 1"));
    if (!DIGESTS[known] && !CHECKSUMS[known]) {
      throw new DOMException(`${prefix}: there is no digest ${known}`, "NotSupportedError");
    }
    return known;
  }

  // Adds MD5, which the standard leaves out. Existing formats and protocols still use it.
  redefine("digest", 2, (original, subtle, args) => {
    if (nameOf(args[0]) !== "MD5" || args.length < 2) return ReflectApply(original, subtle, args);
    const prefix = "Failed to execute 'digest' on 'SubtleCrypto'";
    webidl.assertBranded(subtle, SubtleCrypto.prototype);
    const hasher = op_digest("MD5");
    op_digest_update(hasher, bytesOf(args[1], `${prefix}: Argument 2`));
    return op_digest_finish(hasher);
  });

  // Adds MD5 as the hash of other algorithms. Workers have it for old protocols.
  const BLOCK = 64;
  const isMd5 = (algorithm) => nameOf(algorithm?.hash) === "MD5";
  const isHmac = (algorithm) => nameOf(algorithm) === "HMAC";
  const withMd5 = (algorithm) => ({ __proto__: null, ...algorithm, name: "HMAC", hash: "MD5" });
  const isMd5Key = (key, algorithm, usage) =>
    isHmac(algorithm) && ObjectPrototypeIsPrototypeOf(CryptoKey.prototype, key) && isHmac(algorithmOf(key)) &&
    isMd5(algorithmOf(key)) && ArrayPrototypeIncludes(usagesOf(key), usage);

  function md5(first, second) {
    const hasher = op_digest("MD5");
    op_digest_update(hasher, first);
    op_digest_update(hasher, second);
    return op_digest_finish(hasher);
  }

  /** Computes HMAC with MD5. https://www.rfc-editor.org/rfc/rfc2104 */
  function hmac(key, data) {
    let secret = materialOf(key);
    if (TypedArrayPrototypeGetByteLength(secret) > BLOCK) secret = new Uint8Array(md5(secret, new Uint8Array()));
    const inner = new Uint8Array(BLOCK);
    TypedArrayPrototypeSet(inner, secret);
    const outer = new Uint8Array(BLOCK);
    for (let i = 0; i < BLOCK; i++) {
      outer[i] = inner[i] ^ 0x5c;
      inner[i] ^= 0x36;
    }
    return md5(outer, new Uint8Array(md5(inner, data)));
  }

  redefine("importKey", 5, (original, subtle, args) => {
    if (!isHmac(args[2]) || typeof args[2] !== "object") return ReflectApply(original, subtle, args);
    const hash = nameOf(args[2].hash);
    if (hash === "MD5") args[2] = withMd5(args[2]);
    // deno_crypto checks the name of the hash only when the key is used.
    else if (hash !== "" && !DIGESTS[hash] && !StringPrototypeStartsWith(hash, "SHA3-")) {
      throw new DOMException(`there is no digest ${hash}`, "NotSupportedError");
    }
    return ReflectApply(original, subtle, args);
  });

  redefine("generateKey", 3, (original, subtle, args) => {
    if (!isHmac(args[0]) || !isMd5(args[0])) return ReflectApply(original, subtle, args);
    webidl.assertBranded(subtle, SubtleCrypto.prototype);
    const { length = BLOCK * 8 } = args[0];
    const bytes = webCrypto.crypto.getRandomValues(new Uint8Array(MathCeil(length / 8)));
    return subtle.importKey("raw", bytes, args[0], args[1], args[2]);
  });

  redefine("sign", 3, (original, subtle, args) => {
    if (!isMd5Key(args[1], args[0], "sign")) return ReflectApply(original, subtle, args);
    return hmac(args[1], bytesOf(args[2], "Failed to execute 'sign' on 'SubtleCrypto': Argument 3"));
  });

  redefine("verify", 4, (original, subtle, args) => {
    if (!isMd5Key(args[1], args[0], "verify")) return ReflectApply(original, subtle, args);
    const prefix = "Failed to execute 'verify' on 'SubtleCrypto'";
    const given = bytesOf(args[2], `${prefix}: Argument 3`);
    const expected = new Uint8Array(hmac(args[1], bytesOf(args[3], `${prefix}: Argument 4`)));
    return TypedArrayPrototypeGetByteLength(given) === expected.length && op_timing_safe_equal(given, expected);
  });

  const fitsMd5 = (algorithm, key, usage) => {
    const name = nameOf(algorithm);
    return (name === "PBKDF2" || name === "HKDF") && isMd5(algorithm) &&
      ObjectPrototypeIsPrototypeOf(CryptoKey.prototype, key) && nameOf(algorithmOf(key)) === name &&
      ArrayPrototypeIncludes(usagesOf(key), usage);
  };

  async function derived(algorithm, key, length) {
    if (typeof length !== "number" || length % 8 !== 0 || length < 0) {
      throw new DOMException("the number of bits to derive is not a multiple of 8", "OperationError");
    }
    const request = core.getAsyncContext()?.request ?? 0;
    const salt = bytesOf(algorithm.salt, `"salt" of ${algorithm.name}`);
    const secret = materialOf(key);
    let bytes;
    if (nameOf(algorithm) === "HKDF") {
      const info = bytesOf(algorithm.info, '"info" of HKDF');
      bytes = await op_node_hkdf_async(request, "md5", secret, salt, info, length / 8);
    } else {
      const { iterations } = algorithm;
      if (!NumberIsInteger(iterations) || iterations < 1 || iterations > MOST_ITERATIONS) {
        throw new DOMException('"iterations" of PBKDF2 is not a number of times', "OperationError");
      }
      bytes = await op_node_pbkdf2_async(request, secret, salt, iterations, "md5", length / 8);
    }
    return TypedArrayPrototypeGetBuffer(bytes);
  }

  redefine("deriveBits", 2, (original, subtle, args) => {
    if (!fitsMd5(args[0], args[1], "deriveBits")) return ReflectApply(original, subtle, args);
    return derived(args[0], args[1], args[2]);
  });

  redefine("deriveKey", 5, async (original, subtle, args) => {
    const [algorithm, key, made, extractable, usages] = new SafeArrayIterator(args);
    const isOfMd5 = fitsMd5(algorithm, key, "deriveKey");
    if (!isOfMd5 && !(isHmac(made) && isMd5(made))) return ReflectApply(original, subtle, args);
    const isLong = isHmac(made) && ArrayPrototypeIncludes(["SHA-384", "SHA-512"], nameOf(made.hash));
    const length = made?.length ?? (isHmac(made) ? (isLong ? 2 * BLOCK : BLOCK) * 8 : undefined);
    let bits;
    if (isOfMd5) bits = await derived(algorithm, key, length);
    else {
      // A key with the usage deriveKey need not have deriveBits, so another key is derived and its bits are read.
      const sized = { __proto__: null, ...made, hash: length > BLOCK * 8 ? "SHA-512" : "SHA-256", length };
      const between = await ReflectApply(original, subtle, [algorithm, key, sized, true, ["sign"]]);
      bits = materialOf(between);
    }
    return await subtle.importKey("raw", bits, made, extractable, usages);
  });

  /** Computes the digest of the bytes that are written to it. */
  class DigestStream extends WritableStream {
    #digest;
    #reject;
    #written = 0;

    constructor(algorithm) {
      const prefix = "Failed to construct 'DigestStream'";
      webidl.requiredArguments(arguments.length, 1, prefix);
      const hasher = op_digest(algorithmName(algorithm, prefix));
      let resolve;
      let reject;
      const digest = new Promise((...settle) => {
        resolve = settle[0];
        reject = settle[1];
      });
      // If nobody asks for the digest, its rejection is not reported. The writer gets the error.
      PromisePrototypeThen(digest, undefined, () => {});
      super({
        __proto__: null,
        write: (chunk) => {
          try {
            const bytes = bytesOrText(chunk, "The chunk written to a DigestStream");
            op_digest_update(hasher, bytes);
            this.#written += TypedArrayPrototypeGetByteLength(bytes);
          } catch (error) {
            reject(error);
            throw error;
          }
        },
        close: () => resolve(op_digest_finish(hasher)),
        abort: (reason) => reject(reason),
      });
      this.#digest = digest;
      this.#reject = reject;
    }
    /** Ends the digest, unless it is complete. */
    [SymbolDispose]() {
      webidl.assertBranded(this, DigestStreamPrototype);
      this.#reject(new TypeError("the DigestStream was disposed of"));
    }
    /** Resolves to the digest once the stream is closed. */
    get digest() {
      webidl.assertBranded(this, DigestStreamPrototype);
      return this.#digest;
    }
    get bytesWritten() {
      webidl.assertBranded(this, DigestStreamPrototype);
      return BigInt(this.#written);
    }
  }
  webidl.configureInterface(DigestStream);
  const DigestStreamPrototype = DigestStream.prototype;

  ObjectDefineProperty(Crypto.prototype, "DigestStream", core.propNonEnumerable(DigestStream));
  ObjectDefineProperty(SubtleCrypto.prototype, "timingSafeEqual", {
    __proto__: null,
    configurable: true,
    enumerable: true,
    value: timingSafeEqual,
    writable: true,
  });

  return { crypto: webCrypto.crypto, Crypto, CryptoKey, DigestStream, SubtleCrypto };
})();
