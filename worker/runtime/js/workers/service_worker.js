// Apps of the service worker format, which have the names of `env` as global variables.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectHasOwn, ObjectKeys, ReflectDefineProperty, SafeArrayIterator } = primordials;
  const { app } = core.loadExtScript("ext:nano_workers/context.js");

  let isExposed = false;

  /** Adds files to `env`: the name and the value of each. */
  function addFiles(files) {
    for (const { 0: name, 1: value } of new SafeArrayIterator(files)) {
      // A variable takes precedence.
      if (!ObjectHasOwn(app.env, name)) ReflectDefineProperty(app.env, name, core.propWritable(value));
    }
  }

  /**
   * Makes what `env` has, and the manifest of a Workers Site if there is one, global variables, once. As in workerd, they take the place of
   * what is there, except for what cannot be changed, such as `NaN`.
   */
  function expose({ 0: files, 1: manifest }) {
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
