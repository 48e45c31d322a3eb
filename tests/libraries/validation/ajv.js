import Ajv from "ajv";
import { used } from "../used.js";

// Validators are made of text, which Workers allow while a module is loaded and not in handlers.
const ajv = new Ajv({ allErrors: true, coerceTypes: true });
const validate = ajv.compile({
  type: "object",
  properties: { item: { type: "string", minLength: 2 }, count: { type: "integer", minimum: 1 } },
  required: ["item"],
  additionalProperties: false,
});

export default used(() => {
  const order = { item: "tea", count: "3" };
  const good = validate(order);
  const bad = validate({ item: "x", count: 0, other: 1 });
  return [good, order, bad, validate.errors.map((error) => error.keyword).sort(), ajv.errorsText(validate.errors).includes("data/item")];
}, [true, { item: "tea", count: 3 }, false, ["additionalProperties", "minLength", "minimum"], true]);
