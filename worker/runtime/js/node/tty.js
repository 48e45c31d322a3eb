// node:tty: nothing a worker reads or writes is a terminal.
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
