// A scheduled run: the arguments of the app's handler for it, and how it ends.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    MapPrototypeDelete,
    MapPrototypeSet,
    ObjectDefineProperties,
    PromisePrototypeThen,
    PromiseResolve,
  } = primordials;
  const { op_scheduled_ended } = core.ops;
  const { awaited, inBackground } = core.loadExtScript("ext:nano_workers/context.js");
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");
  const { describe } = core.loadExtScript("ext:nano_workers/respond.js");
  const { Event } = core.loadExtScript("ext:deno_web/02_event.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  const ERROR = 3;

  /** One run. It ends when the handler and all its background work have settled. */
  class Run {
    noRetry = false;
    /** How much of it has not settled. */
    pending = 1;
    #id;
    #isOk = true;

    constructor(id) {
      this.#id = id;
      MapPrototypeSet(awaited, id, this);
    }
    fail() {
      this.#isOk = false;
    }
    leave() {
      if (--this.pending > 0) return;
      MapPrototypeDelete(awaited, this.#id);
      op_scheduled_ended(this.#id, this.#isOk, this.noRetry);
    }
    /** The handler has thrown or rejected. */
    failed(error) {
      log(`Uncaught ${describe(error)}`, ERROR);
      this.fail();
      this.leave();
    }
    /** The handler has returned. */
    returned(result) {
      PromisePrototypeThen(PromiseResolve(result), () => this.leave(), (error) => this.failed(error));
    }
  }

  /** As on Workers, these two are properties of each object. */
  function describeRun(object, cron, scheduledTime) {
    const readable = (value) => ({ __proto__: null, configurable: true, enumerable: true, value, writable: false });
    ObjectDefineProperties(object, { __proto__: null, cron: readable(cron), scheduledTime: readable(scheduledTime) });
  }

  /** The first argument of a `scheduled` handler. */
  class ScheduledController {
    #run;
    constructor(key, run, cron, scheduledTime) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      this.#run = run;
      describeRun(this, cron, scheduledTime);
    }
    get type() {
      return this.#run && "scheduled";
    }
    noRetry() {
      this.#run.noRetry = true;
    }
  }
  webidl.configureInterface(ScheduledController);

  /** What `addEventListener("scheduled", ...)` receives. */
  class ScheduledEvent extends Event {
    #run;
    constructor(key, run, cron, scheduledTime) {
      if (key !== webidl.brand) webidl.illegalConstructor();
      super("scheduled");
      this.#run = run;
      describeRun(this, cron, scheduledTime);
    }
    noRetry() {
      this.#run.noRetry = true;
    }
    waitUntil(promise) {
      webidl.requiredArguments(arguments.length, 1, "Failed to execute 'waitUntil' on 'ScheduledEvent'");
      inBackground(promise);
    }
  }
  webidl.configureInterface(ScheduledEvent);

  return { Run, ScheduledController, ScheduledEvent };
})();
