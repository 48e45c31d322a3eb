// Replaces the library's file of this name, whose types the build cannot strip: questions that are answered by promises.
(function () {
  const { core, primordials } = __bootstrap;
  const { Promise } = primordials;
  const { Readline } = core.loadExtScript("ext:deno_node/internal/readline/promises.mjs");
  const { Interface: Base, kQuestion, kQuestionCancel } = core.loadExtScript(
    "ext:deno_node/internal/readline/interface.mjs",
  );
  const { AbortError } = core.loadExtScript("ext:deno_node/internal/errors.ts");
  const { validateAbortSignal } = core.loadExtScript("ext:deno_node/internal/validators.mjs");

  class Interface extends Base {
    question(query, options = undefined) {
      const signal = options?.signal;
      return new Promise((resolve, reject) => {
        if (signal === undefined) return this[kQuestion](query, resolve);
        validateAbortSignal(signal, "options.signal");
        const refuse = () => reject(new AbortError(undefined, { cause: signal.reason }));
        if (signal.aborted) return refuse();
        const abort = () => {
          this[kQuestionCancel]();
          refuse();
        };
        signal.addEventListener("abort", abort, { once: true });
        this[kQuestion](query, (answer) => {
          signal.removeEventListener("abort", abort);
          resolve(answer);
        });
      });
    }
  }

  const createInterface = (...settings) => new Interface(...settings);
  return { createInterface, default: { createInterface, Interface, Readline }, Interface, Readline };
})();
