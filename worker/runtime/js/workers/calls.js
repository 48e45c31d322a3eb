// Calls between apps: `env.OTHER.method(...)` and `env.OTHER.property` here, and what other apps call of this one.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayIsArray,
    ArrayPrototypeJoin,
    ArrayPrototypeMap,
    encodeURIComponent,
    Error,
    ObjectDefineProperty,
    ObjectSetPrototypeOf,
    PromisePrototypeFinally,
    PromisePrototypeThen,
    Proxy,
    ReflectGet,
    RegExpPrototypeTest,
    SafeRegExp,
    SafeWeakMap,
    Symbol,
    SymbolDispose,
    SymbolToStringTag,
    TypedArrayPrototypeGetByteLength,
    TypeError,
    Uint8Array,
    WeakMapPrototypeGet,
    WeakMapPrototypeSet,
  } = primordials;
  const { op_fail_call, op_session_accept, op_session_next, op_session_open, op_session_send, op_session_thrown } = core.ops;
  const { pack, packError, unpack } = core.loadExtScript("ext:nano_workers/call_values.js");
  const { follow, use, useEntrypoint } = core.loadExtScript("ext:nano_workers/entrypoints.js");
  const { describe, told } = core.loadExtScript("ext:nano_workers/respond.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  /** Longest message, as on Workers. */
  const MOST = 32 * 1024 * 1024;

  /** Longest error that is sent as a whole. */
  const MOST_OF_ERROR = 24 * 1024;

  function send(session, message, isLast) {
    const size = TypedArrayPrototypeGetByteLength(message);
    if (size > MOST) {
      throw new Error(
        `Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: ${size} bytes.`,
      );
    }
    if (!op_session_send(session, message, isLast)) throw new Error("the other app does not take what is sent to it");
  }

  /** Marks what another app has thrown. */
  function remote(error) {
    if (typeof error === "object" && error !== null) error.remote = true;
    return error;
  }

  /** What a call failed with: what the other app has thrown, as far as it could be sent. */
  function failureOf(session, error) {
    const thrown = op_session_thrown(session);
    if (TypedArrayPrototypeGetByteLength(thrown) > 0) return remote(unpack(thrown)[0]);
    const name = error?.remoteName;
    if (typeof name !== "string") return error;
    delete error.remoteName;
    if (error.name !== name) error.name = name;
    return remote(error);
  }

  /** How people name a call: by a path. */
  const named = (path) => `/${ArrayPrototypeJoin(ArrayPrototypeMap(path, encodeURIComponent), ".")}`;

  /** Calls what a path leads to from the binding with this number. Without `args`, it is read. */
  async function callBinding(number, path, args) {
    const message = pack([path, args !== undefined], args);
    const session = op_session_open(number, named(path), core.getAsyncContext()?.request ?? 0);
    try {
      send(session, message, true);
      const answer = await op_session_next(session);
      if (answer === null) throw new Error("the other app has ended the call without an answer");
      return unpack(answer)[0];
    } catch (error) {
      throw failureOf(session, error);
    } finally {
      core.tryClose(session);
    }
  }

  /** Answers the call that is the request with this id. */
  async function answer(id, name, ctx) {
    let session;
    try {
      session = op_session_accept(id);
      const message = await op_session_next(session);
      if (message === null) throw new TypeError("the call has no message");
      const { 0: path, 1: isCall, 2: args } = unpack(message);
      // Anything with a length would be made a list of that length.
      if (!ArrayIsArray(path) || (isCall && !ArrayIsArray(args))) throw new TypeError("the call cannot be read");
      const value = await useEntrypoint(name, path, isCall ? args : undefined, ctx);
      send(session, pack([], value), true);
    } catch (error) {
      fail(id, error);
    } finally {
      if (session !== undefined) core.tryClose(session);
    }
  }

  function fail(id, error) {
    const { 0: known, 1: errorName, 2: message } = told(error);
    let value = packError([], error);
    if (TypedArrayPrototypeGetByteLength(value) > MOST_OF_ERROR) value = new Uint8Array(0);
    op_fail_call(id, `Uncaught ${describe(error)}`, known, errorName, message, value);
  }

  const made = Symbol("made here");

  /** What `await` or a further call finds out of a promise or property: what it belongs to, and how to get it. */
  const states = new SafeWeakMap();

  const stateOf = (object) => WeakMapPrototypeGet(states, object) ?? webidl.illegalConstructor();

  /** A member of what another app has. It can be called, awaited, or asked for its own members. */
  class RpcProperty {
    constructor() {
      if (arguments[0] !== made) webidl.illegalConstructor();
    }
    then(resolved, rejected) {
      return PromisePrototypeThen(stateOf(this).read(), resolved, rejected);
    }
    catch(rejected) {
      return PromisePrototypeThen(stateOf(this).read(), undefined, rejected);
    }
    finally(settled) {
      return PromisePrototypeFinally(stateOf(this).read(), settled);
    }
  }

  /** What a call will return. */
  class RpcPromise extends RpcProperty {
    constructor() {
      super(arguments[0]);
    }
  }

  const INDEX = new SafeRegExp(/^(?:0|[1-9]\d*)$/u);

  /** Whether a member of this name is none of another app: a symbol, an index, or what the language itself asks for. */
  const isOurs = (key) => typeof key === "symbol" || key === "then" || key === "toJSON" || RegExpPrototypeTest(INDEX, key);

  const handler = {
    __proto__: null,
    get: (target, key, receiver) => key in target || isOurs(key) ? ReflectGet(target, key, receiver) : stateOf(receiver).member(key),
    has: (target, key) => key in target || !isOurs(key),
    apply: (target, _, args) => WeakMapPrototypeGet(states, target).call(args),
  };

  /** Makes a callable object of a class with this state. */
  function callable(prototype, state) {
    const target = () => {};
    delete target.length;
    delete target.name;
    ObjectSetPrototypeOf(target, prototype);
    const object = new Proxy(target, handler);
    WeakMapPrototypeSet(states, target, state);
    WeakMapPrototypeSet(states, object, state);
    return object;
  }

  /** The member that a path leads to. `reach` calls it, or reads it if there are no arguments. */
  function property(reach, path) {
    return callable(RpcProperty.prototype, {
      __proto__: null,
      read: () => reach(path),
      call: (args) => promised(reach(path, args)),
      member: (name) => property(reach, [...path, name]),
    });
  }

  /** What is to come. */
  function promised(promise) {
    // What of it is used before it has come waits for it.
    const reach = (path, args) =>
      PromisePrototypeThen(promise, (value) => {
        try {
          return use(follow(value, path), path, args);
        } catch (error) {
          throw remote(error);
        }
      });
    return callable(RpcPromise.prototype, {
      __proto__: null,
      read: () => promise,
      call: (args) => promised(reach([], args)),
      member: (name) => property(reach, [name]),
    });
  }

  for (const { 0: constructor, 1: name } of [[RpcProperty, "JsRpcProperty"], [RpcPromise, "JsRpcPromise"]]) {
    ObjectDefineProperty(constructor.prototype, SymbolToStringTag, { __proto__: null, value: name, configurable: true });
  }
  ObjectDefineProperty(RpcPromise.prototype, SymbolDispose, {
    __proto__: null,
    value() {},
    configurable: true,
    writable: true,
  });

  /** Returns a member of what the binding with this number stands for. */
  const bindingMember = (number, name) => property((path, args) => callBinding(number, path, args), [name]);

  return { answer, bindingMember, isOurs, RpcPromise, RpcProperty };
})();
