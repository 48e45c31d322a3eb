// The module cloudflare:workers. What it exports are the properties of the object returned here.
(function () {
  const { core } = __bootstrap;
  const { app, inBackground } = core.loadExtScript("ext:nano_workers/context.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  /** The base class of an app's default export. */
  class WorkerEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }

  // There are no bindings to call these through; apps that also export such classes load all the same.
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

  /** As `ctx.waitUntil`, for code that has no `ctx` at hand. */
  function waitUntil(promise) {
    webidl.requiredArguments(arguments.length, 1, "Failed to execute 'waitUntil'");
    inBackground(promise);
  }

  return { env: app.env, waitUntil, WorkerEntrypoint, DurableObject, RpcTarget, WorkflowEntrypoint };
})();
