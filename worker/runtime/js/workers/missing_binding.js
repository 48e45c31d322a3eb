// What stands in `env` for a binding that the app was written for and does not get: an object that throws when it is used.
(function () {
  const { primordials } = __bootstrap;
  const { Error, Proxy } = primordials;

  /** Properties that are looked up without being asked for: by `await`, and by `JSON.stringify(env)`. */
  const isAskedFor = (name) => typeof name === "string" && name !== "then" && name !== "toJSON";

  /** `why` is the message of the error. */
  function missingBinding(why) {
    return new Proxy({}, {
      __proto__: null,
      get(_target, name) {
        if (isAskedFor(name)) throw new Error(why);
      },
      set() {
        throw new Error(why);
      },
    });
  }

  return { missingBinding };
})();
