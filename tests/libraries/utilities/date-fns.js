import { addMonths, differenceInCalendarDays, eachDayOfInterval, format, formatDistance, intervalToDuration, parse, parseISO } from "date-fns";
import { de } from "date-fns/locale";
import { used } from "../used.js";

export default used(() => {
  const at = parseISO("2026-01-31T12:00:00");
  return [format(addMonths(at, 1), "yyyy-MM-dd"), format(at, "EEEE, d. MMMM", { locale: de }), formatDistance(at, parseISO("2026-02-02T12:00:00"), { locale: de }), differenceInCalendarDays(at, parse("24/12/2025", "dd/MM/yyyy", at)), eachDayOfInterval({ start: at, end: addMonths(at, 1) }).length, intervalToDuration({ start: 0, end: 3_661_000 })];
}, ["2026-02-28", "Samstag, 31. Januar", "2 Tage", 38, 29, { hours: 1, minutes: 1, seconds: 1 }]);
