// The module cloudflare:workers. Its exports are the properties of the object returned here.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    Error,
    Symbol,
    TypeError,
  } = primordials;
  const { getAsyncContext, setAsyncContext } = core;
  const { app, inBackground } = core.loadExtScript("ext:nano_workers/context.js");
  const { RpcTarget, WorkerEntrypoint } = core.loadExtScript("ext:nano_workers/entrypoints.js");
  const { Fetcher } = core.loadExtScript("ext:nano_workers/fetcher.js");
  const { RpcPromise, RpcProperty, RpcStub } = core.loadExtScript("ext:nano_workers/stubs.js");
  const { tracing } = core.loadExtScript("ext:nano_workers/tracing.js");
  const { standIn } = core.loadExtScript("ext:nano_platform/stand_in.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  // Nothing calls these classes. They exist so that apps which also export subclasses of them load.
  class DurableObject {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }
  class WorkflowEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }

  /** Works like `ctx.waitUntil`, for code that has no `ctx`. */
  function waitUntil(promise) {
    webidl.requiredArguments(arguments.length, 1, "Failed to execute 'waitUntil'");
    inBackground(promise);
  }

  const NONE = {};
  const isObject = (value) => typeof value === "object" && value !== null;
  const env = standIn(() => getAsyncContext()?.env ?? app.env);

  /** Calls `action` in an async context with another env. What it starts has that env, too. */
  function withEnv(other, action) {
    const prefix = "Failed to execute 'withEnv'";
    webidl.requiredArguments(arguments.length, 2, prefix);
    return inContext(other === undefined ? {} : { env: orNone(other) }, action, prefix);
  }

  // The entrypoints of the app itself.
  const exports = standIn(() => getAsyncContext()?.exports ?? core.loadExtScript("ext:nano_workers/loopback.js").ownExports());

  function inContext(changes, action, prefix) {
    if (typeof action !== "function") throw new TypeError(`${prefix}: the last argument is not a function`);
    const before = getAsyncContext();
    setAsyncContext({ __proto__: null, ...before, ...changes });
    try {
      return action();
    } finally {
      setAsyncContext(before);
    }
  }
  const orNone = (value) => isObject(value) ? value : NONE;

  /** Calls `action` in an async context with other exports. What it starts has those exports, too. */
  function withExports(other, action) {
    const prefix = "Failed to execute 'withExports'";
    webidl.requiredArguments(arguments.length, 2, prefix);
    return inContext(other === undefined ? {} : { exports: orNone(other) }, action, prefix);
  }

  function withEnvAndExports(otherEnv, otherExports, action) {
    const prefix = "Failed to execute 'withEnvAndExports'";
    webidl.requiredArguments(arguments.length, 3, prefix);
    return withEnv(otherEnv, () => withExports(otherExports, action));
  }

  function abortIsolate() {
    throw new Error("abortIsolate() of cloudflare:workers is not available: the worker serves other requests");
  }

  // On Workers without a cache of entrypoints, it has no members either.
  const cache = standIn(() => NONE);

  return {
    abortIsolate,
    cache,
    DurableObject,
    env,
    exports,
    // The method by which objects that outlive their worker are made again. None do.
    restore: Symbol("cloudflare:workers:restore"),
    RpcPromise,
    RpcProperty,
    RpcStub,
    RpcTarget,
    ServiceStub: Fetcher,
    tracing,
    waitUntil,
    withEnv,
    withEnvAndExports,
    withExports,
    WorkerEntrypoint,
    WorkflowEntrypoint,
  };
})();
