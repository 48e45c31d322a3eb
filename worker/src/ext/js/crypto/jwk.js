// JSON Web Keys as Web Cryptography wants them, where deno_crypto does not look: it takes private keys with a public half
// that is missing or cut off, and does not say which algorithm an Ed25519 key is for.
(function () {
  const { core, primordials } = __bootstrap;
  const { ArrayPrototypeIncludes, ReflectApply, StringPrototypeToUpperCase } = primordials;
  const { redefine, nameOf, algorithmOf } = core.loadExtScript("ext:nano_crypto/algorithms.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

  const CURVE_KEYS = ["ED25519", "X25519", "X448"];
  // Characters of a coordinate, which is as long as the curve's field. https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1.2
  const COORDINATE = { __proto__: null, "P-256": 43, "P-384": 64, "P-521": 88 };

  function check(jwk, algorithm) {
    if (jwk?.d === undefined) return;
    const name = nameOf(algorithm);
    if (ArrayPrototypeIncludes(CURVE_KEYS, name)) {
      if (jwk.x === undefined) throw new DOMException('the key has no "x"', "DataError");
    } else if (name === "ECDSA" || name === "ECDH") {
      const length = COORDINATE[algorithm.namedCurve];
      if (length === undefined) return;
      if (jwk.x?.length !== length || jwk.y?.length !== length) {
        throw new DOMException(`"x" and "y" of the key must have ${length} characters`, "DataError");
      }
    }
  }

  redefine("importKey", 5, (original, subtle, args) => {
    if (args[0] === "jwk" && args.length >= 5) check(args[1], args[2]);
    return ReflectApply(original, subtle, args);
  });

  redefine("exportKey", 2, async (original, subtle, args) => {
    const exported = await ReflectApply(original, subtle, args);
    if (args[0] === "jwk") {
      const { name } = algorithmOf(args[1]);
      if (StringPrototypeToUpperCase(name) === "ED25519") exported.alg = "Ed25519";
    }
    return exported;
  });

  return {};
})();
