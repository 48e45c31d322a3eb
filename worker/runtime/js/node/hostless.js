// Modules of Node about processes and threads, the engine, and tools. What needs no host works; the rest says why it does not.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    MapPrototypeDelete,
    MapPrototypeGet,
    MapPrototypeSet,
    ObjectAssign,
    RegExpPrototypeTest,
    SafeMap,
    Symbol,
    SymbolFor,
    SyntaxError,
  } = primordials;
  const load = core.loadExtScript;
  const { absent } = load("ext:nano_node/absent.js");

  const NO_PROCESSES = "an app cannot start processes or threads";
  const NO_ENGINE = "an app cannot reach into the engine that runs it";
  const NO_TERMINAL = "an app has no terminal";
  const NO_TESTS = "tests run in Node, beside the app";
  const nothing = () => {};

  const childProcess = () =>
    absent("child_process", NO_PROCESSES, {
      classes: ["ChildProcess"],
      functions: ["_forkChild", "exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"],
    });

  /** As in Node, the module is an emitter: that of the only process, which is the primary. */
  function cluster() {
    const { EventEmitter } = load("ext:deno_node/_events.mjs");
    class Cluster extends EventEmitter {}
    class Worker extends EventEmitter {}
    return ObjectAssign(new Cluster(), {
      ...absent("cluster", NO_PROCESSES, { functions: ["disconnect", "fork", "setupMaster", "setupPrimary"] }),
      Cluster,
      SCHED_NONE: 1,
      SCHED_RR: 2,
      Worker,
      isMaster: true,
      isPrimary: true,
      isWorker: false,
      schedulingPolicy: 2,
      settings: {},
      workers: {},
    });
  }

  function workerThreads() {
    const { BroadcastChannel } = load("ext:deno_web/01_broadcast_channel.js");
    const { MessageChannel, MessagePort } = load("ext:deno_web/13_message_port.js");
    const data = new SafeMap();
    return {
      ...absent("worker_threads", NO_PROCESSES, {
        classes: ["Worker"],
        functions: ["moveMessagePortToContext", "postMessageToThread", "receiveMessageOnPort"],
      }),
      BroadcastChannel,
      MessageChannel,
      MessagePort,
      SHARE_ENV: SymbolFor("nodejs.worker_threads.SHARE_ENV"),
      getEnvironmentData: (key) => MapPrototypeGet(data, key),
      isInternalThread: false,
      isMainThread: true,
      isMarkedAsUntransferable: () => false,
      markAsUncloneable: nothing,
      markAsUntransferable: nothing,
      parentPort: null,
      resourceLimits: {},
      setEnvironmentData(key, value) {
        if (value === undefined) MapPrototypeDelete(data, key);
        else MapPrototypeSet(data, key, value);
      },
      threadId: 0,
      workerData: null,
    };
  }

  function all(names, value) {
    const made = {};
    for (let i = 0; i < names.length; i++) made[names[i]] = value;
    return made;
  }

  /** No debugger ever connects, so what would be told to one is dropped. */
  const inspector = (module) => ({
    ...absent(module, NO_ENGINE, { classes: ["Session"], functions: ["open", "waitForDebugger"] }),
    Network: all([
      "requestWillBeSent", "dataReceived", "dataSent", "responseReceived", "loadingFinished", "loadingFailed",
      "webSocketCreated", "webSocketHandshakeResponseReceived", "webSocketClosed",
    ], nothing),
    close: nothing,
    console: all([
      "debug", "error", "info", "log", "warn", "dir", "dirxml", "table", "trace", "group", "groupCollapsed", "groupEnd",
      "clear", "count", "countReset", "assert", "profile", "profileEnd", "time", "timeLog", "timeStamp",
    ], nothing),
    url: nothing,
  });

  /** What the engine knows of its heap. As on Workers, what is not told is zero. */
  function getHeapStatistics() {
    const { heapTotal, heapUsed, physicalTotal } = core.memoryUsage();
    return {
      total_heap_size: heapTotal,
      total_heap_size_executable: 0,
      total_physical_size: physicalTotal,
      total_available_size: 0,
      used_heap_size: heapUsed,
      heap_size_limit: 0,
      malloced_memory: 0,
      peak_malloced_memory: 0,
      does_zap_garbage: 0,
      number_of_native_contexts: 0,
      number_of_detached_contexts: 0,
      total_global_handles_size: 0,
      used_global_handles_size: 0,
      external_memory: core.ops.op_native_memory(),
    };
  }

  function v8() {
    const { validateString } = load("ext:deno_node/internal/validators.mjs");
    return {
      ...absent("v8", NO_ENGINE, {
        classes: ["DefaultDeserializer", "DefaultSerializer", "Deserializer", "GCProfiler", "Serializer"],
        functions: [
          "cachedDataVersionTag", "deserialize", "getCppHeapStatistics", "getHeapCodeStatistics", "getHeapSnapshot",
          "queryObjects", "serialize", "stopCoverage", "takeCoverage", "writeHeapSnapshot",
        ],
      }),
      getHeapSpaceStatistics: () => [],
      getHeapStatistics,
      isStringOneByteRepresentation(content) {
        validateString(content, "content");
        return !RegExpPrototypeTest(/[^\0-\xff]/, content);
      },
      promiseHooks: absent("v8.promiseHooks", NO_ENGINE, {
        functions: ["createHook", "onInit", "onBefore", "onAfter", "onSettled"],
      }),
      // Advice to the engine, which libraries give while they load. It is not taken.
      setFlagsFromString: (flags) => validateString(flags, "flags"),
      setHeapSnapshotNearHeapLimit: nothing,
      startupSnapshot: {
        ...absent("v8.startupSnapshot", NO_ENGINE, {
          functions: ["addSerializeCallback", "addDeserializeCallback", "setDeserializeMainFunction"],
        }),
        isBuildingSnapshot: () => false,
      },
    };
  }

  function repl() {
    const { builtinModules } = load("ext:nano_node/module.js");
    class Recoverable extends SyntaxError {
      constructor(error) {
        super();
        this.err = error;
      }
    }
    return {
      ...absent("repl", NO_TERMINAL, { classes: ["REPLServer"], functions: ["start", "writer"] }),
      REPL_MODE_SLOPPY: Symbol("repl-sloppy"),
      REPL_MODE_STRICT: Symbol("repl-strict"),
      Recoverable,
      _builtinLibs: builtinModules,
      builtinModules,
    };
  }

  /** The arguments of its action names, in the order in which SQLite numbers them from zero or one. */
  function numbered(prefix, first, names) {
    const made = {};
    for (let i = 0; i < names.length; i++) made[`SQLITE_${prefix}${names[i]}`] = first + i;
    return made;
  }

  const sqlite = () => ({
    ...absent("sqlite", "an app has no files on a disk", {
      classes: ["DatabaseSync", "StatementSync"],
      promised: ["backup"],
    }),
    constants: {
      ...numbered("CHANGESET_", 0, ["OMIT", "REPLACE", "ABORT"]),
      ...numbered("CHANGESET_", 1, ["DATA", "NOTFOUND", "CONFLICT", "CONSTRAINT", "FOREIGN_KEY"]),
      ...numbered("", 0, ["OK", "DENY", "IGNORE"]),
      ...numbered("", 1, [
        "CREATE_INDEX", "CREATE_TABLE", "CREATE_TEMP_INDEX", "CREATE_TEMP_TABLE", "CREATE_TEMP_TRIGGER", "CREATE_TEMP_VIEW",
        "CREATE_TRIGGER", "CREATE_VIEW", "DELETE", "DROP_INDEX", "DROP_TABLE", "DROP_TEMP_INDEX", "DROP_TEMP_TABLE",
        "DROP_TEMP_TRIGGER", "DROP_TEMP_VIEW", "DROP_TRIGGER", "DROP_VIEW", "INSERT", "PRAGMA", "READ", "SELECT",
        "TRANSACTION", "UPDATE", "ATTACH", "DETACH", "ALTER_TABLE", "REINDEX", "ANALYZE", "CREATE_VTABLE", "DROP_VTABLE",
        "FUNCTION", "SAVEPOINT",
      ]),
      SQLITE_COPY: 0,
      SQLITE_RECURSIVE: 33,
    },
  });

  function test() {
    const functions = [
      "after", "afterEach", "before", "beforeEach", "describe", "it", "only", "run", "skip", "suite", "test", "todo",
    ];
    const names = absent("test", NO_TESTS, { functions });
    return ObjectAssign(names.test, names, load("ext:workerd/test.js").default);
  }

  const traceEvents = () => ({
    ...absent("trace_events", NO_ENGINE, { functions: ["createTracing"] }),
    getEnabledCategories: nothing,
  });

  const wasi = () =>
    absent("wasi", "an app has no files on a disk and no terminal to give to a program; use WebAssembly.instantiate()", {
      classes: ["WASI"],
    });

  return {
    childProcess,
    cluster,
    inspector,
    repl,
    sqlite,
    test,
    traceEvents,
    v8,
    wasi,
    workerThreads,
  };
})();
