import nacl from "tweetnacl";
import { used } from "../used.js";

export default used(() => {
  const text = new TextEncoder().encode("kept");
  const [a, b, nonce] = [nacl.box.keyPair(), nacl.box.keyPair(), nacl.randomBytes(nacl.box.nonceLength)];
  const sealed = nacl.box(text, nonce, b.publicKey, a.secretKey);
  const signer = nacl.sign.keyPair();
  const signature = nacl.sign.detached(text, signer.secretKey);
  return [new TextDecoder().decode(nacl.box.open(sealed, nonce, a.publicKey, b.secretKey)), nacl.sign.detached.verify(text, signature, signer.publicKey), nacl.secretbox.open(sealed, nonce, nacl.randomBytes(32)), nacl.hash(text).length];
}, ["kept", true, null, 64]);
