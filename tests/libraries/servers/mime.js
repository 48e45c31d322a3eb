import mime, { Mime } from "mime";
import { used } from "../used.js";

export default used(
  () => [mime.getType("dir/a.JSON"), mime.getExtension("text/html; charset=utf-8"), mime.getType("none"), [...mime.getAllExtensions("image/jpeg")].sort(), new Mime({ "text/x": ["x"] }).getType("a.x")],
  ["application/json", "html", null, ["jpe", "jpeg", "jpg"], "text/x"],
);
