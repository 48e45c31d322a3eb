// The module cloudflare:workers. Its exports are the properties of the object returned here.
(function () {
  const { core } = __bootstrap;
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

  return { env: app.env, waitUntil, WorkerEntrypoint, DurableObject, RpcTarget, WorkflowEntrypoint };
})();
