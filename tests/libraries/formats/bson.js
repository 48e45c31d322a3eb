import { BSON, Decimal128, EJSON, Long, ObjectId } from "bson";
import { used } from "../used.js";

export default used(() => {
  const id = new ObjectId("65a0c0ffee0123456789abcd");
  const bytes = BSON.serialize({ _id: id, n: Long.fromString("9007199254740993"), d: Decimal128.fromString("1.10"), at: new Date(0), list: [1, { a: null }] });
  return [BSON.calculateObjectSize({ a: 1 }), EJSON.stringify(BSON.deserialize(bytes, { promoteLongs: false }), { relaxed: false }), id.getTimestamp().toISOString(), new ObjectId().equals(new ObjectId())];
}, [12, '{"_id":{"$oid":"65a0c0ffee0123456789abcd"},"n":{"$numberLong":"9007199254740993"},"d":{"$numberDecimal":"1.10"},"at":{"$date":{"$numberLong":"0"}},"list":[{"$numberInt":"1"},{"a":null}]}', "2024-01-12T04:33:03.000Z", false]);
