import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import { used } from "../used.js";

export default used(async () => {
  const message = new Uint8Array(32).fill(7);
  const signs = (curve) => {
    const { secretKey, publicKey } = curve.keygen();
    const signature = curve.sign(message, secretKey);
    return [curve.verify(signature, message, publicKey), curve.verify(signature, new Uint8Array(32), publicKey)];
  };
  const [a, b] = [x25519.keygen(), x25519.keygen()];
  const shared = [x25519.getSharedSecret(a.secretKey, b.publicKey), x25519.getSharedSecret(b.secretKey, a.publicKey)];
  // The platform verifies what the package signs.
  const { secretKey, publicKey } = ed25519.keygen();
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return [[ed25519, secp256k1, schnorr, p256].map(signs), String(shared[0]) === String(shared[1]), await crypto.subtle.verify("Ed25519", key, ed25519.sign(message, secretKey), message)];
}, [[[true, false], [true, false], [true, false], [true, false]], true, true]);
