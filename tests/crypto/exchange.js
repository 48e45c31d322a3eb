
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1', 'secp224r1'];

function ecdh() {
  for (const curve of [...CURVES, 'P-256', 'secp256r1', 'secp256k1', 'no', '', ...WRONG]) check(`ecdh: curve ${named(curve)}`, () => typeof crypto.createECDH(curve));
  for (const curve of CURVES) {
    check(`ecdh: ${curve}`, () => {
      const a = crypto.createECDH(curve), b = crypto.createECDH(curve);
      const [x, y] = [a.generateKeys(), b.generateKeys('hex')];
      return [x.length, y.length, a.getPrivateKey().length <= x.length, a.computeSecret(y, 'hex').equals(b.computeSecret(x)), a.computeSecret(y, 'hex', 'base64').length, a.getPublicKey('hex').slice(0, 2), a.getPublicKey('base64', 'compressed').length];
    });
    check(`ecdh: ${curve} compressed`, () => { const a = crypto.createECDH(curve), b = crypto.createECDH(curve); a.generateKeys(); return a.computeSecret(b.generateKeys(null, 'compressed')).equals(b.computeSecret(a.getPublicKey())); });
    check(`ecdh: ${curve} from a private key`, () => { const a = crypto.createECDH(curve); a.setPrivateKey(bytes(20)); return [a.getPrivateKey(), a.getPublicKey(), a.getPublicKey('hex', 'compressed')]; });
    check(`ecdh: ${curve} hybrid`, () => { const a = crypto.createECDH(curve); a.setPrivateKey(bytes(20)); return a.getPublicKey('hex', 'hybrid'); });
    check(`ecdh: ${curve} secret`, () => { const a = crypto.createECDH(curve), b = crypto.createECDH(curve); a.setPrivateKey(bytes(20)); b.setPrivateKey(bytes(20, 3)); return a.computeSecret(b.getPublicKey()); });
    for (const key of [Buffer.alloc(0), Buffer.alloc(32), Buffer.alloc(66, 255), Buffer.alloc(100, 1)]) check(`ecdh: ${curve} private of ${key.length} ${key[0]}`, () => { const a = crypto.createECDH(curve); return shown(a.setPrivateKey(key)) + a.getPublicKey('hex'); });
    for (const key of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(65, 4), bytes(33, 2), bytes(65, 4)]) check(`ecdh: ${curve} other of ${key.length} ${key[0]}`, () => { const a = crypto.createECDH(curve); a.generateKeys(); return a.computeSecret(key); });
    check(`ecdh: ${curve} too early`, () => steps(crypto.createECDH(curve), ['getPublicKey'], ['getPrivateKey'], ['computeSecret', bytes(65, 4)]));
    check(`ecdh: ${curve} wrong format`, () => crypto.createECDH(curve).generateKeys('hex', 'no'));
    check(`ecdh: ${curve} converted`, () => { const a = crypto.createECDH(curve); a.setPrivateKey(bytes(20)); const small = crypto.ECDH.convertKey(a.getPublicKey(), curve, undefined, undefined, 'compressed'); return [small, crypto.ECDH.convertKey(small, curve, undefined, 'hex')]; });
    check(`ecdh: ${curve} converted wrong`, () => crypto.ECDH.convertKey(bytes(65, 4), curve));
  }
  check('ecdh: converted of no curve', () => crypto.ECDH.convertKey(bytes(65, 4), 'no'));
  for (const wrong of WRONG) {
    check(`ecdh: computeSecret of ${named(wrong)}`, () => { const a = crypto.createECDH('prime256v1'); a.generateKeys(); return a.computeSecret(wrong); });
    check(`ecdh: setPrivateKey of ${named(wrong)}`, () => crypto.createECDH('prime256v1').setPrivateKey(wrong));
    check(`ecdh: convertKey of ${named(wrong)}`, () => crypto.ECDH.convertKey(wrong, 'prime256v1'));
  }
  check('ecdh: setPublicKey', () => typeof crypto.createECDH('prime256v1').setPublicKey);
}

