import Joi from "joi";
import { used } from "../used.js";

const schema = Joi.object({
  name: Joi.string().alphanum().min(3).required(),
  mail: Joi.string().email({ tlds: { allow: ["com"] } }),
  born: Joi.number().integer().min(1900),
}).with("mail", "born");

export default used(async () => {
  const { error } = schema.validate({ name: "a!", mail: "a@b.org" }, { abortEarly: false });
  return [await schema.validateAsync({ name: "ada", born: "1815", mail: "a@b.com" }).catch((error) => error.details[0].type), error.details.map((detail) => detail.type), schema.validate({ name: "ada", born: "1915" }).value];
}, ["number.min", ["string.alphanum", "string.min", "string.email", "object.with"], { name: "ada", born: 1915 }]);
