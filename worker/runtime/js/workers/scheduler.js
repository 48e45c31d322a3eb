// scheduler: pauses and yields as promises.
(function () {
  const { core, primordials } = __bootstrap;
  const { Promise } = primordials;
  const { add, remove } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
  const { clearTimeout, defer, setTimeout } = core.loadExtScript("ext:deno_web/02_timers.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const convertOptions = webidl.createDictionaryConverter("SchedulerWaitOptions", [
    { key: "signal", converter: webidl.converters.AbortSignal },
  ]);

  class Scheduler {
    constructor() {
      webidl.illegalConstructor();
    }

    /** Resolves after `delay` milliseconds. Rejects when the signal is aborted. */
    async wait(delay, options = undefined) {
      const prefix = "Failed to execute 'wait' on 'Scheduler'";
      webidl.assertBranded(this, SchedulerPrototype);
      webidl.requiredArguments(arguments.length, 1, prefix);
      delay = webidl.converters.long(delay, prefix, "Argument 1", { clamp: true });
      const { signal } = convertOptions(options, prefix, "Argument 2");
      signal?.throwIfAborted();
      await new Promise((resolve, reject) => {
        const abort = () => {
          clearTimeout(timer);
          reject(signal.reason);
        };
        const timer = setTimeout(() => {
          signal?.[remove](abort);
          resolve();
        }, delay);
        signal?.[add](abort);
      });
    }

    /** Resolves after everything else that is ready has run. */
    async yield() {
      webidl.assertBranded(this, SchedulerPrototype);
      await new Promise((resolve) => defer(resolve));
    }
  }
  webidl.configureInterface(Scheduler);
  const SchedulerPrototype = Scheduler.prototype;

  return { scheduler: webidl.createBranded(Scheduler) };
})();
