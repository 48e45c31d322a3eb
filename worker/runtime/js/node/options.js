// Replaces the options of Node's command line. A worker has none.
(function () {
  const none = () => undefined;
  return { getExecArgvOptionValue: none, getOptionValue: none };
})();
