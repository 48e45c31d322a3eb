// Web Cryptography, against published vectors and the errors that the standard names. https://w3c.github.io/webcrypto/
import { equal, ok, rejects, same, throws } from "./harness.js";

const { subtle } = crypto;
const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const utf8 = (text) => new TextEncoder().encode(text);
const secret = (key, algorithm, ...usages) => subtle.importKey("raw", hex(key), algorithm, false, usages);
const base64url = (text) => btoa(String.fromCharCode(...hex(text))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

// The GCM specification's test cases 4 to 6: one text under vectors of 96, 64 and 480 bits.
const GCM = {
  key: "feffe9928665731c6d6a8f9467308308",
  additional: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
  text: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  cases: [
    [
      "cafebabefacedbaddecaf888",
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
      "5bc94fbc3221a5db94fae95ae7121a47",
    ],
    [
      "cafebabefacedbad",
      "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598",
      "3612d2e79e3b0785561be14aaca2fccb",
    ],
    [
      "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b",
      "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5",
      "619cc5aefffe0bfa462af43c1699d050",
    ],
  ],
};
// RFC 6979 A.2.6.
const P384 = {
  x: "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
  y: "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
  d: "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
  sampleSha1: "EC748D839243D6FBEF4FC5C4859A7DFFD7F3ABDDF72014540C16D73309834FA37B9BA002899F6FDA3A4A9386790D4EB2" +
    "A3BCFA947BEEF4732BF247AC17F71676CB31A847B9FF0CBC9C9ED4C1A5B3FACF26F49CA031D4857570CCB5CA4424A443",
};
const p384Jwk = () => ({ kty: "EC", crv: "P-384", x: base64url(P384.x), y: base64url(P384.y), d: base64url(P384.d) });

export default {
  async "digests of FIPS 180"() {
    const digests = {
      "SHA-1": "a9993e364706816aba3e25717850c26c9cd0d89d",
      "sha-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "SHA-384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
      "SHA-512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    };
    for (const [name, digest] of Object.entries(digests)) {
      equal(toHex(await subtle.digest(name, utf8("abc"))), digest, name);
      equal(toHex(await subtle.digest({ name }, utf8("abc").buffer)), digest, name);
    }
    await rejects("NotSupportedError", subtle.digest("MD4", utf8("abc")));
    await rejects(TypeError, subtle.digest("SHA-1", "abc"));
  },
  async "HMAC of RFC 4231"() {
    const key = await subtle.importKey("raw", utf8("Jefe"), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    const data = utf8("what do ya want for nothing?");
    const mac = await subtle.sign("HMAC", key, data);
    equal(toHex(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    same([await subtle.verify("HMAC", key, mac, data), await subtle.verify("HMAC", key, mac, utf8("x"))], [true, false]);
  },
  async "PBKDF2 of RFC 6070 and HKDF of RFC 5869"() {
    const password = await subtle.importKey("raw", utf8("password"), "PBKDF2", false, ["deriveBits"]);
    const bits = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: utf8("salt"), iterations: 2 }, password, 160);
    equal(toHex(bits), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    const input = await secret("0b".repeat(22), "HKDF", "deriveBits");
    const hkdf = { name: "HKDF", hash: "SHA-256", salt: hex("000102030405060708090a0b0c"), info: hex("f0f1f2f3f4f5f6f7f8f9") };
    equal(toHex(await subtle.deriveBits(hkdf, input, 336)),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    await rejects("OperationError", subtle.deriveBits(hkdf, input, 12));
    await rejects("OperationError", subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: hex(""), iterations: 0 }, password, 8));
  },
  async "AES-CTR and AES-CBC of SP 800-38A, AES-KW of RFC 3394"() {
    const key = "2b7e151628aed2a6abf7158809cf4f3c";
    const block = hex("6bc1bee22e409f96e93d7e117393172a");
    const counter = { name: "AES-CTR", counter: hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), length: 64 };
    equal(toHex(await subtle.encrypt(counter, await secret(key, "AES-CTR", "encrypt"), block)), "874d6191b620e3261bef6864990db6ce");
    const cbc = { name: "AES-CBC", iv: hex("000102030405060708090a0b0c0d0e0f") };
    const cbcKey = await secret(key, "AES-CBC", "encrypt", "decrypt");
    const sealed = await subtle.encrypt(cbc, cbcKey, block);
    same([toHex(sealed).slice(0, 32), sealed.byteLength], ["7649abac8119b246cee98e9b12e9197d", 32]);
    equal(toHex(await subtle.decrypt(cbc, cbcKey, sealed)), toHex(block));
    await rejects("OperationError", subtle.decrypt(cbc, cbcKey, sealed.slice(0, 31)));
    await rejects("OperationError", subtle.encrypt({ name: "AES-CBC", iv: hex("00") }, cbcKey, block));
    const wrapping = await secret("000102030405060708090a0b0c0d0e0f", "AES-KW", "wrapKey", "unwrapKey");
    const wrapped = await subtle.importKey("raw", hex("00112233445566778899aabbccddeeff"), "AES-CBC", true, ["encrypt"]);
    equal(toHex(await subtle.wrapKey("raw", wrapped, wrapping, "AES-KW")), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
  },
  async "AES-GCM with vectors of every length"() {
    const key = await secret(GCM.key, "AES-GCM", "encrypt", "decrypt");
    for (const [iv, ciphertext, tag] of GCM.cases) {
      const algorithm = { name: "aes-gcm", iv: hex(iv), additionalData: hex(GCM.additional) };
      equal(toHex(await subtle.encrypt(algorithm, key, hex(GCM.text))), ciphertext + tag, iv);
      equal(toHex(await subtle.decrypt(algorithm, key, hex(ciphertext + tag))), GCM.text, iv);
      await rejects("OperationError", subtle.decrypt({ ...algorithm, additionalData: hex("00") }, key, hex(ciphertext + tag)));
      await rejects("OperationError", subtle.decrypt(algorithm, key, hex(ciphertext)));
    }
  },
  async "AES-GCM with tags of every length"() {
    for (const length of [16, 24, 32]) {
      const key = await subtle.importKey("raw", new Uint8Array(length), "AES-GCM", false, ["encrypt", "decrypt"]);
      for (const tagLength of [32, 64, 96, 104, 112, 120, 128]) {
        for (const iv of [hex(GCM.cases[0][0]), hex("00"), new Uint8Array(16)]) {
          const algorithm = { name: "AES-GCM", iv, tagLength };
          const sealed = await subtle.encrypt(algorithm, key, utf8("text"));
          equal(sealed.byteLength, 4 + tagLength / 8, "its length");
          equal(toHex(await subtle.decrypt(algorithm, key, sealed)), toHex(utf8("text")));
          new Uint8Array(sealed)[sealed.byteLength - 1] ^= 1;
          await rejects("OperationError", subtle.decrypt(algorithm, key, sealed));
          await rejects("OperationError", subtle.decrypt(algorithm, key, new Uint8Array(tagLength / 8 - 1)));
        }
      }
      await rejects("OperationError", subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(9), tagLength: 40 }, key, utf8("x")));
    }
    const other = await secret(GCM.key, "AES-GCM", "decrypt");
    await rejects("InvalidAccessError", subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(9) }, other, utf8("x")));
  },
  async "what is given to a call is taken as it is then"() {
    const key = await secret(GCM.key, "AES-GCM", "encrypt");
    const [[iv96, first, firstTag], [iv64, second, secondTag]] = GCM.cases;
    for (const [vector, wanted] of [[iv96, first + firstTag], [iv64, second + secondTag]]) {
      const [iv, additionalData, data] = [hex(vector), hex(GCM.additional), hex(GCM.text)];
      const sealed = subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, data);
      for (const buffer of [iv, additionalData, data]) buffer.fill(0);
      equal(toHex(await sealed), wanted, vector);
    }
  },
  async "Ed25519 of RFC 8032"() {
    const publicKey = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    const signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const pkcs8 = new Uint8Array([...hex("302e020100300506032b657004220420"), ...seed]);
    const signing = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
    equal(toHex(await subtle.sign("Ed25519", signing, hex("72"))), signature);
    const verifying = await subtle.importKey("raw", publicKey, { name: "ed25519" }, true, ["verify"]);
    same([await subtle.verify("Ed25519", verifying, hex(signature), hex("72")),
      await subtle.verify("Ed25519", verifying, hex(signature), hex("73")),
      await subtle.verify("Ed25519", verifying, hex(""), hex("72"))], [true, false, false]);
    const jwk = await subtle.exportKey("jwk", signing);
    same([jwk.kty, jwk.crv, jwk.alg, jwk.x, jwk.d], ["OKP", "Ed25519", "Ed25519", base64url(toHex(publicKey)), base64url(toHex(seed))]);
  },
  async "Ed25519 keys and signatures of small order verify nothing"() {
    // The neutral element as key and as R, and S = 0, satisfy the equation for every message.
    for (const neutral of ["01" + "00".repeat(31), "ee" + "ff".repeat(30) + "7f"]) {
      const key = await subtle.importKey("raw", hex("01" + "00".repeat(31)), "Ed25519", false, ["verify"]);
      equal(await subtle.verify("Ed25519", key, hex(neutral + "00".repeat(32)), utf8("anything")), false, neutral);
    }
  },
  async "ECDSA of RFC 6979, also of short digests over P-384"() {
    const algorithm = { name: "ECDSA", namedCurve: "P-384" };
    const sha1 = { name: "ECDSA", hash: "SHA-1" };
    const { d: _, ...publicJwk } = p384Jwk();
    const verifying = await subtle.importKey("jwk", publicJwk, algorithm, true, ["verify"]);
    equal(await subtle.verify(sha1, verifying, hex(P384.sampleSha1), utf8("sample")), true);
    equal(await subtle.verify(sha1, verifying, hex(P384.sampleSha1), utf8("other")), false);
    const signing = await subtle.importKey("jwk", p384Jwk(), algorithm, false, ["sign"]);
    for (const hash of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
      const data = utf8("data");
      const signed = subtle.sign({ name: "ECDSA", hash: { name: hash } }, signing, data);
      data.fill(0);
      equal(await subtle.verify({ name: "ecdsa", hash }, verifying, await signed, utf8("data")), true, hash);
    }
    await rejects("InvalidAccessError", subtle.sign(sha1, verifying, utf8("x")));
  },
  async "private JSON Web Keys are whole, and of one pair"() {
    for (const [name, ...usages] of [["Ed25519", "sign", "verify"], ["X25519", "deriveBits"], ["ECDSA", "sign", "verify"], ["ECDH", "deriveKey"]]) {
      const algorithm = name.startsWith("EC") ? { name, namedCurve: "P-256" } : { name };
      const generate = async () => subtle.exportKey("jwk", (await subtle.generateKey(algorithm, true, usages)).privateKey);
      const [jwk, other] = [await generate(), await generate()];
      const use = (key) => subtle.importKey("jwk", key, algorithm, true, usages.slice(0, 1));
      ok(await use(jwk), `the whole key of ${name} is refused`);
      for (const member of Object.keys(jwk).filter((member) => ["x", "y", "crv", "kty"].includes(member))) {
        const { [member]: _, ...rest } = jwk;
        await rejects("DataError", use(rest));
        if (member.length === 1) {
          await rejects("DataError", use({ ...jwk, [member]: other[member] }));
          await rejects("DataError", use({ ...jwk, [member]: jwk[member].slice(0, -2) }));
        }
      }
    }
    const signing = await subtle.exportKey("jwk", (await subtle.generateKey("Ed25519", true, ["sign"])).privateKey);
    for (const alg of ["Ed25519", "EdDSA", undefined]) {
      ok(await subtle.importKey("jwk", { ...signing, alg }, "Ed25519", true, ["sign"]), `"${alg}" is refused`);
    }
    for (const alg of ["ed25519", "ES256"]) {
      await rejects("DataError", subtle.importKey("jwk", { ...signing, alg }, "Ed25519", true, ["sign"]));
    }
  },
  async "derived bits end where they were asked to"() {
    for (const algorithm of [{ name: "ECDH", namedCurve: "P-256" }, { name: "X25519" }]) {
      const [a, b] = [await subtle.generateKey(algorithm, false, ["deriveBits"]), await subtle.generateKey(algorithm, false, ["deriveBits"])];
      const derive = async (mine, theirs, length) =>
        new Uint8Array(await subtle.deriveBits({ name: algorithm.name, public: theirs.publicKey }, mine.privateKey, length));
      const whole = await derive(a, b, 256);
      same([...(await derive(b, a, null))], [...whole], algorithm.name);
      const part = await derive(a, b, 13);
      same([...part], [whole[0], whole[1] & 0xf8], algorithm.name);
      await rejects("OperationError", derive(a, b, 257));
    }
  },
  async "errors have the names of the standard"() {
    await rejects("NotSupportedError", subtle.generateKey("unknown", true, ["sign"]));
    await rejects("SyntaxError", subtle.generateKey({ name: "AES-CBC", length: 128 }, true, ["sign"]));
    await rejects("SyntaxError", subtle.generateKey({ name: "AES-CBC", length: 128 }, true, []));
    await rejects("OperationError", subtle.generateKey({ name: "AES-CBC", length: 100 }, true, ["encrypt"]));
    await rejects("DataError", subtle.importKey("raw", new Uint8Array(3), "AES-CBC", true, ["encrypt"]));
    await rejects(TypeError, subtle.importKey("jwk", new Uint8Array(3), "AES-CBC", true, ["encrypt"]));
    await rejects(TypeError, subtle.generateKey({}, true, ["encrypt"]));
    await rejects("InvalidAccessError", subtle.exportKey("raw", await secret(GCM.key, "AES-GCM", "encrypt")));
    throws("TypeMismatchError", () => crypto.getRandomValues(new Float32Array(1)));
    const tooLong = throws(Error, () => crypto.getRandomValues(new Uint8Array(65537)));
    ok(tooLong instanceof DOMException && tooLong.name === "QuotaExceededError", `it threw ${tooLong}`);
  },
  async "keys that are not extractable give nothing away"() {
    const key = await secret(GCM.key, "AES-GCM", "encrypt");
    const reachable = [key, CryptoKey, CryptoKey.prototype, Crypto, SubtleCrypto].flatMap((object) => Reflect.ownKeys(object));
    const allowed = ["length", "name", "prototype", "constructor", "type", "extractable", "algorithm", "usages", "supports"];
    same(reachable.filter((name) => typeof name === "string" && !allowed.includes(name)), []);
    for (const symbol of Object.getOwnPropertySymbols(CryptoKey.prototype)) {
      const member = CryptoKey.prototype[symbol];
      if (typeof member !== "function") continue;
      let shown = "";
      try {
        shown = JSON.stringify(member.call(key, (value) => value));
      } catch { /* It asks for more than a key. */ }
      ok(!shown?.includes("254,255") && !shown?.includes(GCM.key), `${String(symbol)} shows the key`);
    }
  },
  async "a key's structured clone is as good as the key"() {
    const key = await secret(GCM.key, "AES-GCM", "encrypt", "decrypt");
    const { clone } = structuredClone({ clone: key });
    ok(clone instanceof CryptoKey, "the clone is no key");
    same([clone.extractable, clone.type, clone.algorithm.name, [...clone.usages]], [false, "secret", "AES-GCM", ["encrypt", "decrypt"]]);
    const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
    equal(toHex(await subtle.decrypt(algorithm, clone, await subtle.encrypt(algorithm, key, utf8("x")))), "78");
  },
  "methods have the shape of the standard"() {
    const lengths = { encrypt: 3, decrypt: 3, sign: 3, verify: 4, deriveBits: 2, importKey: 5, exportKey: 2 };
    for (const [name, length] of Object.entries(lengths)) {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(SubtleCrypto.prototype, name);
      same([value.name, value.length, writable, enumerable, configurable], [name, length, true, true, true]);
    }
    throws(TypeError, () => new CryptoKey());
    throws(TypeError, () => new SubtleCrypto());
  },
  async "wrong receivers and too few arguments reject"() {
    for (const name of ["encrypt", "decrypt", "sign", "verify", "deriveBits", "importKey", "exportKey"]) {
      await rejects(TypeError, subtle[name]());
      await rejects(TypeError, subtle[name].call({}));
    }
  },
};
