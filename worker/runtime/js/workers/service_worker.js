// Apps of the service worker format, which have the names of `env` as global variables.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectHasOwn, ObjectKeys, ReflectDefineProperty, SafeArrayIterator } = primordials;
  const { app } = core.loadExtScript("ext:nano_workers/context.js");
  const { WebAssembly } = globalThis;

  let isExposed = false;

  /** Adds values of files to `env`: the name of each and the value, or the bytes of a WebAssembly module. */
  function addFiles(files) {
    for (const { 0: name, 1: value, 2: isWasm } of new SafeArrayIterator(files)) {
      // A variable takes precedence.
      if (ObjectHasOwn(app.env, name)) continue;
      ReflectDefineProperty(app.env, name, core.propWritable(isWasm ? new WebAssembly.Module(value) : value));
    }
  }

  /**
   * Makes what `env` has, and the manifest of a Workers Site if there is one, global variables, once. As in workerd, they take the place of
   * what is there, except for what cannot be changed, such as `NaN`.
   */
  function expose(files, manifest) {
    if (isExposed) return;
    isExposed = true;
    addFiles(files);
    for (const name of new SafeArrayIterator(ObjectKeys(app.env))) {
      ReflectDefineProperty(globalThis, name, core.propWritable(app.env[name]));
    }
    if (manifest !== undefined) {
      ReflectDefineProperty(globalThis, "__STATIC_CONTENT_MANIFEST", core.propWritable(manifest));
    }
  }

  return { expose };
})();
