// process.stdout and process.stderr, which write to the log, and process.stdin, which is empty.
(function () {
  const { core, primordials } = __bootstrap;
  const { StringPrototypeIndexOf, StringPrototypeSlice, queueMicrotask } = primordials;
  const { Readable, Writable } = core.loadExtScript("ext:deno_node/stream.ts");
  const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
  const { log } = core.loadExtScript("ext:nano_workers/globals.js");

  const INFO = 1;
  const ERROR = 3;

  /** Creates a stream that logs each line. Text without a line feed at its end is logged once the running code returns. */
  function output(fd, level) {
    const decoder = new TextDecoder();
    let rest = "";
    const flush = () => {
      if (rest !== "") log(rest, level);
      rest = "";
    };
    const stream = new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        if (rest === "") queueMicrotask(flush);
        rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
        let end;
        while ((end = StringPrototypeIndexOf(rest, "\n")) !== -1) {
          log(StringPrototypeSlice(rest, 0, end), level);
          rest = StringPrototypeSlice(rest, end + 1);
        }
        done();
      },
    });
    stream.fd = fd;
    return stream;
  }

  const stdin = new Readable({
    read() {
      this.push(null);
    },
  });
  stdin.fd = 0;
  return { stdin, stdout: output(1, INFO), stderr: output(2, ERROR) };
})();
