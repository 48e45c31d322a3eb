// An object that stands for another one, which may change or is made only when a member of it is touched.
(function () {
  const {
    ObjectGetPrototypeOf,
    Proxy,
    ReflectDefineProperty,
    ReflectDeleteProperty,
    ReflectGet,
    ReflectGetOwnPropertyDescriptor,
    ReflectHas,
    ReflectOwnKeys,
    ReflectSet,
    ReflectSetPrototypeOf,
  } = __bootstrap.primordials;

  /** Stands for the object that `current` returns. */
  const standIn = (current) =>
    new Proxy({}, {
      __proto__: null,
      defineProperty: (_, key, descriptor) => ReflectDefineProperty(current(), key, descriptor),
      deleteProperty: (_, key) => ReflectDeleteProperty(current(), key),
      get: (_, key) => ReflectGet(current(), key),
      getOwnPropertyDescriptor(_, key) {
        const descriptor = ReflectGetOwnPropertyDescriptor(current(), key);
        // A proxy may show no other member that its target does not have, and the object may be frozen.
        if (descriptor !== undefined) descriptor.configurable = true;
        return descriptor;
      },
      getPrototypeOf: () => ObjectGetPrototypeOf(current()),
      has: (_, key) => ReflectHas(current(), key),
      ownKeys: () => ReflectOwnKeys(current()),
      // A stand-in that cannot be extended could not show the members of the object.
      preventExtensions: () => false,
      set: (_, key, value) => ReflectSet(current(), key, value),
      setPrototypeOf: (_, prototype) => ReflectSetPrototypeOf(current(), prototype),
    });

  return { standIn };
})();
