// Event handler attributes such as `onmessage`. Each is one listener, which keeps the position at which it was first set.
// https://html.spec.whatwg.org/#event-handler-attributes
(function () {
  const { core, primordials } = __bootstrap;
  const {
    FunctionPrototypeCall,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectPrototypeIsPrototypeOf,
    Symbol,
  } = primordials;
  const { checkTarget } = core.loadExtScript("ext:nano_platform/event.js");
  const { ErrorEvent } = core.loadExtScript("ext:nano_platform/event_types.js");
  const _handlers = Symbol("event handlers");

  /** Runs a handler for an event. With `isGlobalError`, the handler takes five arguments instead of the event. */
  function invoke(target, handler, event, isGlobalError) {
    if (typeof handler !== "function") return;
    if (isGlobalError && ObjectPrototypeIsPrototypeOf(ErrorEvent.prototype, event)) {
      const { message, filename, lineno, colno, error } = event;
      const handled = FunctionPrototypeCall(handler, target, message, filename, lineno, colno, error);
      if (handled === true) event.preventDefault();
    } else if (FunctionPrototypeCall(handler, target, event) === false) {
      event.preventDefault();
    }
  }

  /** Defines `on<type>` on a prototype or on the global object. `activate` is called when a handler is set. */
  function defineEventHandler(object, type, activate = undefined, isGlobalError = false) {
    const name = `on${type}`;
    // The methods of this interface, which may do more than those of EventTarget.
    const { addEventListener, removeEventListener } = object;
    const accessors = {
      get [name]() {
        return checkTarget(this)[_handlers]?.[type]?.handler ?? null;
      },
      set [name](value) {
        const target = checkTarget(this);
        const handlers = target[_handlers] ??= { __proto__: null };
        const present = handlers[type];
        // [LegacyTreatNonObjectAsNull]
        if (value === null || (typeof value !== "object" && typeof value !== "function")) {
          if (present === undefined) return;
          FunctionPrototypeCall(removeEventListener, target, type, present.listener);
          handlers[type] = undefined;
          return;
        }
        if (present === undefined) {
          const entry = { handler: value, listener: (event) => invoke(target, entry.handler, event, isGlobalError) };
          handlers[type] = entry;
          FunctionPrototypeCall(addEventListener, target, type, entry.listener);
        } else {
          present.handler = value;
        }
        activate?.(target);
      },
    };
    // An app may have given every object a `value` before this runs.
    ObjectDefineProperty(object, name, { __proto__: null, ...ObjectGetOwnPropertyDescriptor(accessors, name) });
  }

  return { defineEventHandler };
})();
