// DOMException and QuotaExceededError. https://webidl.spec.whatwg.org/#idl-exceptions
import { equal, ok, same, throws } from "./harness.js";

export default {
  "a DOMException has message, name and code"() {
    const exception = new DOMException("m", "NotFoundError");
    same([exception.message, exception.name, exception.code], ["m", "NotFoundError", 8]);
    same([new DOMException().message, new DOMException().name, new DOMException().code], ["", "Error", 0]);
    equal(new DOMException("m", "DataError").code, 0);
    equal(String(exception), "NotFoundError: m");
    ok(exception instanceof Error, "it is no Error");
    same(Object.keys(exception), []);
    ok(exception.stack.startsWith("NotFoundError: m\n") && exception.stack.includes("exceptions.js"), exception.stack);
  },
  "every legacy name has its code"() {
    const codes = { IndexSizeError: 1, SyntaxError: 12, InvalidAccessError: 15, AbortError: 20, QuotaExceededError: 22,
      TimeoutError: 23, DataCloneError: 25 };
    for (const name in codes) equal(new DOMException("", name).code, codes[name], name);
  },
  "a QuotaExceededError says how much"() {
    const error = new QuotaExceededError("m", { quota: 1, requested: 2 });
    same([error.name, error.code, error.message, error.quota, error.requested], ["QuotaExceededError", 22, "m", 1, 2]);
    same([new QuotaExceededError().quota, new QuotaExceededError().requested], [null, null]);
    ok(error instanceof DOMException, "it is no DOMException");
    throws(RangeError, () => new QuotaExceededError("", { quota: -1 }));
    throws(RangeError, () => new QuotaExceededError("", { quota: 2, requested: 1 }));
    throws(TypeError, () => new QuotaExceededError("", { quota: NaN }));
  },
};
