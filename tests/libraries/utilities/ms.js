import ms from "ms";
import { used } from "../used.js";

export default used(() => [ms("2 days"), ms("1.5h"), ms(60_000, { long: true }), ms(-3 * 60_000)], [172_800_000, 5_400_000, "1 minute", "-3m"]);
