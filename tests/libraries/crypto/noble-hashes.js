import { argon2id } from "@noble/hashes/argon2.js";
import { blake3 } from "@noble/hashes/blake3.js";
import { hmac } from "@noble/hashes/hmac.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { used } from "../used.js";

export default used(async () => {
  const hex = (bytes) => bytesToHex(bytes).slice(0, 16);
  const abc = utf8ToBytes("abc");
  return [hex(sha256(abc)), hex(keccak_256(abc)), hex(blake3(abc)), hex(hmac(sha256, abc, abc)), hex(await scryptAsync("abc", "salt", { N: 1024, r: 8, p: 1, dkLen: 32 })), argon2id("abc", "saltsaltsalt", { t: 1, m: 64, p: 1 }).length];
}, ["ba7816bf8f01cfea", "4e03657aea45a94f", "6437b3ac38465133", "2f02e24ae2e1fe88", "057f3a65a87ea4d7", 32]);
