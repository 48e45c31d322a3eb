import { generate, generateSecret, generateURI, verify } from "otplib";
import { used } from "../used.js";

export default used(async () => {
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  const token = await generate({ secret, epoch: 59, digits: 8 });
  return [token, (await verify({ secret, token: await generate({ secret }) })).valid, (await verify({ secret, token: "000000", epoch: 59 })).valid, generateURI({ issuer: "nano", label: "ada", secret }).startsWith("otpauth://totp/nano:ada?"), generateSecret().length];
}, ["94287082", true, false, true, 32]);
