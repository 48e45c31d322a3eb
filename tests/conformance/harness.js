// What every area of the conformance suite shares: assertions, and running checks by name.

/** A check that did not hold. */
class Failed extends Error {}

const show = (value) => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "symbol" || typeof value === "function") return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
};

export function equal(found, wanted, what = "value") {
  if (!Object.is(found, wanted)) throw new Failed(`${what} is ${show(found)}, not ${show(wanted)}`);
}

/** For lists and plain objects, by their JSON. */
export function same(found, wanted, what = "value") {
  equal(JSON.stringify(found), JSON.stringify(wanted), what);
}

export function ok(found, what) {
  if (!found) throw new Failed(what);
}

/** `wanted`: an error's class, or the name of a DOMException. */
function checkError(error, wanted) {
  if (typeof wanted === "string") {
    ok(error instanceof DOMException && error.name === wanted, `it threw ${error}, not a DOMException ${wanted}`);
  } else {
    ok(error instanceof wanted, `it threw ${error}, not a ${wanted.name}`);
  }
  return error;
}

export function throws(wanted, action) {
  let returned;
  try {
    returned = action();
  } catch (error) {
    return checkError(error, wanted);
  }
  throw new Failed(`it returned ${show(returned)} instead of throwing`);
}

export async function rejects(wanted, promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return checkError(error, wanted);
  }
  throw new Failed(`it was fulfilled with ${show(value)} instead of rejecting`);
}

/** The event `type` of `target`, once it is there. */
export const event = (target, type) =>
  new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

/** After the tasks that are due. */
export const task = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A worker's answer to the test: the checks in order, each with what is wrong with it, or null. */
export async function report(checks) {
  const results = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      results.push([name, null]);
    } catch (error) {
      results.push([name, error instanceof Failed ? error.message : String(error?.stack ?? error)]);
    }
  }
  return Response.json(results);
}
