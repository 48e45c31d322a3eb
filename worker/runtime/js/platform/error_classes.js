// The error classes that ops name, so that an error of Rust arrives in JavaScript as the class that the standards require.
(function () {
  const { core, primordials } = __bootstrap;
  const { Error } = primordials;
  const { DOMException, QuotaExceededError } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

  const DOM_EXCEPTIONS = [
    "AbortError",
    "DataCloneError",
    "DataError",
    "IndexSizeError",
    "InvalidAccessError",
    "InvalidCharacterError",
    "InvalidStateError",
    "NetworkError",
    "NotSupportedError",
    "OperationError",
    "SyntaxError",
    "TypeMismatchError",
  ];
  // Classes for errors of the operating system and of Deno.
  const ERRORS = [
    "AddrInUse",
    "AddrNotAvailable",
    "AlreadyExists",
    "BrokenPipe",
    "Busy",
    "ConnectionAborted",
    "ConnectionRefused",
    "ConnectionReset",
    "FilesystemLoop",
    "Http",
    "InvalidData",
    "IsADirectory",
    "NetworkUnreachable",
    "NotADirectory",
    "NotConnected",
    "NotFound",
    "NotSupported",
    "PermissionDenied",
    "TimedOut",
    "UnexpectedEof",
    "WouldBlock",
    "WriteZero",
  ];
  for (let i = 0; i < DOM_EXCEPTIONS.length; i++) {
    const name = DOM_EXCEPTIONS[i];
    core.registerErrorBuilder(`DOMException${name}`, (message) => new DOMException(message, name));
  }
  core.registerErrorBuilder("DOMExceptionQuotaExceededError", (message) => new QuotaExceededError(message));
  for (let i = 0; i < ERRORS.length; i++) {
    const name = ERRORS[i];
    core.registerErrorBuilder(name, (message) => {
      const error = new Error(message);
      error.name = name;
      return error;
    });
  }
  return {};
})();
