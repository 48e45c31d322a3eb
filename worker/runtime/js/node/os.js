// node:os: describes a machine with one processor, no network, no name, and as much memory as is told on Workers: none.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectFreeze } = primordials;
  const { os } = core.loadExtScript("ext:deno_node/internal_binding/constants.ts");
  const { performance } = core.loadExtScript("ext:deno_web/15_performance.js");
  const { absent } = core.loadExtScript("ext:nano_node/absent.js");
  const zero = () => 0;
  const arch = core.ops.op_node_arch() === "aarch64" ? "arm64" : "x64";

  const constants = ObjectFreeze({ UV_UDP_REUSEADDR: 4, ...os });
  return {
    default: {
      EOL: "\n",
      arch: () => arch,
      availableParallelism: () => 1,
      constants,
      cpus: () => [{ model: "", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
      devNull: "/dev/null",
      endianness: () => "LE",
      freemem: zero,
      getPriority: zero,
      homedir: () => "/",
      hostname: () => "localhost",
      loadavg: () => [0, 0, 0],
      machine: () => core.ops.op_node_arch(),
      networkInterfaces: () => ({}),
      platform: () => "linux",
      release: () => "",
      ...absent("os", "an app does not see the machine that it runs on", { functions: ["setPriority"] }),
      tmpdir: () => "/tmp",
      totalmem: zero,
      type: () => "Linux",
      uptime: () => performance.now() / 1e3,
      userInfo: () => ({ uid: 0, gid: 0, username: "", homedir: "/", shell: null }),
      version: () => "",
    },
    constants,
  };
})();
