import semver, { gt, inc, satisfies } from "semver";
import { used } from "../used.js";

export default used(
  () => [satisfies("1.2.3", "^1.2.0"), gt("2.0.0", "2.0.0-rc.1"), inc("1.2.3", "minor"), semver.maxSatisfying(["1.2.3", "1.3.0", "2.0.0"], "1.x"), semver.coerce("v3.4").version, semver.validRange("x y")],
  [true, true, "1.3.0", "1.3.0", "3.4.0", null],
);
