// What the checks of this folder are written with; each file's default export takes `is` and `throws`.
export async function run(checks) {
  const failures = [];
  let count = 0;
  const is = (name, actual, expected) => {
    count++;
    const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (got !== wanted) failures.push(`${name}: ${got} instead of ${wanted}`);
  };
  const throws = (name, act, errorName, code) => {
    let caught;
    try {
      act();
    } catch (error) {
      caught = error;
    }
    is(name, [caught?.name, caught?.code], [errorName, code]);
  };
  try {
    await checks(is, throws);
  } catch (error) {
    failures.push(`after ${count} checks: ${error?.stack ?? error}`);
  }
  return { count, failures };
}
