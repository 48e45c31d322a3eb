// JSON Web Keys as Web Cryptography requires them. deno_crypto accepts private keys whose public half is missing or belongs to
// another key, and does not say which algorithm an Ed25519 key is for.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIncludes,
    ReflectApply,
    StringPrototypeReplaceAll,
    TypedArrayPrototypeSubarray,
    Uint8Array,
    uncurryThis,
  } = primordials;
  const { SubtleCrypto } = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { redefine, nameOf, algorithmOf } = core.loadExtScript("ext:nano_crypto/algorithms.js");
  const { forgivingBase64Encode } = core.loadExtScript("ext:deno_web/00_infra.js");
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const { prototype } = SubtleCrypto;
  const getPublicKey = uncurryThis(prototype.getPublicKey);
  const exportKey = uncurryThis(prototype.exportKey);

  const MONTGOMERY = ["X25519", "X448"];
  const ED25519_NAMES = [undefined, "Ed25519", "EdDSA"];

  function base64url(bytes) {
    let text = forgivingBase64Encode(bytes);
    text = StringPrototypeReplaceAll(StringPrototypeReplaceAll(text, "+", "-"), "/", "_");
    return StringPrototypeReplaceAll(text, "=", "");
  }

  function refuse(why) {
    throw new DOMException(why, "DataError");
  }

  /** Checks that a private key belongs to the public half in its JWK. */
  async function checkPair(subtle, key, jwk, name) {
    const usages = name === "ECDSA" || name === "ED25519" ? ["verify"] : [];
    const bytes = new Uint8Array(await exportKey(subtle, "raw", await getPublicKey(subtle, key, usages)));
    if (jwk.kty === "OKP") {
      if (base64url(bytes) !== jwk.x) refuse('"x" of the key does not belong to its "d"');
      return;
    }
    // An uncompressed point is one byte of type, then its two coordinates.
    const half = (bytes.length - 1) / 2;
    if (
      base64url(TypedArrayPrototypeSubarray(bytes, 1, 1 + half)) !== jwk.x ||
      base64url(TypedArrayPrototypeSubarray(bytes, 1 + half)) !== jwk.y
    ) {
      refuse('"x" and "y" of the key do not belong to its "d"');
    }
  }

  redefine("importKey", 5, async (original, subtle, args) => {
    const { 0: format, 1: jwk, 2: algorithm } = args;
    const key = await ReflectApply(original, subtle, args);
    if (format !== "jwk") return key;
    const name = nameOf(algorithmOf(key));
    const elliptic = name === "ECDSA" || name === "ECDH";
    if (elliptic && jwk.crv !== algorithm.namedCurve) refuse(`"crv" of the key is not ${algorithm.namedCurve}`);
    if (name === "ED25519" && !ArrayPrototypeIncludes(ED25519_NAMES, jwk.alg)) refuse('"alg" of the key is not Ed25519');
    if (jwk.d !== undefined && (elliptic || name === "ED25519" || ArrayPrototypeIncludes(MONTGOMERY, name))) {
      await checkPair(subtle, key, jwk, name);
    }
    return key;
  });

  redefine("exportKey", 2, async (original, subtle, args) => {
    const exported = await ReflectApply(original, subtle, args);
    if (args[0] === "jwk" && nameOf(algorithmOf(args[1])) === "ED25519") exported.alg = "Ed25519";
    return exported;
  });

  return {};
})();
