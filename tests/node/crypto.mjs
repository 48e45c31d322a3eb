// crypto, against the vectors of FIPS 180-4, FIPS 202, RFC 1321, 2202, 4231, 5869, 6070 and 7914.
import crypto, { KeyObject, createHash, createHmac, createSecretKey, getHashes, hash, hkdf, hkdfSync, pbkdf2, pbkdf2Sync, randomBytes, randomFill, randomFillSync, randomInt, randomUUID, scrypt, scryptSync, timingSafeEqual, webcrypto } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

const digests = {
  md5: "900150983cd24fb0d6963f7d28e17f72",
  ripemd160: "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
  sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
  sha224: "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
  sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  sha384: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  sha512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  "sha512-256": "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
  "sha3-256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
};
const hi = { md5: "9294727a3638bb1c13f48ef8158bfc9d", sha1: "b617318655057264e28bc0b6fb378c8ef146be00", sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", sha512: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" };
const hex = (bytes) => Buffer.from(bytes).toString("hex");

export default async function (is, throws) {
  for (const [name, digest] of Object.entries(digests)) is(name, createHash(name).update("abc").digest("hex"), digest);
  is("in parts, from a view", createHash("sha256").update("a").update(new Uint8Array([0x62])).update("63", "hex").digest("hex"), digests.sha256);
  is("aliases", ["SHA256", "RSA-SHA256"].map((name) => createHash(name).update("abc").digest("hex") === digests.sha256), [true, true]);
  is("encodings", [createHash("md5").update("abc").digest("base64"), createHash("md5").update("abc").digest("base64url"), createHash("md5").update("abc").digest().length, createHash("md5").update("abc").digest("latin1").length], ["kAFQmDzST7DWlj99KOF/cg==", "kAFQmDzST7DWlj99KOF_cg", 16, 16]);
  const first = createHash("sha1").update("a");
  const copy = first.copy().update("bc");
  is("copy", [copy.digest("hex"), first.update("bc").digest("hex")], [digests.sha1, digests.sha1]);
  is("shake", [createHash("shake128", { outputLength: 16 }).digest("hex"), createHash("shake256", { outputLength: 8 }).digest("hex")], ["7f9c2ba4e88f827d616045507605853e", "46b9dd2b0ba88d13"]);
  is("as a stream", await text(Readable.from(["a", "bc"]).pipe(createHash("sha256")).setEncoding("hex")), digests.sha256);
  is("hash()", [hash("sha256", "abc"), hash("md5", Buffer.from("abc"), "base64")], [digests.sha256, "kAFQmDzST7DWlj99KOF/cg=="]);
  is("getHashes", ["md5", "sha1", "sha256", "sha512", "sha3-256", "RSA-SHA256"].filter((name) => !getHashes().includes(name)), []);
  throws("digest once", () => { const done = createHash("md5"); done.digest(); done.digest(); }, "Error", "ERR_CRYPTO_HASH_FINALIZED");
  throws("data must be bytes", () => createHash("md5").update(5), "TypeError", "ERR_INVALID_ARG_TYPE");
  is("unknown digest", (() => { try { createHash("nope"); } catch (error) { return error.message; } })(), "Digest method not supported");

  for (const [name, mac] of Object.entries(hi)) is(`hmac ${name}`, createHmac(name, Buffer.alloc(name === "md5" ? 16 : 20, 0x0b)).update("Hi There").digest("hex"), mac);
  is("hmac with a long key", createHmac("sha256", Buffer.alloc(131, 0xaa)).update("Test Using Larger Than Block-Size Key - Hash Key First").digest("hex"), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  const key = createSecretKey(Buffer.alloc(20, 0x0b));
  is("hmac with a KeyObject", createHmac("sha1", key).update("Hi There").digest("hex"), hi.sha1);
  is("KeyObject", [key instanceof KeyObject, key.type, key.symmetricKeySize, hex(key.export()), key.export({ format: "jwk" }), key.equals(createSecretKey(Buffer.alloc(20, 0x0b)))], [true, "secret", 20, "0b".repeat(20), { kty: "oct", ext: true, k: "CwsLCwsLCwsLCwsLCwsLCwsLCws" }, true]);
  is("hmac as a stream", await text(Readable.from(["Hi ", "There"]).pipe(createHmac("sha256", Buffer.alloc(20, 0x0b))).setEncoding("hex")), hi.sha256);

  is("pbkdf2", [pbkdf2Sync("password", "salt", 1, 20, "sha1"), pbkdf2Sync("password", "salt", 2, 20, "SHA1"), pbkdf2Sync("passwd", "salt", 1, 64, "sha256")].map(hex),
    ["0c60c80f961f0e71f3a9b524af6012062fe037a6", "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957", "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"]);
  is("pbkdf2 elsewhere", hex(await promisify(pbkdf2)("password", "salt", 2, 20, "sha1")), hex(pbkdf2Sync("password", "salt", 2, 20, "sha1")));
  throws("pbkdf2 of no digest", () => pbkdf2Sync("p", "s", 1, 1, "nope"), "TypeError", "ERR_CRYPTO_INVALID_DIGEST");
  const empty = "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906";
  is("scrypt", hex(scryptSync("", "", 64, { N: 16, r: 1, p: 1 })), empty);
  is("scrypt elsewhere", hex(await promisify(scrypt)("", "", 64, { cost: 16, blockSize: 1, parallelization: 1 })), empty);
  throws("scrypt's memory", () => scryptSync("", "", 64, { N: 2 ** 20 }), "RangeError", "ERR_CRYPTO_INVALID_SCRYPT_PARAMS");
  const ikm = Buffer.alloc(22, 0x0b);
  const okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
  const [salt, info] = [Buffer.from("000102030405060708090a0b0c", "hex"), Buffer.from("f0f1f2f3f4f5f6f7f8f9", "hex")];
  is("hkdf", [hex(hkdfSync("sha256", ikm, salt, info, 42)), hkdfSync("SHA256", ikm, salt, info, 42) instanceof ArrayBuffer], [okm, true]);
  is("hkdf elsewhere", hex(await promisify(hkdf)("sha256", createSecretKey(ikm), salt, info, 42)), okm);

  is("randomBytes", [randomBytes(16).length, Buffer.isBuffer(randomBytes(1)), randomBytes(32).equals(randomBytes(32)), (await promisify(randomBytes)(8)).length], [16, true, false, 8]);
  const filled = Buffer.alloc(64);
  randomFillSync(filled, 32);
  is("randomFill", [hex(filled.subarray(0, 32)), filled.subarray(32).equals(Buffer.alloc(32)), (await promisify(randomFill)(new Uint8Array(4))).length], ["00".repeat(32), false, 4]);
  const numbers = Array.from({ length: 200 }, () => randomInt(3, 6));
  is("randomInt", [[...new Set(numbers)].sort(), randomInt(1), await promisify(randomInt)(5, 6)], [[3, 4, 5], 0, 5]);
  throws("randomInt without room", () => randomInt(5, 5), "RangeError", "ERR_OUT_OF_RANGE");
  is("randomUUID", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(randomUUID()), true);
  is("timingSafeEqual", [timingSafeEqual(Buffer.from("ab"), Buffer.from("ab")), timingSafeEqual(Buffer.from("ab"), new Uint8Array([1, 2])), timingSafeEqual(new Uint8Array([1]).buffer, Buffer.from([1]))], [true, false, true]);
  throws("timingSafeEqual of other lengths", () => timingSafeEqual(Buffer.from("a"), Buffer.from("ab")), "RangeError", "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH");
  throws("timingSafeEqual of strings", () => timingSafeEqual("a", "a"), "TypeError", "ERR_INVALID_ARG_TYPE");
  is("the web's crypto", [webcrypto === globalThis.crypto, crypto.subtle === webcrypto.subtle, hex(await webcrypto.subtle.digest("SHA-256", Buffer.from("abc")))], [true, true, digests.sha256]);
  is("getRandomValues", crypto.getRandomValues(new Uint8Array(4)).length, 4);
  is("constants", [crypto.constants.RSA_PKCS1_PADDING, typeof crypto.constants.defaultCoreCipherList], [1, "string"]);
}
