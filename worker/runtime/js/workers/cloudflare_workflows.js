// The module cloudflare:workflows: the error that ends a step of a workflow for good.
(function () {
  const { Error } = __bootstrap.primordials;

  class NonRetryableError extends Error {
    constructor(message, name = "NonRetryableError") {
      super(message);
      this.name = name;
    }
  }
  return { NonRetryableError };
})();
