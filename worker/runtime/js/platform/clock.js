// The clock of `performance` and of events: milliseconds since the worker started, and the time of that start.
(function () {
  const { core, primordials } = __bootstrap;
  const { op_now, op_time_origin } = core.ops;
  const { TypedArrayPrototypeGetBuffer, Uint32Array, Uint8Array } = primordials;

  // Seconds and nanoseconds, written by the ops.
  const bytes = new Uint8Array(8);
  const time = new Uint32Array(TypedArrayPrototypeGetBuffer(bytes));
  const milliseconds = () => time[0] * 1000 + time[1] / 1e6;
  let origin;

  function now() {
    op_now(bytes);
    return milliseconds();
  }

  /** Returns when the worker started, by the wall clock. Read at first use, since the snapshot is older than the worker. */
  function timeOrigin() {
    if (origin === undefined) {
      op_time_origin(bytes);
      origin = milliseconds();
    }
    return origin;
  }

  return { now, timeOrigin };
})();
