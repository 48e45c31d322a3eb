// The module cloudflare:durable-objects. Its function marks methods that may be called again, of objects that nothing calls here.
(function () {
  const { SafeArrayIterator, TypeError } = __bootstrap.primordials;

  function retryable(...methods) {
    for (const method of new SafeArrayIterator(methods)) {
      if (typeof method !== "function") throw new TypeError("retryable() accepts only functions.");
    }
  }
  // The name is there on Workers, without a value.
  return { onHibernate: undefined, retryable };
})();
