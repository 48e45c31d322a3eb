import { generateKeyPairSync } from "node:crypto";
import jwt from "jsonwebtoken";
import { refusal, used } from "../used.js";

export default used(async () => {
  const token = jwt.sign({ role: "admin" }, "secret", { expiresIn: "1h", subject: "ada" });
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signed = jwt.sign({ n: 1 }, privateKey, { algorithm: "RS256", noTimestamp: true });
  return [jwt.verify(token, "secret").sub, await refusal(() => jwt.verify(token, "other")), jwt.decode(token, { complete: true }).header, jwt.verify(signed, publicKey)];
}, ["ada", "invalid signature", { alg: "HS256", typ: "JWT" }, { n: 1 }]);
