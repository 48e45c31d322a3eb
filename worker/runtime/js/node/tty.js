// node:tty: no stream of a worker is a terminal.
(function () {
  const { Error } = __bootstrap.primordials;

  class ReadStream {
    constructor() {
      throw new Error("there is no terminal to read from");
    }
  }
  class WriteStream {
    constructor() {
      throw new Error("there is no terminal to write to");
    }
  }
  return { ReadStream, WriteStream, isatty: () => false };
})();
