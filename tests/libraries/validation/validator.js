import validator from "validator";
import { used } from "../used.js";

export default used(
  () => [
    validator.isEmail("ada@example.com"), validator.isURL("ht!tp://x"), validator.isUUID("fbf7c923-296c-5e7f-a5ee-489ba76054da", 5),
    validator.isCreditCard("4111 1111 1111 1111"), validator.isIBAN("DE89370400440532013000"), validator.escape("<b>"), validator.normalizeEmail("A.B+c@Gmail.com"),
  ],
  [true, false, true, true, true, "&lt;b&gt;", "ab@gmail.com"],
);
