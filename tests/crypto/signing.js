
const DATA = Buffer.from('what is signed');
const DIGESTS = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'SHA256', 'RSA-SHA256', 'RSA-SHA1', 'ripemd160', 'md5-sha1', 'sha3-256', 'no', ''];
const RSA_PADDINGS = [undefined, 1, 2, 3, 4, 5, 6, 0, 99];
const SALTS = [undefined, -1, -2, 0, 20, 32, 100, 222, 223, 1000, -3];

function signing() {
  const { RSA_PKCS1_PSS_PADDING: PSS } = crypto.constants;
  // Without salt, signatures of RSA are always the same.
  for (const digest of DIGESTS) {
    check(`signing: RSA with ${digest}`, () => crypto.createSign(digest).update(DATA).sign(PEM.rsa));
    check(`signing: RSA at once with ${digest}`, () => crypto.sign(digest, DATA, PEM.rsa));
    check(`signing: RSA-PSS with ${digest}`, () => crypto.sign(digest, DATA, { key: PEM.rsa, padding: PSS, saltLength: 0 }));
    for (const key of ['p256', 'p384', 'p521', 'p224']) {
      check(`signing: ${key} with ${digest}`, () => { const signature = crypto.sign(digest, DATA, PEM[key]); return [crypto.verify(digest, DATA, PEM[key], signature), crypto.createVerify(digest).update(DATA).verify(PEM[key], signature)]; });
      check(`signing: ${key} with ${digest} in P1363`, () => { const of = { key: PEM[key], dsaEncoding: 'ieee-p1363' }; const signature = crypto.sign(digest, DATA, of); return [signature.length, crypto.verify(digest, DATA, of, signature), crypto.verify(digest, DATA, PEM[key], signature)]; });
    }
    check(`signing: Ed25519 with ${digest}`, () => crypto.sign(digest, DATA, PEM.ed));
    check(`signing: Ed25519 in pieces with ${digest}`, () => crypto.createSign(digest).update(DATA).sign(PEM.ed));
    check(`signing: Ed25519 verified with ${digest}`, () => crypto.verify(digest, DATA, PEM.edPublic, bytes(64)));
  }
  for (const padding of RSA_PADDINGS) {
    for (const saltLength of SALTS) {
      check(`signing: padding ${padding}, salt ${saltLength}`, () => {
        const key = { key: PEM.rsa, padding, saltLength };
        const one = crypto.createSign('sha256').update(DATA).sign(key), other = crypto.sign('sha256', DATA, key);
        const accepts = (options) => { try { return crypto.verify('sha256', DATA, { key: PEM.rsaPublic, padding, ...options }, one); } catch (error) { return failure(error); } };
        return [one.length, other.length, one.equals(other), accepts({ saltLength }), accepts({}), accepts({ saltLength: -1 }), accepts({ saltLength: -2 }), accepts({ saltLength: 5 }), accepts({ padding: 1 })];
      });
    }
  }
  for (const key of ['rsa', 'p256', 'ed', 'x', 'dh', 'rsaPss', 'k256', 'dsa']) {
    check(`signing: without digest by ${key}`, () => crypto.sign(null, DATA, PEM[key]).length > 0);
    check(`signing: without digest by ${key}, undefined`, () => crypto.sign(undefined, DATA, PEM[key]).length > 0);
    check(`signing: sha256 by ${key}`, () => crypto.sign('sha256', DATA, PEM[key]).length > 0);
    check(`signing: in pieces by ${key}`, () => crypto.createSign('sha256').update(DATA).sign(PEM[key]).length > 0);
    check(`signing: verified by ${key}`, () => crypto.verify('sha256', DATA, PEM[key], bytes(64)));
    check(`signing: verified in pieces by ${key}`, () => crypto.createVerify('sha256').update(DATA).verify(PEM[key], bytes(64)));
  }
  for (const key of ['rsa', 'p256', 'ed']) {
    const digest = key === 'ed' ? null : 'sha256', half = { rsa: 'rsaPublic', p256: 'p256Public', ed: 'edPublic' }[key];
    const signature = () => crypto.sign(digest, DATA, PEM[key]);
    check(`signing: ${key} by its public half`, () => crypto.sign(digest, DATA, PEM[half]));
    check(`signing: ${key} by a public object`, () => crypto.sign(digest, DATA, crypto.createPublicKey(PEM[half])));
    check(`signing: ${key} by a secret`, () => crypto.sign(digest, DATA, crypto.createSecretKey(bytes(16))));
    check(`signing: ${key} verified by a secret`, () => crypto.verify(digest, DATA, crypto.createSecretKey(bytes(16)), signature()));
    check(`signing: ${key} verified by all forms`, () => [PEM[half], Buffer.from(PEM[half]), crypto.createPublicKey(PEM[half]), crypto.createPrivateKey(PEM[key]), PEM[key], { key: PEM[half] }].map((of) => { try { return crypto.verify(digest, DATA, of, signature()); } catch (error) { return failure(error); } }));
    check(`signing: ${key} with an object in an object`, () => crypto.verify(digest, DATA, { key: crypto.createPublicKey(PEM[half]) }, signature()));
    check(`signing: ${key} of other data`, () => crypto.verify(digest, bytes(5), PEM[half], signature()));
    for (const wrong of [Buffer.alloc(0), bytes(1), bytes(64), bytes(256), Buffer.alloc(256), Buffer.alloc(64), bytes(300)]) check(`signing: ${key} with a signature of ${wrong.length} ${wrong[0]}`, () => crypto.verify(digest, DATA, PEM[half], wrong));
    for (const wrong of [Buffer.alloc(0), bytes(1), bytes(64), Buffer.alloc(64), bytes(65)]) check(`signing: ${key} in P1363 of ${wrong.length} ${wrong[0]}`, () => crypto.verify(digest, DATA, { key: PEM[half], dsaEncoding: 'ieee-p1363' }, wrong));
    check(`signing: ${key} changed`, () => { const of = signature(); of[of.length - 1] ^= 1; return crypto.verify(digest, DATA, PEM[half], of); });
    check(`signing: ${key} longer`, () => crypto.verify(digest, DATA, PEM[half], Buffer.concat([signature(), bytes(1)])));
    check(`signing: ${key} shorter`, () => crypto.verify(digest, DATA, PEM[half], signature().subarray(1)));
  }
  for (const wrong of WRONG) {
    check(`signing: createSign of ${named(wrong)}`, () => typeof crypto.createSign(wrong));
    check(`signing: createVerify of ${named(wrong)}`, () => typeof crypto.createVerify(wrong));
    check(`signing: update of ${named(wrong)}`, () => crypto.createSign('sha256').update(wrong) instanceof crypto.Sign);
    check(`signing: key ${named(wrong)}`, () => crypto.createSign('sha256').update('x').sign(wrong).length);
    check(`signing: key to verify ${named(wrong)}`, () => crypto.createVerify('sha256').update('x').verify(wrong, bytes(3)));
    check(`signing: signature ${named(wrong)}`, () => crypto.createVerify('sha256').update('x').verify(PEM.rsaPublic, wrong));
    check(`signing: sign digest ${named(wrong)}`, () => crypto.sign(wrong, DATA, PEM.rsa).length);
    check(`signing: sign data ${named(wrong)}`, () => crypto.sign('sha256', wrong, PEM.rsa).length);
    check(`signing: sign key ${named(wrong)}`, () => crypto.sign('sha256', DATA, wrong).length);
    check(`signing: verify signature ${named(wrong)}`, () => crypto.verify('sha256', DATA, PEM.rsaPublic, wrong));
    for (const option of ['padding', 'saltLength', 'dsaEncoding']) check(`signing: ${option} ${named(wrong)}`, () => crypto.sign('sha256', DATA, { key: PEM.rsa, [option]: wrong }).length);
  }
  check('signing: text', () => crypto.createSign('sha256').update('6869', 'hex').sign(PEM.rsa, 'base64') === crypto.createSign('sha256').update('hi').sign(PEM.rsa, 'base64'));
  check('signing: signatures of text', () => crypto.createVerify('sha256').update('hi').verify(PEM.rsaPublic, crypto.createSign('sha256').update('hi').sign(PEM.rsa, 'hex'), 'hex'));
  check('signing: twice', () => { const sign = crypto.createSign('sha256').update('hi'); return [sign.sign(PEM.rsa).length, sign.sign(PEM.rsa).length]; });
  check('signing: after the end', () => { const sign = crypto.createSign('sha256').update('hi'); sign.sign(PEM.rsa); return sign.update('x') === sign; });
  check('signing: verified twice', () => { const verify = crypto.createVerify('sha256').update('hi'); return [verify.verify(PEM.rsaPublic, bytes(256)), verify.verify(PEM.rsaPublic, bytes(256))]; });
}

