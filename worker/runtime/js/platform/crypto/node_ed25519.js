// NODE-ED25519: the name and form of Ed25519 on Workers from before Web Cryptography included it. The keys behind it are Ed25519
// keys under another name. A key can be used only by the name under which it was created.
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
  /** The `algorithm` attribute of each key with this name. */
  const algorithms = new SafeWeakMap();
  const isKey = (key) => typeof key === "object" && key !== null && WeakMapPrototypeHas(algorithms, key);

  const { get } = {
    get() {
      // Throws if `this` is not a key.
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

  /** Signs or verifies by the name of the key. */
  const use = (original, subtle, args) => {
    const isNamed = nameOf(args[0]) === NAME;
    if (isNamed !== isKey(args[1])) {
      // If this is not a key at all, the getter throws the error.
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
