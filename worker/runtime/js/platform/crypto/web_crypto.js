// Web Cryptography as apps see it. Loaded when an app first uses it.
(function () {
  const { core, primordials } = __bootstrap;
  const { MapPrototypeGet, MapPrototypeSet, ObjectDefineProperty, SafeMap, SafeWeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet } = primordials;
  const loaded = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { Crypto, CryptoKey, SubtleCrypto } = loaded;
  // Created before the factory functions are deleted: apps must not be able to reach them.
  const { crypto } = loaded;
  delete Crypto.create;
  delete Crypto.registerSymbols;
  delete SubtleCrypto.create;
  core.loadExtScript("ext:nano_crypto/turns.js");
  const { algorithmOf } = core.loadExtScript("ext:nano_crypto/algorithms.js");
  core.loadExtScript("ext:nano_crypto/jwk.js");
  core.loadExtScript("ext:nano_crypto/node_ed25519.js");

  // A key never changes, so a structured clone can be the key itself. Its material never passes where the app could read it.
  const keys = new SafeMap();
  const numbers = new SafeWeakMap();
  ObjectDefineProperty(CryptoKey.prototype, core.hostObjectBrand, {
    __proto__: null,
    value() {
      // Throws if `this` is not a key.
      algorithmOf(this);
      let number = WeakMapPrototypeGet(numbers, this);
      if (number === undefined) {
        number = keys.size;
        WeakMapPrototypeSet(numbers, this, number);
        MapPrototypeSet(keys, number, this);
      }
      return { type: "CryptoKeyOfThisApp", number };
    },
  });
  core.registerCloneableResource("CryptoKeyOfThisApp", ({ number }) => MapPrototypeGet(keys, number));

  return { crypto, Crypto, CryptoKey, SubtleCrypto };
})();
