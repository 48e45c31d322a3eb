import protobuf from "protobufjs";
import { used } from "../used.js";

// Its encoders are made of text, which Workers allow while a module is loaded and not in handlers.
const { root } = protobuf.parse('syntax = "proto3"; message Order { string item = 1; repeated int32 counts = 2; map<string, double> prices = 3; oneof by { string name = 4; uint64 id = 5; } }');
const Order = root.lookupType("Order").setup();

export default used(() => {
  const bytes = Order.encode(Order.create({ item: "tea", counts: [1, -2], prices: { eur: 1.5 }, id: 7 })).finish();
  return [bytes.length, Order.toObject(Order.decode(bytes), { longs: Number, oneofs: true }), Order.verify({ item: 1 })];
}, [36, { item: "tea", counts: [1, -2], prices: { eur: 1.5 }, id: 7, by: "id" }, "item: string expected"]);