async function signing_later() {
  await later('signing_later: sign', () => called(crypto.sign, 'sha256', DATA, PEM.rsa));
  await later('signing_later: verify', () => called(crypto.verify, 'sha256', DATA, PEM.rsaPublic, crypto.sign('sha256', DATA, PEM.rsa)));
  await later('signing_later: wrong digest', () => called(crypto.sign, 'no', DATA, PEM.rsa));
  await later('signing_later: wrong digest to verify', () => called(crypto.verify, 'no', DATA, PEM.rsaPublic, bytes(3)));
  await later('signing_later: a stream', () => new Promise((resolve) => { const sign = crypto.createSign('sha256'); sign.on('finish', () => resolve(sign.sign(PEM.rsa))); sign.write('a'); sign.end('b'); }));
  await later('signing_later: a stream to verify', () => new Promise((resolve) => { const verify = crypto.createVerify('sha256'); verify.on('finish', () => resolve(verify.verify(PEM.rsaPublic, crypto.sign('sha256', Buffer.from('ab'), PEM.rsa)))); verify.write('a'); verify.end('b'); }));
}

function rsa() {
  for (const padding of RSA_PADDINGS) {
    for (const length of [0, 1, 100, 214, 215, 245, 246, 256, 257]) {
      check(`rsa: public, padding ${padding}, ${length} bytes`, () => {
        const sealed = crypto.publicEncrypt({ key: PEM.rsaPublic, padding }, Buffer.alloc(length, 7));
        return [sealed.length, crypto.privateDecrypt({ key: PEM.rsa, padding }, sealed).equals(Buffer.alloc(length, 7))];
      });
      check(`rsa: private, padding ${padding}, ${length} bytes`, () => {
        const sealed = crypto.privateEncrypt({ key: PEM.rsa, padding }, Buffer.alloc(length, 7));
        return [sealed, crypto.publicDecrypt({ key: PEM.rsaPublic, padding }, sealed).equals(Buffer.alloc(length, 7))];
      });
    }
    check(`rsa: garbage, padding ${padding}`, () => { const out = crypto.privateDecrypt({ key: PEM.rsa, padding }, Buffer.alloc(256, 7)); return padding === 1 || padding === undefined ? 'anything' : out; });
    check(`rsa: short garbage, padding ${padding}`, () => crypto.privateDecrypt({ key: PEM.rsa, padding }, Buffer.alloc(25, 7)));
    check(`rsa: public garbage, padding ${padding}`, () => crypto.publicDecrypt({ key: PEM.rsaPublic, padding }, Buffer.alloc(256, 7)));
    check(`rsa: no bytes, padding ${padding}`, () => crypto.publicDecrypt({ key: PEM.rsaPublic, padding }, Buffer.alloc(0)));
  }
  for (const oaepHash of [undefined, 'sha1', 'sha256', 'sha512', 'md5', 'no', 1]) {
    for (const oaepLabel of [undefined, 'label', bytes(3), Buffer.alloc(0), 1]) {
      check(`rsa: OAEP of ${oaepHash}, ${named(oaepLabel)}`, () => {
        const sealed = crypto.publicEncrypt({ key: PEM.rsaPublic, padding: 4, oaepHash, oaepLabel }, DATA);
        return [sealed.length, crypto.privateDecrypt({ key: PEM.rsa, padding: 4, oaepHash, oaepLabel }, sealed)];
      });
    }
  }
  check('rsa: another label', () => crypto.privateDecrypt({ key: PEM.rsa, padding: 4, oaepLabel: 'b' }, crypto.publicEncrypt({ key: PEM.rsaPublic, padding: 4, oaepLabel: 'a' }, DATA)));
  check('rsa: another hash', () => crypto.privateDecrypt({ key: PEM.rsa, padding: 4, oaepHash: 'sha1' }, crypto.publicEncrypt({ key: PEM.rsaPublic, padding: 4, oaepHash: 'sha256' }, DATA)));
  for (const name of ['publicEncrypt', 'publicDecrypt', 'privateEncrypt', 'privateDecrypt']) {
    for (const key of ['rsa', 'rsaPublic', 'p256', 'ed', 'x', 'rsaPss', 'dh', 'rsaPkcs8Encrypted', 'ca']) check(`rsa: ${name} by ${key}`, () => crypto[name](PEM[key], Buffer.alloc(256, 1)).length);
    for (const key of [() => crypto.createPrivateKey(PEM.rsa), () => crypto.createPublicKey(PEM.rsaPublic), () => ({ key: crypto.createPublicKey(PEM.rsaPublic) }), () => crypto.createSecretKey(bytes(3)), ...WRONG.map((wrong) => () => wrong)]) check(`rsa: ${name} by an object ${String(key).slice(6)}`, () => crypto[name](key(), Buffer.alloc(256, 1)).length);
    for (const wrong of WRONG) check(`rsa: ${name} of ${named(wrong)}`, () => crypto[name](name.startsWith('public') ? PEM.rsaPublic : PEM.rsa, wrong).length);
  }
  check('rsa: text', () => crypto.privateDecrypt(PEM.rsa, crypto.publicEncrypt(PEM.rsaPublic, 'h\u00e9llo')));
  check('rsa: views', () => crypto.privateDecrypt(PEM.rsa, new Uint8Array(crypto.publicEncrypt(PEM.rsaPublic, new Uint16Array([1, 2])))));
}

