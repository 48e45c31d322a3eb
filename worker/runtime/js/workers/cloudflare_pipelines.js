// The module cloudflare:pipelines: the base class of what changes records on their way. No pipeline calls it.
(function () {
  const { core, primordials } = __bootstrap;
  const { Error } = primordials;
  const { WorkerEntrypoint } = core.loadExtScript("ext:nano_workers/entrypoints.js");

  class PipelineTransformationEntrypoint extends WorkerEntrypoint {
    async run() {
      throw new Error("should be implemented by parent");
    }
  }
  return { PipelineTransformationEntrypoint };
})();
