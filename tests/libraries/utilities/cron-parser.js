import { CronExpressionParser } from "cron-parser";
import { used } from "../used.js";

export default used(() => {
  const cron = CronExpressionParser.parse("0 9 * * 1-5", { currentDate: "2026-01-30T12:00:00Z", tz: "UTC" });
  const paris = CronExpressionParser.parse("30 2 * * *", { currentDate: "2026-03-28T12:00:00Z", tz: "Europe/Paris" });
  return [cron.next().toISOString(), cron.prev().toISOString(), paris.take(2).map((at) => at.toISOString())];
}, ["2026-02-02T09:00:00.000Z", "2026-01-30T09:00:00.000Z", ["2026-03-29T01:30:00.000Z", "2026-03-30T00:30:00.000Z"]]);
