// Stands in for the command line of Node, of which there is none.
(function () {
  const none = () => undefined;
  return { getExecArgvOptionValue: none, getOptionValue: none };
})();
