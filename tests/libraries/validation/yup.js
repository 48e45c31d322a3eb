import * as yup from "yup";
import { used } from "../used.js";

const schema = yup.object({ name: yup.string().trim().required(), age: yup.number().positive().integer(), at: yup.date().default(new Date(0)) });

export default used(async () => {
  const errors = await schema.validate({ age: -1.5 }, { abortEarly: false }).catch((error) => error.errors);
  return [await schema.validate({ name: " ada ", age: "36" }), errors.sort()];
}, [
  { name: "ada", age: 36, at: "1970-01-01T00:00:00.000Z" },
  ["age must be a positive number", "age must be an integer", "name is a required field"],
]);