/** RFC 8032, section 7.1; RFC 7748, section 6.1; and edge cases as Project Wycheproof has them. */
function vectors() {
  const ed = (seed) => crypto.createPrivateKey({ key: Buffer.concat([hex('302e020100300506032b657004220420'), hex(seed)]), format: 'der', type: 'pkcs8' });
  const open = (point) => crypto.createPublicKey({ key: Buffer.concat([hex('302a300506032b6570032100'), hex(point)]), format: 'der', type: 'spki' });
  for (const [seed, point, message, signature] of [
    ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '', 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
    ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72', '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
    ['c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', 'af82', '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'],
  ]) {
    check(`vectors: Ed25519 of ${message}`, () => [crypto.sign(null, hex(message), ed(seed)).toString('hex') === signature, crypto.verify(null, hex(message), open(point), hex(signature)), crypto.createPublicKey(ed(seed)).export({ format: 'jwk' }).x === hex(point).toString('base64url'), crypto.verify(null, hex(`${message}00`), open(point), hex(signature))]);
    check(`vectors: Ed25519 of ${message} with s beyond the order`, () => { const s = BigInt(`0x${hex(signature).subarray(32).reverse().toString('hex')}`) + 2n ** 252n + 27742317777372353535851937790883648493n; const bad = Buffer.concat([hex(signature).subarray(0, 32), hex(s.toString(16).padStart(64, '0')).reverse()]); return crypto.verify(null, hex(message), open(point), bad); });
  }
  check('vectors: X25519', () => {
    const mine = crypto.createPrivateKey({ key: hex('302e020100300506032b656e0422042077076d0a7318a57d3c16c17251b26645f6c0f92ebc0e9b5b4d6e4c1b3e2a2c2a'.replace('6645f6c0f92ebc0e9b5b4d6e4c1b3e2a2c2a', '6645df4c2f87ebc0992ab177fba51db92c2a')), format: 'der', type: 'pkcs8' });
    const theirs = crypto.createPublicKey({ key: hex('302a300506032b656e032100de9edb7d7b7dbc4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'.replace('882b4f', '882b4f')), format: 'der', type: 'spki' });
    return crypto.diffieHellman({ privateKey: mine, publicKey: theirs });
  });
  for (const point of ['00'.repeat(32), `01${'00'.repeat(31)}`, 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800']) {
    check(`vectors: X25519 with a point of low order ${point.slice(0, 8)}`, () => crypto.diffieHellman({ privateKey: crypto.createPrivateKey(PEM.x), publicKey: crypto.createPublicKey({ key: hex(`302a300506032b656e032100${point}`), format: 'der', type: 'spki' }) }));
    check(`vectors: Ed25519 with a point of low order ${point.slice(0, 8)}`, () => crypto.verify(null, DATA, open(point), Buffer.concat([hex(point), Buffer.alloc(32)])));
  }
  const der = (text) => hex(text.replaceAll(' ', ''));
  for (const [name, signature] of [['r and s of zero', '3006 020100 020100'], ['a negative r', '3006 0201ff 020101'], ['r and s of one', '3006 020101 020101'], ['no sequence', '020101'], ['long lengths', '308106 020101 020101'], ['garbage behind', '3006 020101 020101 00'], ['an empty integer', '3004 0200 0200'], ['a padded integer', '3008 02020001 02020001'], ['infinite length', '3080 020101 020101 0000'], ['nothing', '3000'], ['the order', `302502${'2100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'} 020101`.replace('3025', '3026')]]) {
    check(`vectors: ECDSA with ${name}`, () => crypto.verify('sha256', DATA, PEM.p256Public, der(signature)));
  }
  for (const [name, point] of [['not on the curve', `04${'01'.repeat(64)}`], ['at infinity', '00'], ['too short', '0401'], ['compressed', `02${'01'.repeat(32)}`]]) {
    const header = '301306072a8648ce3d020106082a8648ce3d030107';
    check(`vectors: a point ${name}`, () => { const bits = `00${point}`, body = `${header}03${(bits.length / 2).toString(16).padStart(2, '0')}${bits}`; return crypto.createPublicKey({ key: hex(`30${(body.length / 2).toString(16).padStart(2, '0')}${body}`), format: 'der', type: 'spki' }); });
  }
  // PKCS #1 v1.5 with a wrong digest info, and the forgeries of Bleichenbacher and others.
  const forged = (block) => crypto.privateEncrypt({ key: PEM.rsa, padding: crypto.constants.RSA_NO_PADDING }, block);
  const info = hex('3031300d060960864801650304020105000420'), digest = crypto.createHash('sha256').update(DATA).digest();
  const block = (prefix, ...rest) => { const end = Buffer.concat(rest); return Buffer.concat([hex('0001'), Buffer.alloc(256 - 3 - end.length - prefix, 255), Buffer.alloc(1), end, Buffer.alloc(prefix)]); };
  check('vectors: PKCS1 right', () => crypto.verify('sha256', DATA, PEM.rsaPublic, forged(block(0, info, digest))));
  check('vectors: PKCS1 with garbage behind', () => crypto.verify('sha256', DATA, PEM.rsaPublic, forged(block(100, info, digest))));
  check('vectors: PKCS1 without NULL', () => crypto.verify('sha256', DATA, PEM.rsaPublic, forged(block(0, hex('302f300b0609608648016503040201 0420'.replace(' ', '')), digest))));
  check('vectors: PKCS1 of another digest', () => crypto.verify('sha512', DATA, PEM.rsaPublic, forged(block(0, info, digest))));
  check('vectors: PKCS1 without digest info', () => crypto.verify('sha256', DATA, PEM.rsaPublic, forged(block(0, digest))));
  check('vectors: PKCS1 of zeros', () => crypto.verify('sha256', DATA, PEM.rsaPublic, Buffer.alloc(256)));
  check('vectors: PKCS1 decrypted without zero', () => crypto.publicDecrypt(PEM.rsaPublic, forged(Buffer.concat([hex('0001'), Buffer.alloc(254, 255)]))));
  check('vectors: PKCS1 decrypted with short padding', () => crypto.publicDecrypt(PEM.rsaPublic, forged(Buffer.concat([hex('0001ffff00'), Buffer.alloc(251, 1)]))));
}
