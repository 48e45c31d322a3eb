import * as cookie from "cookie";
import { used } from "../used.js";

export default used(
  () => [cookie.parseCookie("a=1; b=%C3%A4; b=3"), cookie.stringifySetCookie({ name: "a", value: "x y", httpOnly: true, maxAge: 60, sameSite: "lax", path: "/" })],
  [{ a: "1", b: "ä" }, "a=x%20y; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"],
);
