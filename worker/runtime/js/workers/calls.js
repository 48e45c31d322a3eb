// Calls between apps: `env.OTHER.method(...)` and `env.OTHER.property` here, and what other apps call of this one.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeJoin,
    ArrayPrototypeMap,
    encodeURIComponent,
    TypedArrayPrototypeGetByteLength,
    Uint8Array,
  } = primordials;
  const { op_fail_call, op_session_accept, op_session_open } = core.ops;
  const { packError } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");
  const { useEntrypoint } = core.loadExtScript("ext:nano_workers/reach.js");
  const { describe, told } = core.loadExtScript("ext:nano_workers/respond.js");
  const { Session } = core.loadExtScript("ext:nano_workers/session.js");

  const ERROR = 3;

  /** Longest error that is sent as a whole. */
  const MOST_OF_ERROR = 24 * 1024;

  /** How people name a call: by a path. */
  const named = (path) => `/${ArrayPrototypeJoin(ArrayPrototypeMap(path, encodeURIComponent), ".")}`;

  /** Calls what a path leads to from the binding with this number. Without `args`, it is read. */
  function callBinding(number, path, args) {
    const open = () => op_session_open(number, named(path), core.getAsyncContext()?.request ?? 0);
    return new Session({ open }).call(0, path, args);
  }

  /** Answers the call that is the request with this id. */
  async function answer(id, name, ctx) {
    const session = new Session({
      open: () => op_session_accept(id),
      main: (path, args) => useEntrypoint(name, path, args, ctx),
      fail: (error) => fail(id, error),
      report: (error) => log(`Uncaught ${describe(error)}`, ERROR),
    });
    try {
      await session.run();
    } catch (error) {
      fail(id, error);
    }
  }

  function fail(id, error) {
    const { 0: known, 1: errorName, 2: message } = told(error);
    let value = packError([], error);
    if (TypedArrayPrototypeGetByteLength(value) > MOST_OF_ERROR) value = new Uint8Array(0);
    op_fail_call(id, `Uncaught ${describe(error)}`, known, errorName, message, value);
  }

  return { answer, callBinding };
})();
