// What a path leads to from a value of this app: the members of what is its own, and of what it holds of another app.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeJoin,
    ArrayPrototypeSlice,
    ObjectPrototype,
    ReflectApply,
    SafeWeakMap,
    TypeError,
    WeakMapPrototypeGet,
  } = primordials;
  const { app } = core.loadExtScript("ext:nano_workers/context.js");
  const { entrypoint, isEntrypoint, member, memberOfTarget, missing, refuseReserved } = core.loadExtScript(
    "ext:nano_workers/entrypoints.js",
  );

  /** By what stands for something that is called: a stub, a promise or a property. `reach(path, args)` of its state calls that. */
  const states = new SafeWeakMap();

  /** Whether a value stands for a service: another app, or an entrypoint of this one. */
  const isService = (value) => WeakMapPrototypeGet(states, value)?.isService === true;

  /** Calls a value that a path has led to, or returns it. */
  function use(value, owner, path, args) {
    if (args === undefined) return value;
    if (typeof value !== "function") throw new TypeError(`"${ArrayPrototypeJoin(path, ".") || "(this)"}" is not a function.`);
    // A function of its own is called as itself, as on Workers.
    return ReflectApply(value, owner ?? value, args);
  }

  /** Calls what a path leads to from a value, or returns it. Without `args`, it is read. The first `from` members were found already. */
  function reachInto(value, path, args, from = 0) {
    let owner;
    for (let i = from; i <= path.length; i++) {
      const state = WeakMapPrototypeGet(states, value);
      // What it returns is this app's, until it is passed on.
      if (state !== undefined && (i < path.length || args !== undefined)) return state.reach(ArrayPrototypeSlice(path, i), args).promise;
      if (i === path.length) break;
      owner = value;
      value = member(owner, path[i], path[i - 1] ?? path[i]);
    }
    return use(value, owner, path, args);
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
      const found = memberOfTarget(target, first);
      return path.length === 1 ? use(found, target, path, args) : reachInto(found, path, args, 1);
    }
    refuseReserved(first);
    const found = typeof value === "object" && value !== null ? value[first] : undefined;
    if (found === undefined || found === ObjectPrototype[first]) throw missing(first);
    if (path.length > 1) return reachInto(found, path, args, 1);
    if (args !== undefined && typeof found === "function") {
      if (args.length !== 1) {
        throw new TypeError(`Attempted to call RPC function "${first}" with the wrong number of arguments. ${ONE_ARGUMENT}`);
      }
      args = [args[0], app.env, ctx];
    }
    return use(found, value, path, args);
  }

  return { isService, reachInto, states, useEntrypoint };
})();
