import dayjs from "dayjs";
import "dayjs/locale/de.js";
import relativeTime from "dayjs/plugin/relativeTime.js";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { used } from "../used.js";

dayjs.extend(utc);
dayjs.extend(timezone);
dayjs.extend(relativeTime);

export default used(() => {
  const at = dayjs.utc("2026-01-31T12:00:00Z");
  return [at.add(1, "month").format("YYYY-MM-DD"), at.tz("America/New_York").format("HH:mm Z"), at.locale("de").format("dddd, D. MMMM"), at.from(at.subtract(3, "hour")), at.diff("2025-01-31T12:00:00Z", "day")];
}, ["2026-02-28", "07:00 -05:00", "Samstag, 31. Januar", "in 3 hours", 365]);
