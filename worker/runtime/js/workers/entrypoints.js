// What of the app other apps reach: its entrypoints, and of each the members that may be called or read, by the rules of Workers.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayIsArray,
    ArrayPrototypeJoin,
    ArrayPrototypePush,
    Error,
    ObjectGetPrototypeOf,
    ObjectHasOwn,
    ObjectKeys,
    ObjectPrototype,
    ObjectPrototypeIsPrototypeOf,
    ReflectGet,
    TypeError,
  } = primordials;
  const { app } = core.loadExtScript("ext:nano_workers/context.js");

  /** The base class of entrypoints. */
  class WorkerEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }

  /** The base class of objects that other apps call. */
  class RpcTarget {}

  /** Longest name of an entrypoint that anybody is told. */
  const MOST = 256;

  const isEntrypoint = (value) =>
    typeof value === "function" && ObjectPrototypeIsPrototypeOf(WorkerEntrypoint.prototype, value.prototype);

  const isObject = (value) => typeof value === "object" && value !== null;

  function hasFunction(object) {
    const keys = ObjectKeys(object);
    for (let i = 0; i < keys.length; i++) if (typeof object[keys[i]] === "function") return true;
    return false;
  }

  /** Returns the names of the entrypoints besides the default one. */
  function names() {
    const found = [];
    const { namespace } = app;
    const keys = ObjectKeys(namespace);
    for (let i = 0; i < keys.length; i++) {
      const value = namespace[keys[i]];
      const isOne = isEntrypoint(value) || (isObject(value) && hasFunction(value));
      if (keys[i] !== "default" && keys[i].length <= MOST && isOne) ArrayPrototypePush(found, keys[i]);
    }
    return found;
  }

  /** Returns the entrypoint of this name; the empty name is that of the default one. */
  function entrypoint(name) {
    if (name === "") return app.exported;
    const value = ObjectHasOwn(app.namespace, name) ? app.namespace[name] : undefined;
    if (isEntrypoint(value) || isObject(value)) return value;
    const known = names();
    const others = known.length === 0 ? "only the default one" : ArrayPrototypeJoin(known, ", ");
    const why = typeof value === "function" ? ` (${name} does not extend WorkerEntrypoint)` : "";
    throw new Error(`The app has no entrypoint "${name}"${why}. It has ${others}.`);
  }

  const missing = (name) => new TypeError(`The RPC receiver does not implement the method "${name}".`);

  const RESERVED = {
    __proto__: null,
    alarm: true,
    connect: true,
    constructor: true,
    dup: true,
    fetch: true,
    webSocketClose: true,
    webSocketError: true,
    webSocketMessage: true,
  };

  function refuseReserved(name) {
    if (RESERVED[name]) throw new TypeError(`'${name}' is a reserved method and cannot be called over RPC.`);
  }

  /** Returns a member of an object that is called by others: only what its classes define. */
  function memberOfTarget(target, name) {
    refuseReserved(name);
    if (ObjectHasOwn(target, name)) throw missing(name);
    for (let owner = ObjectGetPrototypeOf(target); owner !== null; owner = ObjectGetPrototypeOf(owner)) {
      if (owner === ObjectPrototype) break;
      if (ObjectHasOwn(owner, name)) return ReflectGet(owner, name, target);
    }
    throw missing(name);
  }

  const isTarget = (value) => ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, value);

  /** Returns a member of a value that a call returns. `before` is the name of the value. */
  function member(value, name, before) {
    if (isTarget(value)) return memberOfTarget(value, name);
    const isPlain = typeof value === "function" ||
      (isObject(value) && (ArrayIsArray(value) || ObjectGetPrototypeOf(value) === ObjectPrototype));
    if (!isPlain) throw missing(before);
    if (!ObjectHasOwn(value, name)) throw missing(name);
    return value[name];
  }

  return { entrypoint, isEntrypoint, member, memberOfTarget, missing, names, refuseReserved, RpcTarget, WorkerEntrypoint };
})();
