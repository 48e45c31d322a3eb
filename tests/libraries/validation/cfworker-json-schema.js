import { Validator } from "@cfworker/json-schema";
import { used } from "../used.js";

const validator = new Validator(
  { type: "object", required: ["name"], properties: { name: { type: "string" }, at: { type: "string", format: "date-time" } }, unevaluatedProperties: false },
  "2020-12",
  false,
);

export default used(
  () => [validator.validate({ name: "a", at: "2026-01-31T12:00:00Z" }).valid, [...new Set(validator.validate({ at: "yesterday", x: 1 }).errors.map((error) => error.keyword))]],
  [true, ["required", "properties", "format", "unevaluatedProperties", "false"]],
);
