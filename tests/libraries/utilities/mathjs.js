import { create, all, evaluate } from "mathjs";
import { used } from "../used.js";

const math = create(all, { number: "BigNumber", precision: 30 });

export default used(
  () => [evaluate("sqrt(3^2 + 4^2)"), evaluate("12.7 cm to inch").toString(), math.evaluate("1/3").toString(), evaluate("det([1, 2; 3, 4])"), math.derivative("x^2 + 3x", "x").toString(), evaluate("f(x) = x^2; f(3)").entries],
  [5, "5 inch", "0.333333333333333333333333333333", -2, "2 * x + 3", [9]],
);
