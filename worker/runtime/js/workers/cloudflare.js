// The module cloudflare:workers. Its exports are the properties of the object returned here.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    Error,
    ObjectGetPrototypeOf,
    Proxy,
    ReflectApply,
    ReflectDefineProperty,
    ReflectDeleteProperty,
    ReflectGet,
    ReflectGetOwnPropertyDescriptor,
    ReflectHas,
    ReflectOwnKeys,
    ReflectSet,
    SafeArrayIterator,
    TypeError,
  } = primordials;
  const { getAsyncContext, setAsyncContext } = core;
  const { app, inBackground } = core.loadExtScript("ext:nano_workers/context.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  /** The base class for an app's default export. */
  class WorkerEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }

  // No binding can call these classes. They exist so that apps which also export subclasses of them load.
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
  class RpcTarget {}

  /** Works like `ctx.waitUntil`, for code that has no `ctx`. */
  function waitUntil(promise) {
    webidl.requiredArguments(arguments.length, 1, "Failed to execute 'waitUntil'");
    inBackground(promise);
  }

  /** Stands for the object that `current` returns. */
  const stand = (current) =>
    new Proxy({}, {
      __proto__: null,
      defineProperty: (_, key, descriptor) => ReflectDefineProperty(current(), key, descriptor),
      deleteProperty: (_, key) => ReflectDeleteProperty(current(), key),
      get: (_, key) => ReflectGet(current(), key),
      getOwnPropertyDescriptor: (_, key) => ReflectGetOwnPropertyDescriptor(current(), key),
      getPrototypeOf: () => ObjectGetPrototypeOf(current()),
      has: (_, key) => ReflectHas(current(), key),
      ownKeys: () => ReflectOwnKeys(current()),
      set: (_, key, value) => ReflectSet(current(), key, value),
    });
  const NONE = {};
  const isObject = (value) => typeof value === "object" && value !== null;
  const env = stand(() => getAsyncContext()?.env ?? app.env);

  /** Calls `action` in an async context with another env. What it starts has that env, too. */
  function withEnv(other, action) {
    const prefix = "Failed to execute 'withEnv'";
    webidl.requiredArguments(arguments.length, 2, prefix);
    if (typeof action !== "function") throw new TypeError(`${prefix}: Argument 2 is not a function`);
    if (other === undefined) return action();
    const before = getAsyncContext();
    setAsyncContext({ __proto__: null, ...before, env: isObject(other) ? other : NONE });
    try {
      return action();
    } finally {
      setAsyncContext(before);
    }
  }

  /** A part of a trace of the app's own. No such part is recorded. */
  class Span {
    get isTraced() {
      return false;
    }
    end() {}
    recordException() {
      return this;
    }
    setAttribute() {
      return this;
    }
    setAttributes() {
      return this;
    }
    setStatus() {
      return this;
    }
    updateName() {
      return this;
    }
  }
  const tracing = {
    enterSpan: (_name, action, ...args) => ReflectApply(action, undefined, [new Span(), ...new SafeArrayIterator(args)]),
  };

  // No app can call another one. As on Workers, the first three cannot be made by an app.
  class RpcPromise {
    constructor() {
      webidl.illegalConstructor();
    }
  }
  class RpcProperty {
    constructor() {
      webidl.illegalConstructor();
    }
  }
  class ServiceStub {
    constructor() {
      webidl.illegalConstructor();
    }
  }
  class RpcStub {
    constructor() {
      throw new Error("RpcStub is not available: no app can call another one");
    }
  }

  return {
    DurableObject,
    env,
    RpcPromise,
    RpcProperty,
    RpcStub,
    RpcTarget,
    ServiceStub,
    tracing,
    waitUntil,
    withEnv,
    WorkerEntrypoint,
    WorkflowEntrypoint,
  };
})();
