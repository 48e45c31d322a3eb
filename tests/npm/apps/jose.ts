// jose: signatures, encryption and key sets over WebCrypto.
import * as jose from "jose";

async function signatures() {
  const results: Record<string, unknown> = {};
  for (const alg of ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
    const keys = alg === "HS256"
      ? { privateKey: new Uint8Array(32).fill(7), publicKey: new Uint8Array(32).fill(7) }
      : await jose.generateKeyPair(alg, { extractable: true });
    const token = await new jose.SignJWT({ role: "admin" })
      .setProtectedHeader({ alg }).setIssuedAt().setIssuer("urn:nano").setAudience("urn:test").setExpirationTime("2h")
      .sign(keys.privateKey);
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys.publicKey, { issuer: "urn:nano", audience: "urn:test" });
    const tampered = token.slice(0, -6) + (token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");
    const refused = await jose.jwtVerify(tampered, keys.publicKey).then(() => "accepted", (error) => error.code);
    results[alg] = [payload.role, protectedHeader.alg, refused];
  }
  return results;
}

async function encryption() {
  const results: Record<string, unknown> = {};
  for (const [alg, enc] of [["dir", "A256GCM"], ["A256KW", "A128CBC-HS256"], ["RSA-OAEP-256", "A256GCM"], ["ECDH-ES+A128KW", "A128GCM"]]) {
    const keys = alg === "dir" || alg === "A256KW"
      ? { privateKey: new Uint8Array(32).fill(9), publicKey: new Uint8Array(32).fill(9) }
      : await jose.generateKeyPair(alg);
    const token = await new jose.EncryptJWT({ secret: "kept" }).setProtectedHeader({ alg, enc }).encrypt(keys.publicKey);
    results[alg] = (await jose.jwtDecrypt(token, keys.privateKey)).payload.secret;
  }
  return results;
}

async function keySet() {
  const { publicKey, privateKey } = await jose.generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await jose.exportJWK(publicKey), kid: "one", alg: "ES256" };
  const set = jose.createLocalJWKSet({ keys: [jwk] });
  const token = await new jose.SignJWT({}).setProtectedHeader({ alg: "ES256", kid: "one" }).sign(privateKey);
  const pem = await jose.exportSPKI(await jose.importSPKI(await jose.exportSPKI(publicKey), "ES256"));
  return {
    kid: (await jose.jwtVerify(token, set)).protectedHeader.kid,
    thumbprint: (await jose.calculateJwkThumbprint(jwk)).length,
    pem: pem.startsWith("-----BEGIN PUBLIC KEY-----"),
  };
}

export default {
  async fetch() {
    return Response.json({ signatures: await signatures(), encryption: await encryption(), keySet: await keySet() });
  },
};
