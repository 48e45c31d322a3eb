// WebCrypto with what Workers add to it: comparisons that take as long whatever they compare, and streaming digests.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    BigInt,
    ObjectDefineProperty,
    Promise,
    PromisePrototypeThen,
    ReflectApply,
    StringPrototypeToUpperCase,
    TypedArrayPrototypeGetByteLength,
    TypeError,
  } = primordials;
  const { op_digest, op_digest_finish, op_digest_update, op_timing_safe_equal } = core.ops;
  const webCrypto = core.loadExtScript("ext:nano_crypto/web_crypto.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { WritableStream } = core.loadExtScript("ext:deno_web/06_streams.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
  const { bytesOf } = core.loadExtScript("ext:nano_worker/workers/bytes.js");
  const { nameOf, redefine } = core.loadExtScript("ext:nano_crypto/algorithms.js");
  const { Crypto, CryptoKey, SubtleCrypto } = webCrypto;

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

  function algorithmName(algorithm, prefix) {
    const name = typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm;
    const known = StringPrototypeToUpperCase(webidl.converters.DOMString(name, prefix, "Argument 1"));
    if (!DIGESTS[known]) {
      throw new DOMException(`${prefix}: there is no digest ${known}`, "NotSupportedError");
    }
    return known;
  }

  // The digest that the standard leaves out, for what is signed or named by it elsewhere.
  redefine("digest", 2, (original, subtle, args) => {
    if (nameOf(args[0]) !== "MD5" || args.length < 2) return ReflectApply(original, subtle, args);
    const prefix = "Failed to execute 'digest' on 'SubtleCrypto'";
    webidl.assertBranded(subtle, SubtleCrypto.prototype);
    const hasher = op_digest("MD5");
    op_digest_update(hasher, bytesOf(args[1], `${prefix}: Argument 2`));
    return op_digest_finish(hasher);
  });

  /** Where bytes are written to have their digest. */
  class DigestStream extends WritableStream {
    #digest;
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
      // A digest that nobody asks for fails in silence; the writer is told.
      PromisePrototypeThen(digest, undefined, () => {});
      super({
        __proto__: null,
        write: (chunk) => {
          try {
            const bytes = typeof chunk === "string"
              ? core.encode(chunk)
              : bytesOf(chunk, "The chunk written to a DigestStream");
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
    }
    /** The digest, once the stream is closed. */
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

  return { crypto: webCrypto.crypto, Crypto, CryptoKey, SubtleCrypto };
})();
