import { gcm } from "@noble/ciphers/aes.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { managedNonce, randomBytes } from "@noble/ciphers/utils.js";
import { refusal, used } from "../used.js";

export default used(async () => {
  const [key, nonce, text] = [new Uint8Array(32).fill(1), new Uint8Array(12).fill(2), new TextEncoder().encode("kept")];
  const box = gcm(key, nonce).encrypt(text);
  const native = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, native, box);
  const chacha = managedNonce(xchacha20poly1305)(randomBytes(32));
  const sealed = chacha.encrypt(text);
  return [new TextDecoder().decode(opened), new TextDecoder().decode(chacha.decrypt(sealed)), await refusal(() => chacha.decrypt(sealed.with(30, sealed[30] ^ 1)))];
}, ["kept", "kept", "invalid tag"]);
