// Stands in for reading the source of a failed assertion: its message goes without.
(function () {
  return { getErrorSourceExpression: () => undefined };
})();
