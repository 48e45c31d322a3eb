// What a process of Node tells of its host and does to it. A worker has no user, no signals and no files; as on Workers, what is
// asked for is then nothing, zero or root, and what would change something throws.
(function () {
  const { core, primordials } = __bootstrap;
  const { Error, ObjectAssign, Set } = primordials;
  const load = core.loadExtScript;
  const { absent } = load("ext:nano_node/absent.js");

  const NO_PROCESS = "the process belongs to the supervisor";
  const nothing = () => {};
  const zero = () => 0;

  function forbidden() {
    const error = new Error("operation not permitted");
    error.code = "EPERM";
    throw error;
  }

  function loadEnvFile(path = ".env") {
    const error = new Error(`no such file or directory: "${path}"; an app's variables are set in its configuration`);
    error.code = "ENOENT";
    throw error;
  }

  /** Adds the members to `process`. */
  function addTo(process) {
    ObjectAssign(process, {
      ...absent("process", NO_PROCESS, {
        functions: [
          "abort", "binding", "cpuUsage", "dlopen", "execve", "getActiveResourcesInfo", "kill", "reallyExit",
          "setUncaughtExceptionCaptureCallback", "threadCpuUsage",
        ],
      }),
      allowedNodeEnvironmentFlags: new Set(),
      assert: (value, message) => load("ext:deno_node/assert.ts").default.ok(value, message),
      availableMemory: zero,
      channel: null,
      connected: false,
      constrainedMemory: zero,
      debugPort: 0,
      domain: null,
      finalization: { register: nothing, registerBeforeExit: nothing, unregister: nothing },
      getSourceMapsSupport: () => ({ __proto__: null, enabled: false, nodeModules: false, generatedCode: false }),
      getegid: zero,
      geteuid: zero,
      getgid: zero,
      getgroups: () => [0],
      getuid: zero,
      hasUncaughtExceptionCaptureCallback: () => false,
      initgroups: forbidden,
      loadEnvFile,
      moduleLoadList: [],
      noDeprecation: false,
      openStdin: () => process.stdin,
      permission: { has: () => false },
      ref: nothing,
      report: absent("process.report", NO_PROCESS, { functions: ["getReport", "writeReport"] }),
      resourceUsage: () => ({
        userCPUTime: 0,
        systemCPUTime: 0,
        maxRSS: 0,
        sharedMemorySize: 0,
        unsharedDataSize: 0,
        unsharedStackSize: 0,
        minorPageFault: 0,
        majorPageFault: 0,
        swappedOut: 0,
        fsRead: 0,
        fsWrite: 0,
        ipcSent: 0,
        ipcReceived: 0,
        signalsCount: 0,
        voluntaryContextSwitches: 0,
        involuntaryContextSwitches: 0,
      }),
      send: () => false,
      setSourceMapsEnabled: nothing,
      setegid: forbidden,
      seteuid: forbidden,
      setgid: forbidden,
      setgroups: forbidden,
      setuid: forbidden,
      sourceMapsEnabled: false,
      throwDeprecation: false,
      traceDeprecation: false,
      unref: nothing,
    });
  }

  return { addTo };
})();
