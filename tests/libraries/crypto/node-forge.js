import forge from "node-forge";
import { used } from "../used.js";

export default used(() => {
  const { privateKey, publicKey } = forge.pki.rsa.generateKeyPair({ bits: 1024 });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.validity.notAfter.setFullYear(certificate.validity.notBefore.getFullYear() + 1);
  certificate.setSubject([{ name: "commonName", value: "nano.example" }]);
  certificate.setIssuer([{ name: "commonName", value: "nano.example" }]);
  certificate.sign(privateKey, forge.md.sha256.create());
  const read = forge.pki.certificateFromPem(forge.pki.certificateToPem(certificate));
  const cipher = forge.cipher.createCipher("AES-CBC", forge.util.createBuffer("k".repeat(16)));
  cipher.start({ iv: "i".repeat(16) });
  cipher.update(forge.util.createBuffer("kept"));
  cipher.finish();
  return [read.subject.getField("CN").value, certificate.verify(read), cipher.output.toHex().length, forge.md.sha1.create().update("abc").digest().toHex(), privateKey.decrypt(publicKey.encrypt("kept"))];
}, ["nano.example", true, 32, "a9993e364706816aba3e25717850c26c9cd0d89d", "kept"]);
