// Functions and classes of Node that need a host. They are there, so that packages that import them load, and say why they
// cannot be used when they are.
(function () {
  const { primordials } = __bootstrap;
  const { Error, ObjectDefineProperty, PromiseReject } = primordials;

  /** Creates the error. Its code is that of Workers. */
  function unavailable(what, why) {
    const error = new Error(`${what} is not available in a worker: ${why}`);
    error.code = "ERR_METHOD_NOT_IMPLEMENTED";
    return error;
  }

  const named = (value, name) => ObjectDefineProperty(value, "name", { __proto__: null, configurable: true, value: name });

  /**
   * Returns an object with what a module lacks. `functions` and `classes` throw, also as constructors and as base classes,
   * `promised` reject. Each is a list of names.
   */
  function absent(module, why, { functions = [], classes = [], promised = [] }) {
    const made = {};
    for (let i = 0; i < functions.length; i++) {
      const name = functions[i];
      made[name] = named(() => {
        throw unavailable(`${module}.${name}()`, why);
      }, name);
    }
    for (let i = 0; i < classes.length; i++) {
      const name = classes[i];
      // Not a class of JavaScript: libraries call such constructors without `new`, too.
      made[name] = named(function () {
        throw unavailable(`${module}.${name}`, why);
      }, name);
    }
    for (let i = 0; i < promised.length; i++) {
      const name = promised[i];
      made[name] = named(() => PromiseReject(unavailable(`${module}.${name}()`, why)), name);
    }
    return made;
  }

  return { absent, unavailable };
})();
