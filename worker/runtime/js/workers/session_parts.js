// What sessions between apps are made of: the kinds of their messages, how much they may have under way, and what stands for something of
// the other app.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayIsArray,
    Error,
    NumberIsSafeInteger,
    ObjectPrototypeIsPrototypeOf,
    SymbolDispose,
    TypedArrayPrototypeGetByteLength,
  } = primordials;
  const { op_session_full } = core.ops;
  const { packError } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { RpcTarget } = core.loadExtScript("ext:nano_workers/entrypoints.js");
  const { disposeAll, disposeNothing, disposeSoon } = core.loadExtScript("ext:nano_workers/stubs.js");

  // The kinds of messages. Each ends with a value and its table.
  /** What is called (0: the entrypoint; above: what was given with this number; below: the result of this call), path, whether it is called. */
  const CALL = 0;
  /** The number of the call, and how long its result is kept. */
  const RESULT = 1;
  /** Likewise, with what was thrown. */
  const THROWN = 2;
  /** The numbers of what is held no more. */
  const RELEASE = 3;
  /** The number of a call whose result need not be kept. */
  const FORGET = 4;

  // How long the result of a call can be called by the number of the call.
  const NOT = 0;
  /** Until it has come. */
  const COMES = 1;
  /** Until it is disposed: then it is told. */
  const DISPOSED = 2;

  /** Longest message, as on Workers. */
  const MOST_BYTES = 32 * 1024 * 1024;
  /** Most calls without an answer in each direction. */
  const MOST_CALLS = 1024;
  /** Most that a side may hold of the other one. */
  const MOST_STUBS = 4096;

  const isObject = (value) => typeof value === "object" && value !== null;

  /** Whether a result is to be told when it is disposed, besides what of it is held. */
  const isWithDispose = (value) =>
    isObject(value) && !ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, value) && typeof value[SymbolDispose] === "function" &&
    value[SymbolDispose] !== disposeNothing;

  /** Disposes what was kept for calls of a result. */
  function disposeKept({ value, stubs }) {
    if (stubs !== undefined) disposeAll(stubs);
    disposeSoon(value);
  }

  const over = () => new Error("the call is over");

  const isNumber = (value) => NumberIsSafeInteger(value) && value > 0;

  function isPath(path) {
    if (!ArrayIsArray(path)) return false;
    for (let i = 0; i < path.length; i++) if (typeof path[i] !== "string") return false;
    return true;
  }

  function checked(message) {
    const size = TypedArrayPrototypeGetByteLength(message);
    if (size <= MOST_BYTES) return message;
    throw new Error(
      `Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: ${size} bytes.`,
    );
  }

  /** Returns a message with an error, or, if that is too long, with the error that says so. */
  function packThrown(parts, error) {
    try {
      return checked(packError(parts, error));
    } catch (tooLong) {
      return packError(parts, tooLong);
    }
  }

  function full(isStub) {
    op_session_full(isStub);
    return new Error(
      isStub
        ? `apps that call each other may hold ${MOST_STUBS} stubs in one session: dispose of those that are not used any more`
        : `apps that call each other may have ${MOST_CALLS} calls in flight in one session: await some of them`,
    );
  }

  /** Stands for something of the other app, as long as `entry` has holders. */
  class RemoteHook {
    entry;
    session;

    constructor(session, entry) {
      this.session = session;
      this.entry = entry;
    }
    reach(path, args) {
      return this.session.call(this.entry.number, path, args);
    }
    use(path, args) {
      return this.reach(path, args).promise;
    }
    dup() {
      this.entry.holders++;
      return new RemoteHook(this.session, this.entry);
    }
    dispose() {
      if (--this.entry.holders === 0) this.session.release(this.entry.number);
    }
    whenBroken(callback) {
      this.session.whenBroken(callback);
    }
  }

  return {
    CALL, checked, COMES, DISPOSED, disposeKept, FORGET, full, isNumber, isPath, isWithDispose, MOST_CALLS, MOST_STUBS, NOT, over, packThrown,
    RELEASE, RemoteHook, RESULT, THROWN,
  };
})();
