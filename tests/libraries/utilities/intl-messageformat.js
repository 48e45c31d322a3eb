import { IntlMessageFormat } from "intl-messageformat";
import { used } from "../used.js";

export default used(() => {
  const text = "{who, select, she {She has} other {They have}} {count, plural, =0 {nothing} one {# book} other {# books}} since {at, date, ::yyyyMMMdd}.";
  const message = new IntlMessageFormat(text, "en-GB");
  const at = new Date("2026-01-31T12:00:00Z");
  return [message.format({ who: "she", count: 1, at }), message.format({ who: "x", count: 1200, at }), new IntlMessageFormat("<b>{n, number, percent}</b>", "de").format({ n: 0.5, b: (parts) => `[${parts.join("")}]` }).replace(/\s/g, " ")];
}, ["She has 1 book since 31 Jan 2026.", "They have 1,200 books since 31 Jan 2026.", "[50 %]"]);
