import FindMyWay from "find-my-way";
import { used } from "../used.js";

const router = FindMyWay({ ignoreTrailingSlash: true });
router.on("GET", "/users/:id(^\\d+$)", () => "user");
router.on("GET", "/files/*", () => "files");
router.on(["PUT", "POST"], "/a/:x-:y.json", { constraints: { host: "a.example" } }, () => "constrained");

export default used(() => {
  const find = (method, path, host) => { const found = router.find(method, path, { host }); return found && [found.handler(), found.params]; };
  return [find("GET", "/users/12/"), find("GET", "/users/x"), find("GET", "/files/a/b"), find("PUT", "/a/1-2.json", "a.example"), find("PUT", "/a/1-2.json", "b.example")];
}, [["user", { id: "12" }], null, ["files", { "*": "a/b" }], ["constrained", { x: "1", y: "2" }], null]);
