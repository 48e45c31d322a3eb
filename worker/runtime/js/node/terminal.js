// Replaces all of deno_io: a worker has no terminal to write colours to.
(function () {
  const none = { isTerminal: () => false };
  return { stderr: none, stdin: none, stdout: none };
})();