async function exchange() {
  for (const group of ['modp1', 'modp5', 'modp14', 'MODP14', 'no', '', ...WRONG]) {
    check(`exchange: group ${named(group)}`, () => { const dh = crypto.getDiffieHellman(group); return [dh.getPrime('hex'), dh.getGenerator('hex'), group === 'modp14' && dh.verifyError, typeof dh.setPublicKey, dh instanceof crypto.DiffieHellmanGroup]; });
  }
  check('exchange: of a group', () => { const a = crypto.createDiffieHellmanGroup('modp14'), b = crypto.getDiffieHellman('modp14'); a.generateKeys(); b.generateKeys(); return [a.computeSecret(b.getPublicKey()).equals(b.computeSecret(a.getPublicKey('hex'), 'hex')), a.getPublicKey().length > 240, a.getPrivateKey().length > 0]; });
  const p = hex('c6380bb09e9186f868bd87746255416033ce9404fc3117e0830c23c1e7f970b9f79139b521af3b1802bf1dbab6d9f3b387a4b724e4fffc3e2fcaa36d979c5f6f');
  check('exchange: of a prime', () => { const a = crypto.createDiffieHellman(p), b = crypto.createDiffieHellman(p.toString('hex'), 'hex', 2); a.generateKeys(); b.generateKeys('hex'); return [a.computeSecret(b.getPublicKey(), null, 'hex') === b.computeSecret(a.getPublicKey()).toString('hex'), a.verifyError, a.getGenerator()]; });
  check('exchange: with given keys', () => { const a = crypto.createDiffieHellman(p, 2), b = crypto.createDiffieHellman(p, 2); a.setPrivateKey(bytes(30)); b.setPrivateKey(bytes(30, 5)); a.generateKeys(); b.generateKeys(); return [a.getPrivateKey(), a.getPublicKey(), a.computeSecret(b.getPublicKey())]; });
  check('exchange: with a public key', () => { const a = crypto.createDiffieHellman(p, 2); a.setPublicKey(bytes(30)); return a.getPublicKey(); });
  check('exchange: too early', () => steps(crypto.createDiffieHellman(p, 2), ['getPublicKey'], ['getPrivateKey'], ['computeSecret', bytes(30)]));
  for (const size of [-1, 0, 1, 2, 3, 8, 64, 128, 1.5, 2 ** 31]) check(`exchange: size ${size}`, () => { const dh = crypto.createDiffieHellman(size); return [dh.getPrime().length, dh.getGenerator(), dh.verifyError]; });
  for (const generator of [0, 1, 2, 3, 5, -1, 'ab', bytes(2), Buffer.alloc(0), Buffer.alloc(1), true, {}, 2n]) check(`exchange: generator ${named(generator)}`, () => { const dh = crypto.createDiffieHellman(p, generator); return [dh.getGenerator(), dh.verifyError]; });
  for (const generator of [2, 5, 0, -1, bytes(2)]) check(`exchange: size with generator ${named(generator)}`, () => { const dh = crypto.createDiffieHellman(64, generator); return [dh.getGenerator(), dh.verifyError]; });
  for (const prime of [Buffer.alloc(0), Buffer.alloc(1), bytes(1), bytes(32), hex('17'), Buffer.alloc(2000, 255)]) check(`exchange: prime of ${prime.length} ${prime[0]}`, () => { const dh = crypto.createDiffieHellman(prime); dh.generateKeys(); return [dh.verifyError, dh.getPrime()]; });
  for (const other of [Buffer.alloc(0), Buffer.alloc(1), hex('01'), hex('02'), p, Buffer.concat([p, bytes(1)])]) check(`exchange: other of ${other.length} ${other[0]}`, () => { const a = crypto.createDiffieHellman(p, 2); a.setPrivateKey(bytes(30)); a.generateKeys(); return a.computeSecret(other); });
  for (const wrong of WRONG) {
    check(`exchange: createDiffieHellman of ${named(wrong)}`, () => typeof crypto.createDiffieHellman(wrong));
    check(`exchange: computeSecret of ${named(wrong)}`, () => { const a = crypto.createDiffieHellman(p, 2); a.generateKeys(); return a.computeSecret(wrong).length; });
    check(`exchange: setPrivateKey of ${named(wrong)}`, () => crypto.createDiffieHellman(p, 2).setPrivateKey(wrong) instanceof crypto.DiffieHellman);
    check(`exchange: diffieHellman of ${named(wrong)}`, () => crypto.diffieHellman(wrong));
    check(`exchange: diffieHellman with ${named(wrong)}`, () => crypto.diffieHellman({ privateKey: wrong, publicKey: crypto.createPublicKey(PEM.xPublic) }));
  }
  for (const [a, b] of [['x', 'xPublic'], ['p256', 'p256Public'], ['p384', 'p384Public'], ['p521', 'p521Public'], ['x', 'edPublic'], ['rsa', 'rsaPublic'], ['ed', 'edPublic'], ['p256', 'p384Public'], ['x', 'p256Public'], ['dh', 'dh']]) {
    check(`exchange: ${a} with ${b}`, () => crypto.diffieHellman({ privateKey: crypto.createPrivateKey(PEM[a]), publicKey: crypto.createPublicKey(PEM[b]) }));
  }
  check('exchange: keys of pairs', () => ['x25519', 'ec', 'dh'].map((type) => { const options = { namedCurve: 'P-256', group: 'modp14' }; const a = crypto.generateKeyPairSync(type, options), b = crypto.generateKeyPairSync(type, options); return crypto.diffieHellman({ privateKey: a.privateKey, publicKey: b.publicKey }).equals(crypto.diffieHellman({ privateKey: b.privateKey, publicKey: a.publicKey })); }));
  check('exchange: both halves private', () => crypto.diffieHellman({ privateKey: crypto.createPrivateKey(PEM.x), publicKey: crypto.createPrivateKey(PEM.x) }));
  await later('exchange: as WebCrypto', async () => {
    const { privateKey, publicKey } = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const mine = crypto.createECDH('prime256v1');
    mine.generateKeys();
    const theirs = await subtle.importKey('raw', mine.getPublicKey(), { name: 'ECDH', namedCurve: 'P-256' }, true, []);
    return mine.computeSecret(Buffer.from(await subtle.exportKey('raw', publicKey))).equals(Buffer.from(await subtle.deriveBits({ name: 'ECDH', public: theirs }, privateKey, 256)));
  });
}

