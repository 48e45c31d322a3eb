import moment from "moment";
import "moment/locale/de.js";
import { used } from "../used.js";

export default used(() => {
  const at = moment.utc("2026-01-31T12:00:00Z").locale("en");
  return [at.clone().add(1, "month").format("YYYY-MM-DD"), at.format("dddd, MMMM Do YYYY"), moment.duration(90, "minutes").locale("en").humanize(), at.clone().locale("de").format("LL"), moment("31/12/2026", "DD/MM/YYYY", true).isValid(), at.diff(moment.utc("2025-01-31T12:00:00Z"), "days")];
}, ["2026-02-28", "Saturday, January 31st 2026", "2 hours", "31. Januar 2026", true, 365]);
