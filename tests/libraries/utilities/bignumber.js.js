import { BigNumber } from "bignumber.js";
import { used } from "../used.js";

export default used(
  () => [new BigNumber("0.1").plus("0.2").toString(), new BigNumber(2).pow(256).toFixed(), new BigNumber(1).div(3).toFormat(5), new BigNumber("ff", 16).toNumber(), BigNumber.max(1, "3").eq(3)],
  ["0.3", "115792089237316195423570985008687907853269984665640564039457584007913129639936", "0.33333", 255, true],
);