async function primes() {
  for (const size of [-1, 0, 1, 2, 3, 8, 16, 63, 64, 65, 1.5, 'a', undefined, 2 ** 31]) {
    check(`primes: of ${size} bits`, () => { const prime = crypto.generatePrimeSync(size); return [prime instanceof ArrayBuffer, prime.byteLength, crypto.checkPrimeSync(prime)]; });
    check(`primes: of ${size} bits as a number`, () => { const prime = crypto.generatePrimeSync(size, { bigint: true }); return [typeof prime, prime.toString(2).length, crypto.checkPrimeSync(prime)]; });
    if (size === 64 || !(size > 1)) await later(`primes: of ${size} bits by a callback`, async () => { const [prime] = await called(crypto.generatePrime, size); return [prime instanceof ArrayBuffer, prime.byteLength]; });
  }
  for (const options of [{ safe: true }, { add: 12n, bigint: true }, { add: 12n, rem: 11n, bigint: true }, { add: 12n, rem: 1n, bigint: true }, { add: bytes(1), bigint: true }, { add: 0n, bigint: true }, { add: -1n }, { add: 1 }, { rem: 'a' }, { safe: 1 }, { bigint: 1 }, { safe: true, add: 12n, rem: 11n, bigint: true }, { add: 2n ** 40n, bigint: true }, { add: 12n, rem: 13n, bigint: true }]) {
    check(`primes: with ${Object.entries(options).map(([key, of]) => `${key} ${named(of)}`)}`, () => { const prime = crypto.generatePrimeSync(32, options); return typeof prime === 'bigint' ? [prime % 12n, prime.toString(2).length <= 33] : prime.byteLength; });
  }
  check('primes: with a remainder alone', () => { const prime = crypto.generatePrimeSync(32, { rem: 3n, bigint: true }); return [typeof prime, prime.toString(2).length]; });
  for (const options of WRONG) check(`primes: options ${named(options)}`, () => crypto.generatePrimeSync(32, options).byteLength);
  for (const candidate of [0n, 1n, 2n, 3n, 4n, 17n, 561n, 2n ** 127n - 1n, 2n ** 128n, -1n, Buffer.alloc(0), hex('11'), hex('0011'), hex('12'), new Uint8Array([3]).buffer, new Uint16Array([3, 0]), ...WRONG]) {
    check(`primes: check ${candidate?.byteLength ?? ''} ${named(candidate)}`, () => crypto.checkPrimeSync(candidate));
    if (typeof candidate !== 'bigint' || candidate < 5n) await later(`primes: check ${candidate?.byteLength ?? ''} ${named(candidate)} by a callback`, () => called(crypto.checkPrime, candidate));
  }
  for (const checks of [0, 1, 5, 100, -1, 1.5, 'a', 2 ** 31]) check(`primes: with ${checks} checks`, () => crypto.checkPrimeSync(17n, { checks }));
}
