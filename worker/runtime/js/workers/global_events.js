// Uncaught errors and unhandled rejections: each becomes an event of the global object and is logged unless it is cancelled.
// https://html.spec.whatwg.org/#report-an-exception and #unhandled-promise-rejections
(function () {
  const { core, primordials } = __bootstrap;
  const {
    Error,
    MapPrototypeGet,
    SafeWeakSet,
    String,
    StringPrototypeStartsWith,
    TypeError,
    WeakSetPrototypeAdd,
    WeakSetPrototypeDelete,
  } = primordials;
  const { op_uncaught } = core.ops;
  const {
    defineEventHandler,
    dispatch,
    ErrorEvent,
    listenerCount,
    PromiseRejectionEvent,
    setIsTrusted,
    setReportException,
  } = core.loadExtScript("ext:deno_web/02_event.js");
  const { awaited } = core.loadExtScript("ext:nano_workers/context.js");
  const { describe } = core.loadExtScript("ext:nano_workers/respond.js");
  const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");

  let reporting = false;
  // Rejections that were reported to a listener which did not cancel the event.
  let outstanding;

  /** Returns the id of the request that the running or the rejected code belongs to, or zero if there is none. */
  function requestNow() {
    return core.getAsyncContext()?.request ?? 0;
  }

  /** Dispatches an event at the global object. Returns whether a listener has cancelled it. */
  function isCancelled(event) {
    setIsTrusted(event, true);
    return !dispatch(globalThis, event);
  }

  /** Returns where an error was created. A value that is not an Error does not say, so the current position is used. */
  function placeOf(error) {
    const { frames } = core.destructureError(core.isNativeError(error) ? error : new Error());
    for (let i = 0; i < frames.length; i++) {
      const { fileName, lineNumber, columnNumber } = frames[i];
      if (typeof fileName === "string" && fileName !== "" && !StringPrototypeStartsWith(fileName, "ext:")) {
        return { filename: fileName, lineno: lineNumber, colno: columnNumber };
      }
    }
    return { filename: "", lineno: 0, colno: 0 };
  }

  // Calls no getter of the value.
  function messageOf(error) {
    if (core.isNativeError(error)) return core.destructureError(error).exceptionMessage;
    return `Uncaught ${typeof error === "object" && error !== null ? "#<Object>" : String(error)}`;
  }

  function reportException(error) {
    // An error that an "error" listener throws is only logged.
    if (!reporting && listenerCount(globalThis, "error") > 0) {
      reporting = true;
      try {
        const { filename, lineno, colno } = placeOf(error);
        const init = { __proto__: null, cancelable: true, message: messageOf(error), filename, lineno, colno, error };
        if (isCancelled(new ErrorEvent("error", init))) return;
      } finally {
        reporting = false;
      }
    }
    op_uncaught(`Uncaught ${describe(error)}`, requestNow());
  }

  /** A listener or a timer has thrown. A scheduled run to which it belongs has failed, as on Workers. */
  function onException(error) {
    MapPrototypeGet(awaited, requestNow())?.fail();
    reportException(error);
  }

  function onUnhandledRejection(promise, reason) {
    if (listenerCount(globalThis, "unhandledrejection") > 0) {
      const init = { __proto__: null, cancelable: true, promise, reason };
      if (isCancelled(new PromiseRejectionEvent("unhandledrejection", init))) return true;
    }
    op_uncaught(`Uncaught (in promise) ${describe(reason)}`, requestNow());
    outstanding ??= new SafeWeakSet();
    WeakSetPrototypeAdd(outstanding, promise);
    return true;
  }

  function onLateHandler(promise, reason) {
    if (outstanding === undefined || !WeakSetPrototypeDelete(outstanding, promise)) return;
    if (listenerCount(globalThis, "rejectionhandled") > 0) {
      isCancelled(new PromiseRejectionEvent("rejectionhandled", { __proto__: null, promise, reason }));
    }
  }

  function reportError(error) {
    if (this !== undefined && this !== null && this !== globalThis) throw new TypeError("Illegal invocation");
    webidl.requiredArguments(arguments.length, 1, "Failed to execute 'reportError'");
    reportException(error);
  }

  setReportException(onException);
  core.setReportExceptionCallback(onException);
  core.setUnhandledPromiseRejectionHandler(onUnhandledRejection);
  defineEventHandler(globalThis, "error", undefined, true);
  defineEventHandler(globalThis, "rejectionhandled");
  defineEventHandler(globalThis, "unhandledrejection");

  /** Registers the handlers that can only be set in a live isolate, not in the snapshot. */
  function listen() {
    core.setHandledPromiseRejectionHandler(onLateHandler);
  }

  return { listen, reportError };
})();
