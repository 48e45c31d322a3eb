import { NIL, v4, v5, v7, validate, version } from "uuid";
import { used } from "../used.js";

export default used(
  () => [v4() !== v4(), version(v7()), v7() < v7(), validate(v4()), v5("nano.example", v5.DNS), validate("x"), NIL],
  [true, 7, true, true, "31c7ea10-a650-540a-bb5e-98b9f2881252", false, "00000000-0000-0000-0000-000000000000"],
);
