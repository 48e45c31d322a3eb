//! Corrections of WebCrypto, where it departs from its standard or from Workers.

use super::correction::Correction;

pub(crate) const CRYPTO: &[Correction] = &[
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "statics of CryptoKey gave apps the bytes of keys that are not extractable",
        passage: "const CryptoKeyPrototype = CryptoKey.prototype;
",
        instead: "const CryptoKeyPrototype = CryptoKey.prototype;
const { exportNodeMaterial, fromCloneData, importSync } = CryptoKey;
delete CryptoKey.exportNodeMaterial;
delete CryptoKey.fromCloneData;
delete CryptoKey.importSync;
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "the second part of the one before",
        passage: "  (data) => CryptoKey.fromCloneData(data),
",
        instead: "  fromCloneData,
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "the third part of the one before",
        passage: "  return CryptoKey.exportNodeMaterial(cryptoKey);
",
        instead: "  return exportNodeMaterial(cryptoKey);
",
    },
    Correction {
        script: "ext:deno_crypto/00_crypto.js",
        why: "the fourth part of the one before",
        passage: "  return CryptoKey.importSync(format, keyData, algorithm, extractable, usages);
",
        instead: "  return importSync(format, keyData, algorithm, extractable, usages);
",
    },
];
