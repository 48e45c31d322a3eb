import { Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { used } from "../used.js";

const Order = Type.Object({ item: Type.String({ minLength: 2 }), count: Type.Integer({ default: 1 }) });
const compiled = TypeCompiler.Compile(Order);

export default used(
  () => [Value.Default(Order, { item: "tea" }), compiled.Check({ item: "tea", count: 1 }), [...compiled.Errors({ item: "x" })].map(({ path, message }) => [path, message]), Value.Convert(Order, { item: 12, count: "2" })],
  [
    { item: "tea", count: 1 },
    true,
    [["/count", "Expected required property"], ["/item", "Expected string length greater or equal to 2"], ["/count", "Expected integer"]],
    { item: "12", count: 2 },
  ],
);
