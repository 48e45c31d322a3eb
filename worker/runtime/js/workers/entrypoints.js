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
    ReflectApply,
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

  /** Returns a member of an object that is called by others: only what its classes define. */
  function memberOfTarget(target, name) {
    if (RESERVED[name]) throw new TypeError(`'${name}' is a reserved method and cannot be called over RPC.`);
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
    if (typeof value === "function") throw missing(name);
    const isPlain = isObject(value) && (ArrayIsArray(value) || ObjectGetPrototypeOf(value) === ObjectPrototype);
    if (!isPlain) throw missing(before);
    if (!ObjectHasOwn(value, name)) throw missing(name);
    return value[name];
  }

  /** Finds what a path leads to from `value`. Returns it, and the object that it is a member of. */
  function follow(value, path, from = 0) {
    let owner;
    for (let i = from; i < path.length; i++) {
      owner = value;
      value = member(owner, path[i], path[i - 1] ?? path[i]);
    }
    return { owner, value };
  }

  /** Calls what a path leads to, or returns it. */
  function use({ owner, value }, path, args) {
    if (args === undefined) return value;
    if (typeof value !== "function") throw new TypeError(`"${path[path.length - 1] ?? ""}" is not a function.`);
    return ReflectApply(value, owner, args);
  }

  const ONE_ARGUMENT = "When calling a top-level handler function that is not declared as part of a class, you must always send exactly " +
    "one argument. In order to support variable numbers of arguments, the server must use class-based syntax (extending " +
    "WorkerEntrypoint) instead.";

  /** Calls what a path leads to from an entrypoint, or returns it. Without `args`, it is read. */
  function useEntrypoint(name, path, args, ctx) {
    const value = entrypoint(name);
    const first = path[0];
    if (isEntrypoint(value)) {
      const target = new value(ctx, app.env);
      const found = { owner: target, value: memberOfTarget(target, first) };
      return use(path.length === 1 ? found : follow(found.value, path, 1), path, args);
    }
    if (RESERVED[first]) throw new TypeError(`'${first}' is a reserved method and cannot be called over RPC.`);
    const found = { owner: value, value: isObject(value) ? value[first] : undefined };
    if (found.value === undefined || found.value === ObjectPrototype[first]) throw missing(first);
    if (path.length > 1) return use(follow(found.value, path, 1), path, args);
    if (args !== undefined && typeof found.value === "function") {
      if (args.length !== 1) {
        throw new TypeError(`Attempted to call RPC function "${first}" with the wrong number of arguments. ${ONE_ARGUMENT}`);
      }
      args = [args[0], app.env, ctx];
    }
    return use(found, path, args);
  }

  return { entrypoint, follow, isEntrypoint, names, RpcTarget, use, useEntrypoint, WorkerEntrypoint };
})();
