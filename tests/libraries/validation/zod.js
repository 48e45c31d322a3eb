import { z } from "zod";
import { used } from "../used.js";

const Order = z.object({ item: z.string().min(2), count: z.coerce.number().int().default(1), mail: z.email().optional() });

export default used(
  () => [
    Order.parse({ item: "tea", count: "3" }),
    Order.safeParse({ item: "x", mail: "no" }).error.issues.map((issue) => [issue.code, issue.path.join(".")]),
    z.toJSONSchema(Order).required,
  ],
  [{ item: "tea", count: 3 }, [["too_small", "item"], ["invalid_format", "mail"]], ["item", "count"]],
);
