// Replaces the code that reads the source of a failed assertion: the message does without it.
(function () {
  return { getErrorSourceExpression: () => undefined };
})();
