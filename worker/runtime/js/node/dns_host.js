// What the scripts of node:dns ask for: addresses as the host resolves them, and the records of name servers, on the ops of
// net/names.rs. On Workers, a service of Cloudflare answers instead.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeFilter,
    ArrayPrototypeMap,
    PromisePrototypeThen,
    StringPrototypeIncludes,
    StringPrototypeToLowerCase,
  } = primordials;
  const { op_dns_lookup, op_dns_query } = core.ops;
  const load = core.loadExtScript;
  const { DnsError } = load("ext:workerd/internal_errors.js");
  const { NOTFOUND } = load("ext:workerd/internal_dns_constants.js");

  /** The error of Node for what has failed, with the reason. */
  function failureOf(error, name, syscall) {
    const failure = new DnsError(name, error.code, syscall);
    failure.message += `: ${error.message}`;
    return failure;
  }

  const answered = (answers) => ({ Answer: answers.length === 0 ? undefined : answers });

  /** The lookup() that is being called, with the promise of its addresses. */
  let current;

  /** Returns what there is of a kind, as the answer of a name server. */
  function sendDnsRequest(name, type) {
    if (current !== undefined) return addressesFor(current, name, type);
    const syscall = `query${type[0]}${StringPrototypeToLowerCase(type.slice(1))}`;
    return PromisePrototypeThen(
      op_dns_query(name, type),
      (records) => answered(ArrayPrototypeMap(records, ({ 0: TTL, 1: data }) => ({ TTL, data }))),
      (error) => {
        throw failureOf(error, name, syscall);
      },
    );
  }

  async function addressesFor(lookup, name, type) {
    lookup.addresses ??= op_dns_lookup(name);
    let addresses;
    try {
      addresses = await lookup.addresses;
    } catch (error) {
      // Not to be found is what the script says by itself.
      if (error.code !== NOTFOUND) lookup.failure ??= failureOf(error, name, "getaddrinfo");
      return answered([]);
    }
    const isOfType = (address) => StringPrototypeIncludes(address, ":") === (type === "AAAA");
    return answered(ArrayPrototypeMap(ArrayPrototypeFilter(addresses, isOfType), (data) => ({ data })));
  }

  /** Calls the script's lookup(), which would ask a name server, for the addresses that the host finds. */
  function lookupWith(lookup) {
    return function (...args) {
      const asked = { __proto__: null, addresses: undefined, failure: undefined };
      const last = args.length - 1;
      const callback = args[last];
      if (typeof callback === "function") {
        args[last] = (error, ...found) => callback(error ? asked.failure ?? error : error, ...found);
      }
      current = asked;
      try {
        return lookup(...args);
      } finally {
        current = undefined;
      }
    };
  }

  const itself = ({ data }) => data;
  const client = {
    __proto__: null,
    normalizeCaa: itself,
    normalizeCname: itself,
    normalizeMx: (_name, { data }) => data,
    normalizeNaptr: itself,
    normalizeNs: itself,
    normalizePtr: itself,
    normalizeSoa: itself,
    normalizeSrv: itself,
    normalizeTxt: itself,
    sendDnsRequest,
    validateAnswer(answer, name, syscall) {
      if (answer === undefined) throw new DnsError(name, NOTFOUND, syscall);
    },
  };

  /** The module with the functions of node:dns. */
  function functions() {
    const published = load("ext:workerd/internal_dns.js");
    return { ...published, lookup: lookupWith(published.lookup) };
  }

  return { client, functions };
})();
