import { DateTime, Duration, Interval } from "luxon";
import { used } from "../used.js";

export default used(() => {
  const at = DateTime.fromISO("2026-03-28T12:00:00", { zone: "Europe/Berlin" });
  const next = at.plus({ days: 1 });
  return [next.toISO(), next.diff(at, "hours").hours, at.setLocale("fr").toLocaleString(DateTime.DATE_FULL), Duration.fromISO("PT90M").shiftTo("hours", "minutes").toObject(), Interval.fromDateTimes(at, next).splitBy({ hours: 6 }).length, DateTime.fromFormat("May 25 1982", "LLLL dd yyyy").isValid];
}, ["2026-03-29T12:00:00.000+02:00", 23, "28 mars 2026", { hours: 1, minutes: 30 }, 4, true]);
