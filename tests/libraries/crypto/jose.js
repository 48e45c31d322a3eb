import { CompactEncrypt, compactDecrypt, createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { used } from "../used.js";

export default used(async () => {
  const kept = {};
  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const token = await new SignJWT({ role: "admin" }).setProtectedHeader({ alg, kid: "1" }).setExpirationTime("1h").sign(privateKey);
    const keys = createLocalJWKSet({ keys: [{ ...await exportJWK(publicKey), kid: "1", alg }] });
    kept[alg] = (await jwtVerify(token, keys)).payload.role;
    kept[`${alg} forged`] = await jwtVerify(`${token.slice(0, -8)}AAAAAAAA`, keys).catch((error) => error.code);
  }
  const key = crypto.getRandomValues(new Uint8Array(32));
  const box = await new CompactEncrypt(new TextEncoder().encode("kept")).setProtectedHeader({ alg: "A256KW", enc: "A256GCM" }).encrypt(key);
  kept.box = new TextDecoder().decode((await compactDecrypt(box, key)).plaintext);
  return kept;
}, Object.fromEntries([...["RS256", "PS256", "ES256", "EdDSA"].flatMap((alg) => [[alg, "admin"], [`${alg} forged`, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"]]), ["box", "kept"]]));
