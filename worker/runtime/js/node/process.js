// node:process without the parts that need the host. It loads little: many apps use only `env`.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    BigInt,
    Error,
    ErrorCaptureStackTrace,
    ErrorPrototype,
    JSONParse,
    MathFloor,
    MathRound,
    MathTrunc,
    ObjectDefineProperties,
    ObjectDefineProperty,
    ObjectFreeze,
    ObjectHasOwn,
    ObjectPrototypeIsPrototypeOf,
    Proxy,
    ReflectApply,
    ReflectDefineProperty,
    String,
    StringPrototypeStartsWith,
    SymbolToStringTag,
    TypeError,
  } = primordials;
  const load = core.loadExtScript;
  const { isDevelopment, variables } = load("ext:nano_workers/app.js");
  const { log } = load("ext:nano_workers/globals.js");
  const { performance } = load("ext:deno_web/15_performance.js");
  const { standIn } = load("ext:nano_platform/stand_in.js");

  const WARN = 2;
  // The release of Node that the vendored library follows: NODE_VERSION in lib.rs of the library.
  const version = "26.5.1";
  const platform = "linux";

  class Process {}
  const process = new Process();
  ObjectDefineProperty(Process, "name", { __proto__: null, value: "process" });
  ObjectDefineProperty(Process.prototype, SymbolToStringTag, { __proto__: null, value: "process" });

  /**
   * Returns the app's variables as strings, as programs for Node expect. A value that is not a string becomes JSON text. As on
   * Workers, the app can change them, and `env` stays as it is. Whatever is assigned becomes a string.
   */
  function readEnv() {
    const env = {};
    const add = (name, value) => ObjectDefineProperty(env, name, core.propWritable(value));
    const given = variables();
    for (let i = 0; i < given.length; i += 2) {
      const value = JSONParse(given[i + 1]);
      add(given[i], typeof value === "string" ? value : given[i + 1]);
    }
    // Packages choose their development build unless this says otherwise.
    if (!ObjectHasOwn(env, "NODE_ENV")) add("NODE_ENV", isDevelopment() ? "development" : "production");
    return new Proxy(env, {
      __proto__: null,
      set: (target, name, value) => put(target, name, core.propWritable(value)),
      defineProperty: put,
    });
  }

  function put(target, name, { configurable, enumerable, get, set, value, writable }) {
    if (typeof name === "symbol") throw new TypeError("Cannot convert a symbol value to a string");
    if (get !== undefined || set !== undefined) {
      throw new (errors().ERR_INVALID_ARG_VALUE)("descriptor", { get, set }, "of process.env must not have getter/setter");
    }
    if (!configurable || !enumerable || !writable) {
      throw new (errors().ERR_INVALID_ARG_VALUE)(
        "descriptor",
        { configurable, enumerable, writable },
        "of process.env must be configurable, enumerable and writable",
      );
    }
    return ReflectDefineProperty(target, name, core.propWritable(`${value}`));
  }

  const errors = () => load("ext:deno_node/internal/errors.ts");

  function nextTick(...args) {
    return ReflectApply(load("ext:deno_node/_process/process.ts").nextTick, process, args);
  }

  function hrtime(previous) {
    const now = performance.now();
    let seconds = MathFloor(now / 1e3);
    let nanoseconds = MathTrunc((now % 1e3) * 1e6);
    if (previous !== undefined) {
      load("ext:deno_node/internal/validators.mjs").validateArray(previous, "time");
      if (previous.length !== 2) throw new (errors().ERR_OUT_OF_RANGE)("time", 2, previous.length);
      seconds -= previous[0];
      nanoseconds -= previous[1];
      if (nanoseconds < 0) {
        seconds--;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  }
  hrtime.bigint = () => BigInt(MathRound(performance.now() * 1e6));

  function memoryUsage() {
    const { heapTotal, heapUsed, physicalTotal } = core.memoryUsage();
    return { rss: physicalTotal, heapTotal, heapUsed, external: core.ops.op_native_memory(), arrayBuffers: 0 };
  }
  memoryUsage.rss = () => core.memoryUsage().physicalTotal;

  function emitWarning(warning, type, code, constructor) {
    let detail;
    if (typeof type === "function") {
      constructor = type;
      type = code = undefined;
    } else if (typeof type === "object" && type !== null) {
      ({ ctor: constructor, code, detail, type } = type);
    } else if (typeof code === "function") {
      constructor = code;
      code = undefined;
    }
    if (typeof warning === "string") {
      const text = warning;
      warning = new Error(text);
      warning.name = String(type || "Warning");
      if (code !== undefined) warning.code = code;
      if (detail !== undefined) warning.detail = detail;
      ErrorCaptureStackTrace(warning, constructor ?? emitWarning);
    } else if (!ObjectPrototypeIsPrototypeOf(ErrorPrototype, warning)) {
      throw new (errors().ERR_INVALID_ARG_TYPE)("warning", ["Error", "string"], warning);
    }
    if (warning.name === "DeprecationWarning" && process.noDeprecation) return;
    nextTick(() => {
      const label = warning.code ? `[${warning.code}] ` : "";
      const more = typeof warning.detail === "string" ? `\n${warning.detail}` : "";
      log(`(node) ${label}${warning.name}: ${warning.message}${more}`, WARN);
      process.emit("warning", warning);
    });
  }

  /** The files of the app, once it has changed its working directory. Before that, nothing needs them. */
  let changed;

  function chdir(directory) {
    if (typeof directory !== "string") throw new (errors().ERR_INVALID_ARG_TYPE)("directory", "string", directory);
    changed = load("ext:nano_node/files.js");
    changed.chdir(load("ext:workerd/internal_fs_utils.js").normalizePath(directory));
  }

  /** Defines a property that is made when it is first read. It can be assigned like any other. */
  function lazy(name, make) {
    const define = (value) => ObjectDefineProperty(process, name, core.propWritable(value));
    return {
      __proto__: null,
      configurable: true,
      enumerable: true,
      get() {
        const value = make();
        define(value);
        return value;
      },
      set: define,
    };
  }

  /**
   * Stands for one of the three streams until a member of it is touched. `import { env } from "node:process"` reads all
   * exports, and must not load the library of streams for that.
   */
  const stream = (name) => standIn(() => load("ext:nano_node/stdio.js")[name]);

  // Turns `process` into an event emitter when one of these is first called: most apps never need the library of events.
  let emitter;
  function asEmitter(name) {
    return (...args) => {
      if (emitter === undefined) {
        emitter = load("ext:deno_node/_events.mjs").EventEmitter;
        ReflectApply(emitter, process, []);
      }
      return ReflectApply(emitter.prototype[name], process, args);
    };
  }
  const methods = [
    "addListener", "emit", "eventNames", "getMaxListeners", "listenerCount", "listeners", "off", "on", "once",
    "prependListener", "prependOnceListener", "rawListeners", "removeAllListeners", "removeListener", "setMaxListeners",
  ];
  for (let i = 0; i < methods.length; i++) {
    ObjectDefineProperty(process, methods[i], core.propNonEnumerable(asEmitter(methods[i])));
  }

  ObjectDefineProperties(process, {
    __proto__: null,
    version: core.propReadOnly(`v${version}`),
    versions: core.propReadOnly(ObjectFreeze({ node: version, modules: "137", napi: "10" })),
    arch: core.propReadOnly(core.ops.op_node_arch() === "aarch64" ? "arm64" : "x64"),
    platform: core.propReadOnly(platform),
    release: core.propReadOnly(ObjectFreeze({ name: "node", lts: "Krypton" })),
    features: core.propReadOnly(ObjectFreeze({ debug: false, inspector: false, ipv6: true, require_module: true, tls: true, uv: false })),
    config: core.propReadOnly(ObjectFreeze({ target_defaults: ObjectFreeze({}), variables: ObjectFreeze({}) })),
    env: lazy("env", readEnv),
  });
  process.stdin = stream("stdin");
  process.stdout = stream("stdout");
  process.stderr = stream("stderr");
  process.title = "node";
  process.pid = 1;
  process.ppid = 0;
  process.argv = [];
  process.argv0 = "node";
  process.execArgv = [];
  process.execPath = "";
  process.exitCode = undefined;
  process.cwd = () => changed === undefined ? "/bundle" : changed.cwd();
  process.chdir = chdir;
  process.umask = () => 0o22;
  process.uptime = () => performance.now() / 1e3;
  process.hrtime = hrtime;
  process.memoryUsage = memoryUsage;
  process.nextTick = nextTick;
  process.emitWarning = emitWarning;
  process.exit = () => {
    throw new Error("process.exit() cannot end a worker: it serves other requests; throw an error or return instead");
  };
  load("ext:nano_node/process_host.js").addTo(process);
  process.getBuiltinModule = (id) => {
    const { names, requireBuiltin } = load("ext:nano_node/builtins.js");
    const name = StringPrototypeStartsWith(id, "node:") ? id : `node:${id}`;
    for (let i = 0; i < names.length; i++) {
      if (names[i] === name) return requireBuiltin(name);
    }
  };

  // The published scripts use these names.
  return {
    default: process,
    emitWarning,
    nextTick,
    get noDeprecation() {
      return process.noDeprecation;
    },
    platform,
    process,
  };
})();
