// Packages that sign, encrypt and read keys with node:crypto: jsonwebtoken, web-push, jose with key objects, and node-forge, which calculates in
// JavaScript and so is a second opinion.
import crypto from "node:crypto";
import { Buffer } from "node:buffer";
import jwt from "jsonwebtoken";
import forge from "node-forge";
import webpush from "web-push";
import { SignJWT, jwtVerify } from "jose";

const pem = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } };
const rsa = () => crypto.generateKeyPairSync("rsa", { modulusLength: 2048, ...pem });
const ec = (namedCurve) => crypto.generateKeyPairSync("ec", { namedCurve, ...pem });

const CHECKS = {
  jsonwebtoken() {
    // For PS256 and its like it signs with a KeyObject within an object, which Workers refuse.
    const pairs = { RS256: rsa(), ES256: ec("P-256"), ES384: ec("P-384"), ES512: ec("P-521") };
    const out = { HS256: jwt.verify(jwt.sign({ a: 1 }, "secret", { noTimestamp: true }), "secret") };
    for (const [algorithm, { privateKey, publicKey }] of Object.entries(pairs)) {
      const token = jwt.sign({ a: 1 }, privateKey, { algorithm, noTimestamp: true });
      out[algorithm] = jwt.verify(token, publicKey, { algorithms: [algorithm] });
      try { jwt.verify(`${token.slice(0, -8)}AAAAAAAA`, publicKey); } catch (error) { out[`${algorithm} changed`] = error.message; }
    }
    return out;
  },
  async jose() {
    const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    const token = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
    return [(await jwtVerify(token, publicKey)).payload, jwt.verify(token, publicKey)];
  },
  async push() {
    const { publicKey, privateKey } = webpush.generateVAPIDKeys();
    const client = crypto.createECDH("prime256v1");
    const keys = { p256dh: client.generateKeys("base64url"), auth: crypto.randomBytes(16).toString("base64url") };
    const { headers, body } = webpush.generateRequestDetails({ endpoint: "https://push.example.com/x", keys }, "hello", {
      vapidDetails: { subject: "mailto:a@example.com", publicKey, privateKey },
    });
    // What a browser does with it. https://www.rfc-editor.org/rfc/rfc8291
    const [salt, rest] = [body.subarray(0, 16), body.subarray(21)];
    const sender = rest.subarray(0, body[20]), sealed = rest.subarray(body[20]);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), client.getPublicKey(), sender]);
    const secret = crypto.hkdfSync("sha256", client.computeSecret(sender), Buffer.from(keys.auth, "base64url"), info, 32);
    const key = crypto.hkdfSync("sha256", secret, salt, "Content-Encoding: aes128gcm\0", 16);
    const nonce = crypto.hkdfSync("sha256", secret, salt, "Content-Encoding: nonce\0", 12);
    const decipher = crypto.createDecipheriv("aes-128-gcm", Buffer.from(key), Buffer.from(nonce));
    decipher.setAuthTag(sealed.subarray(-16));
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return [headers["Content-Encoding"], headers.Authorization.startsWith("vapid t="), text.toString("latin1")];
  },
  forge() {
    const { privateKey, publicKey } = rsa();
    const [theirs, open] = [forge.pki.privateKeyFromPem(privateKey), forge.pki.publicKeyFromPem(publicKey)];
    const digest = () => forge.md.sha256.create().update("data");
    const signature = crypto.sign("sha256", Buffer.from("data"), privateKey).toString("binary");
    const sealed = open.encrypt("secret", "RSA-OAEP", { md: forge.md.sha256.create() });
    const cipher = forge.cipher.createCipher("AES-GCM", "k".repeat(16));
    cipher.start({ iv: "v".repeat(12), additionalData: "more" });
    cipher.update(forge.util.createBuffer("text"));
    cipher.finish();
    const decipher = crypto.createDecipheriv("aes-128-gcm", "k".repeat(16), "v".repeat(12));
    decipher.setAAD(Buffer.from("more")).setAuthTag(Buffer.from(cipher.mode.tag.getBytes(), "binary"));
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = open;
    certificate.serialNumber = "01";
    certificate.setSubject([{ name: "commonName", value: "forge.example.com" }]);
    certificate.setIssuer([{ name: "commonName", value: "forge.example.com" }]);
    certificate.sign(theirs, forge.md.sha256.create());
    const read = new crypto.X509Certificate(forge.pki.certificateToPem(certificate));
    const encrypted = forge.pki.encryptRsaPrivateKey(theirs, "pass", { algorithm: "aes256" });
    return {
      verified: open.verify(digest().digest().getBytes(), signature),
      same: theirs.sign(digest()) === signature,
      decrypted: crypto.privateDecrypt({ key: privateKey, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, Buffer.from(sealed, "binary")).toString(),
      opened: Buffer.concat([decipher.update(Buffer.from(cipher.output.getBytes(), "binary")), decipher.final()]).toString(),
      certificate: [read.subject, read.verify(crypto.createPublicKey(publicKey))],
      passphrase: crypto.createPrivateKey({ key: encrypted, passphrase: "pass" }).equals(crypto.createPrivateKey(privateKey)),
      back: forge.pki.decryptRsaPrivateKey(crypto.createPrivateKey(privateKey).export({ type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "pass" }), "pass").n.equals(theirs.n),
    };
  },
};

export default {
  async fetch(request) {
    return Response.json(await CHECKS[new URL(request.url).pathname.slice(1)]());
  },
};
