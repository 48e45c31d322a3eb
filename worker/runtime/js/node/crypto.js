// node:crypto: Workers' own scripts (third_party/workerd), with digests and key derivation of the library that has the other modules of Node.
// What takes long and has a callback runs on another thread.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectDefineProperty, PromisePrototypeThen, SymbolFor } = primordials;
  const library = core.loadExtScript("ext:workerd/node_crypto.js").default;
  const { validateFunction, validateInt32 } = core.loadExtScript("ext:workerd/validators.js");
  const { begin } = core.loadExtScript("ext:nano_node/crypto_host.js");
  const digests = core.loadExtScript("ext:nano_node/crypto_digests.js");
  const { checkPrimeSync, generateKeyPairSync, generatePrimeSync } = library;

  /** Calls back with what a promise resolves to. */
  function tell(promise, callback, values = (value) => [value]) {
    PromisePrototypeThen(promise, (value) => callback(null, ...values(value)), (error) => callback(error));
  }

  function generateKeyPair(type, options, callback) {
    validateFunction(callback, "callback");
    const call = () => generateKeyPairSync(type, options);
    // What is wrong with the options is told to the callback too.
    const started = async () => await begin(call);
    tell(started(), callback, ({ publicKey, privateKey }) => [publicKey, privateKey]);
  }
  ObjectDefineProperty(generateKeyPair, SymbolFor("nodejs.util.promisify.customArgs"), {
    __proto__: null,
    value: ["publicKey", "privateKey"],
  });

  function generatePrime(size, options, callback) {
    validateInt32(size, "size", 1);
    if (typeof options === "function") {
      callback = options;
      options = {};
    }
    validateFunction(callback, "callback");
    tell(begin(() => generatePrimeSync(size, options)), callback);
  }

  function checkPrime(candidate, options, callback) {
    if (typeof options === "function") {
      callback = options;
      options = {};
    }
    const checked = begin(() => checkPrimeSync(candidate, options), () => validateFunction(callback, "callback"));
    tell(checked, callback);
  }

  const { getHashes, randomBytes, randomFill, randomFillSync, randomInt, randomUUID, timingSafeEqual } = digests;
  const replaced = {
    checkPrime, generateKeyPair, generatePrime, getHashes, pseudoRandomBytes: randomBytes, randomBytes, randomFill, randomFillSync, randomInt,
    randomUUID, timingSafeEqual,
  };
  for (const name in replaced) library[name] = replaced[name];
  return library;
})();
