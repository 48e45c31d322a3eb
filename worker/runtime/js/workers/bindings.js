// What stands in `env` for another app, or for the app's own static files.
(function () {
  const { core, primordials } = __bootstrap;
  const { PromisePrototypeThen, ReflectDeleteProperty } = primordials;
  const { callBinding } = core.loadExtScript("ext:nano_workers/calls.js");
  const { fetcherOf } = core.loadExtScript("ext:nano_workers/fetcher.js");
  const { fetch: fetchAnything } = core.loadExtScript("ext:deno_fetch/26_fetch.js");
  const { toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");

  /** Makes the error that the other app has thrown what it is on Workers. */
  function asThrown(error) {
    const name = error?.remoteName;
    if (typeof name !== "string") throw error;
    ReflectDeleteProperty(error, "remoteName");
    if (error.name !== name) error.name = name;
    error.remote = true;
    throw error;
  }

  /** Sends a request to the binding with this number. */
  function fetchFrom(number, request) {
    // By it, the request is known to be for a binding, and for which one.
    toInnerRequest(request).clientRid = number;
    return PromisePrototypeThen(fetchAnything(request), undefined, asThrown);
  }

  /** Returns the object for the binding with this number. */
  const binding = (number) =>
    fetcherOf({
      fetch: (request) => fetchFrom(number, request),
      reach: (path, args) => callBinding(number, path, args),
    });

  return { binding, fetchFrom };
})();
