// node:os: describes a machine with one processor, no network and no name.
(function () {
  const { core, primordials } = __bootstrap;
  const { ObjectFreeze } = primordials;
  const { os } = core.loadExtScript("ext:deno_node/internal_binding/constants.ts");
  const { performance } = core.loadExtScript("ext:deno_web/15_performance.js");
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
      homedir: () => "/",
      hostname: () => "localhost",
      machine: () => core.ops.op_node_arch(),
      networkInterfaces: () => ({}),
      platform: () => "linux",
      release: () => "",
      tmpdir: () => "/tmp",
      type: () => "Linux",
      uptime: () => performance.now() / 1e3,
      version: () => "",
    },
    constants,
  };
})();
