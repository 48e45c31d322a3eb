import { Decimal } from "decimal.js";
import { used } from "../used.js";

export default used(
  () => [new Decimal("0.1").plus("0.2").toString(), Decimal.sqrt(2).toPrecision(20), Decimal.exp(1).toFixed(10), new Decimal("123.456").toFraction().join("/"), new Decimal(255).toHex()],
  ["0.3", "1.4142135623730950488", "2.7182818285", "15432/125", "0xff"],
);
