import createError, { isHttpError } from "http-errors";
import { used } from "../used.js";

export default used(() => {
  const error = createError(404, "no such thing", { id: 7 });
  const wrapped = createError(new Error("inner"));
  return [error.status, error.expose, error.id, error instanceof createError.NotFound, isHttpError(error), wrapped.status, wrapped.message, new createError.ImATeapot().message, String(createError(500))];
}, [404, true, 7, true, true, 500, "inner", "I'm a Teapot", "InternalServerError: Internal Server Error"]);
