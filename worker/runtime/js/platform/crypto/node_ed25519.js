// NODE-ED25519: the name and the form of Ed25519 that Workers had before Web Cryptography took it in. Beneath are keys of Ed25519,
// which go by the other name; a key is used by the name that it was made with.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ObjectDefineProperty,
    ReflectApply,
    SafeWeakMap,
    TypeError,
    WeakMapPrototypeGet,
    WeakMapPrototypeHas,
    WeakMapPrototypeSet,
  } = primordials;
  const { CryptoKey } = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { algorithmOf, nameOf, redefine } = core.loadExtScript("ext:nano_crypto/algorithms.js");

  const NAME = "NODE-ED25519";
  /** What each key of this name says of its algorithm. */
  const algorithms = new SafeWeakMap();
  const isKey = (key) => typeof key === "object" && key !== null && WeakMapPrototypeHas(algorithms, key);

  const { get } = {
    get() {
      // Throws for what is no key.
      const algorithm = algorithmOf(this);
      return WeakMapPrototypeGet(algorithms, this) ?? algorithm;
    },
  };
  ObjectDefineProperty(get, "name", { __proto__: null, value: "get algorithm", configurable: true });
  ObjectDefineProperty(CryptoKey.prototype, "algorithm", { __proto__: null, get });

  function rename(key) {
    WeakMapPrototypeSet(algorithms, key, { name: NAME, namedCurve: NAME });
    return key;
  }

  function checkCurve(algorithm) {
    const curve = algorithm.namedCurve;
    if (curve === undefined) throw new TypeError(`"namedCurve" of ${NAME} is missing`);
    if (curve !== NAME) throw new DOMException(`${NAME} has no curve ${curve}`, "NotSupportedError");
  }

  redefine("generateKey", 3, async (original, subtle, args) => {
    if (nameOf(args[0]) !== NAME) return ReflectApply(original, subtle, args);
    checkCurve(args[0]);
    const pair = await ReflectApply(original, subtle, ["Ed25519", args[1], args[2]]);
    rename(pair.privateKey);
    rename(pair.publicKey);
    return pair;
  });

  redefine("importKey", 5, async (original, subtle, args) => {
    if (nameOf(args[2]) !== NAME) return ReflectApply(original, subtle, args);
    checkCurve(args[2]);
    return rename(await ReflectApply(original, subtle, [args[0], args[1], "Ed25519", args[3], args[4]]));
  });

  redefine("exportKey", 2, async (original, subtle, args) => {
    const exported = await ReflectApply(original, subtle, args);
    if (args[0] === "jwk" && isKey(args[1])) delete exported.alg;
    return exported;
  });

  /** Signs or verifies under the name that the key goes by. */
  const use = (original, subtle, args) => {
    const isNamed = nameOf(args[0]) === NAME;
    if (isNamed !== isKey(args[1])) {
      // What is no key at all, the original finds out.
      algorithmOf(args[1]);
      throw new DOMException("the key is for another algorithm", "InvalidAccessError");
    }
    if (isNamed) args[0] = "Ed25519";
    return ReflectApply(original, subtle, args);
  };
  redefine("sign", 3, use);
  redefine("verify", 4, use);

  return {};
})();
