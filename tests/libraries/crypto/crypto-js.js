import CryptoJS from "crypto-js";
import { used } from "../used.js";

export default used(() => {
  const box = CryptoJS.AES.encrypt("kept", "passphrase").toString();
  return [CryptoJS.AES.decrypt(box, "passphrase").toString(CryptoJS.enc.Utf8), CryptoJS.SHA256("abc").toString().slice(0, 16), CryptoJS.HmacMD5("a", "k").toString(CryptoJS.enc.Base64), CryptoJS.PBKDF2("a", "salt", { keySize: 4, iterations: 10, hasher: CryptoJS.algo.SHA1 }).toString(), CryptoJS.lib.WordArray.random(8).sigBytes];
}, ["kept", "ba7816bf8f01cfea", "3c89IQBJ5xNfYa/65zcxzQ==", "8b5896673b9aaac168b53f7df3eb2d46", 8]);
