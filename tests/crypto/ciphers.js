
const CIPHERS = [
  'aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-ctr', 'aes-192-ctr', 'aes-256-ctr', 'aes-128-ecb', 'aes-192-ecb', 'aes-256-ecb',
  'aes-128-ofb', 'aes-192-ofb', 'aes-256-ofb', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm', 'des-cbc', 'des-ecb', 'des-ede', 'des-ede-cbc',
  'des-ede3-cbc', 'rc2-cbc', 'rc4', 'chacha20-poly1305', 'xchacha20-poly1305', 'aes-128-gcm-siv', 'aes-256-gcm-siv', 'aes-128-ctr-hmac-sha256',
  'aes-256-ctr-hmac-sha256', 'aes-128-ccm-bluetooth', 'aes-128-ccm-bluetooth-8', 'aes-128-ccm-matter',
];
const AEADS = CIPHERS.filter((name) => /gcm|poly|ccm|hmac/.test(name));
/** A new cipher of this name, with a key and a vector of the lengths it wants. */
function made(create, name, options) {
  const { keyLength, ivLength } = crypto.getCipherInfo(name);
  return create(name, bytes(keyLength), ivLength ? bytes(ivLength, 9) : null, options);
}
/** What happens in each step. */
function steps(of, ...calls) {
  return calls.map(([method, ...args]) => {
    try { const value = of[method](...args); return value === of ? 'this' : shown(value); } catch (error) { return failure(error); }
  });
}

function ciphers() {
  check('ciphers: names', () => CIPHERS.filter((name) => !crypto.getCiphers().includes(name)));
  check('ciphers: names in capitals', () => crypto.getCiphers().filter((name) => /[A-Z]/.test(name)).sort());
  check('ciphers: each has information', () => crypto.getCiphers().filter((name) => crypto.getCipherInfo(name) === undefined));
  for (const name of [...CIPHERS, 'AES-128-CBC', 'Aes-256-Gcm', 'AES256', 'aes128', 'id-aes128-GCM', 'aes-128-ccm', 'aes-128-cfb', 'aes-128-xts', 'bf-cbc', 'des3', 'nope', '', 419, 895, 0, -1, 99999, 1.5, ...WRONG]) {
    check(`ciphers: information of ${named(name)}`, () => crypto.getCipherInfo(name));
  }
  for (const options of [{ keyLength: 16 }, { keyLength: 5 }, { ivLength: 12 }, { ivLength: 16 }, { ivLength: 1 }, { keyLength: 'a' }, 1, null, 'a']) {
    for (const name of ['aes-128-cbc', 'aes-128-gcm', 'aes-128-ecb', 'chacha20-poly1305']) check(`ciphers: ${name} with ${JSON.stringify(options)}`, () => crypto.getCipherInfo(name, options));
  }
  for (const name of CIPHERS) {
    for (const length of [0, 1, 15, 16, 17, 33]) {
      check(`ciphers: ${name} of ${length} bytes`, () => steps(made(crypto.createCipheriv, name), ['update', bytes(length)], ['final']));
      check(`ciphers: ${name} of ${length} bytes and back`, () => {
        const cipher = made(crypto.createCipheriv, name, { authLengthTag: 16 });
        const sealed = Buffer.concat([cipher.update(bytes(length)), cipher.final()]);
        const decipher = made(crypto.createDecipheriv, name, { authLengthTag: 16 });
        if (AEADS.includes(name)) decipher.setAuthTag(cipher.getAuthTag());
        return [sealed, Buffer.concat([decipher.update(sealed), decipher.final()]).equals(bytes(length))];
      });
    }
    check(`ciphers: ${name} in pieces`, () => steps(made(crypto.createCipheriv, name), ['update', bytes(7)], ['update', bytes(20)], ['update', bytes(0)], ['final'], ['final'], ['update', bytes(3)], ['getAuthTag']));
    check(`ciphers: ${name} with its tag`, () => steps(made(crypto.createCipheriv, name), ['getAuthTag'], ['update', bytes(20)], ['getAuthTag'], ['final'], ['getAuthTag'], ['getAuthTag']));
    check(`ciphers: ${name} with more data`, () => steps(made(crypto.createCipheriv, name), ['setAAD', bytes(20)], ['update', bytes(20)], ['final'], ['getAuthTag']));
    check(`ciphers: ${name} with more data of a length`, () => steps(made(crypto.createCipheriv, name), ['setAAD', bytes(20), { plaintextLength: 20 }], ['update', bytes(20)], ['final'], ['getAuthTag']));
    check(`ciphers: ${name} with more data late`, () => steps(made(crypto.createCipheriv, name), ['update', bytes(20)], ['setAAD', bytes(20)], ['final'], ['setAAD', bytes(20)]));
    check(`ciphers: ${name} with more data twice`, () => steps(made(crypto.createCipheriv, name), ['setAAD', bytes(20)], ['setAAD', bytes(5)], ['update', bytes(20)], ['final'], ['getAuthTag']));
    check(`ciphers: ${name} without padding`, () => steps(made(crypto.createCipheriv, name), ['setAutoPadding', false], ['update', bytes(16)], ['final']));
    check(`ciphers: ${name} without padding, of 17 bytes`, () => steps(made(crypto.createCipheriv, name), ['setAutoPadding', false], ['update', bytes(17)], ['final']));
    check(`ciphers: ${name} padding set late`, () => steps(made(crypto.createCipheriv, name), ['update', bytes(16)], ['final'], ['setAutoPadding', false]));
    check(`ciphers: ${name} of garbage`, () => steps(made(crypto.createDecipheriv, name), ['update', bytes(32)], ['final'], ['final']));
    check(`ciphers: ${name} of a part`, () => steps(made(crypto.createDecipheriv, name), ['update', bytes(5)], ['final']));
    check(`ciphers: ${name} of garbage without padding`, () => steps(made(crypto.createDecipheriv, name), ['setAutoPadding', false], ['update', bytes(32)], ['final']));
    for (const tag of [0, 1, 3, 4, 8, 12, 13, 15, 16, 17, 32]) {
      check(`ciphers: ${name} with a wrong tag of ${tag} bytes`, () => steps(made(crypto.createDecipheriv, name), ['setAuthTag', bytes(tag)], ['update', bytes(32)], ['final']));
      check(`ciphers: ${name} with a tag of ${tag} bytes`, () => steps(made(crypto.createCipheriv, name, { authLengthTag: tag }), ['update', bytes(32)], ['final'], ['getAuthTag']));
      check(`ciphers: ${name} with a tag of ${tag} bytes, opened`, () => steps(made(crypto.createDecipheriv, name, { authLengthTag: tag }), ['setAuthTag', bytes(tag)], ['update', bytes(32)], ['final']));
      check(`ciphers: ${name} with a tag of ${tag} bytes after 16`, () => steps(made(crypto.createDecipheriv, name, { authLengthTag: 16 }), ['setAuthTag', bytes(tag)], ['setAuthTag', bytes(16)]));
      if (AEADS.includes(name)) {
        check(`ciphers: ${name} opened by ${tag} bytes of its tag`, () => {
          const cipher = made(crypto.createCipheriv, name, { authLengthTag: 16 });
          const sealed = Buffer.concat([cipher.update(bytes(20)), cipher.final()]);
          const whole = Buffer.concat([cipher.getAuthTag(), bytes(16)]);
          return steps(made(crypto.createDecipheriv, name), ['setAuthTag', whole.subarray(0, tag)], ['update', sealed], ['final']);
        });
      }
    }
    for (const length of [0, 1, 5, 8, 11, 12, 13, 15, 16, 17, 24, 32, 64, 200]) {
      check(`ciphers: ${name} with a key of ${length} bytes`, () => typeof crypto.createCipheriv(name, bytes(length), bytes(crypto.getCipherInfo(name).ivLength)));
      check(`ciphers: ${name} with a vector of ${length} bytes`, () => steps(crypto.createCipheriv(name, bytes(crypto.getCipherInfo(name).keyLength), bytes(length), { authLengthTag: 16 }), ['update', bytes(20)], ['final']));
    }
    check(`ciphers: ${name} without a vector`, () => typeof crypto.createCipheriv(name, bytes(crypto.getCipherInfo(name).keyLength), null));
  }
  for (const wrong of WRONG) {
    check(`ciphers: name ${named(wrong)}`, () => typeof crypto.createCipheriv(wrong, bytes(16), bytes(16)));
    check(`ciphers: key ${named(wrong)}`, () => typeof crypto.createCipheriv('aes-128-cbc', wrong, bytes(16)));
    check(`ciphers: vector ${named(wrong)}`, () => typeof crypto.createCipheriv('aes-128-cbc', bytes(16), wrong));
    check(`ciphers: options ${named(wrong)}`, () => typeof crypto.createCipheriv('aes-128-cbc', bytes(16), bytes(16), wrong));
    check(`ciphers: data ${named(wrong)}`, () => steps(made(crypto.createCipheriv, 'aes-128-cbc'), ['update', wrong], ['final']));
    check(`ciphers: more data ${named(wrong)}`, () => steps(made(crypto.createCipheriv, 'aes-128-gcm'), ['setAAD', wrong], ['setAAD', bytes(2), wrong], ['setAAD', bytes(2), { plaintextLength: wrong }], ['final'], ['getAuthTag']));
    check(`ciphers: tag ${named(wrong)}`, () => steps(made(crypto.createDecipheriv, 'aes-128-gcm'), ['setAuthTag', wrong]));
    check(`ciphers: padding ${named(wrong)}`, () => steps(made(crypto.createCipheriv, 'aes-128-cbc'), ['setAutoPadding', wrong], ['update', bytes(16)], ['final']));
  }
  check('ciphers: text', () => steps(made(crypto.createCipheriv, 'aes-128-cbc'), ['update', 'h\u00e9llo', 'utf8', 'hex'], ['final', 'base64']));
  check('ciphers: hex', () => steps(made(crypto.createCipheriv, 'aes-128-ctr'), ['update', 'abcd', 'hex', 'hex'], ['final', 'hex']));
  check('ciphers: text without encoding', () => steps(made(crypto.createCipheriv, 'aes-128-ctr'), ['update', 'abcd'], ['update', 'abcd', 'nope'], ['update', 'abcd', 'utf8', 'nope']));
  check('ciphers: kinds of data', () => steps(made(crypto.createCipheriv, 'aes-128-ctr'), ['update', new Uint16Array([1, 2])], ['update', new DataView(new ArrayBuffer(3))], ['update', new ArrayBuffer(2)], ['update', new Float64Array(1)]));
  check('ciphers: keys and vectors of text', () => steps(crypto.createCipheriv('aes-128-cbc', '0123456789abcdef', '0123456789abcdef'), ['update', bytes(5)], ['final']));
  check('ciphers: a key object', () => steps(crypto.createCipheriv('aes-128-cbc', crypto.createSecretKey(bytes(16)), bytes(16)), ['update', bytes(5)], ['final']));
  check('ciphers: a public key', () => typeof crypto.createCipheriv('aes-128-cbc', crypto.createPublicKey(PEM.rsaPublic), bytes(16)));
  check('ciphers: new', () => [new crypto.Cipheriv('aes-128-cbc', bytes(16), bytes(16)) instanceof crypto.Cipheriv, crypto.createDecipheriv('aes-128-cbc', bytes(16), bytes(16)).constructor.name]);
}

async function streams() {
  for (const name of ['aes-128-cbc', 'aes-256-ctr', 'aes-128-gcm', 'chacha20-poly1305']) {
    await later(`streams: ${name}`, async () => {
      const cipher = made(crypto.createCipheriv, name);
      cipher.write(bytes(20));
      cipher.write('text');
      cipher.end(bytes(3));
      const pieces = [];
      for await (const piece of cipher) pieces.push(piece);
      const sealed = Buffer.concat(pieces);
      const decipher = made(crypto.createDecipheriv, name);
      if (AEADS.includes(name)) decipher.setAuthTag(cipher.getAuthTag());
      decipher.end(sealed);
      const opened = [];
      for await (const piece of decipher) opened.push(piece);
      return [sealed, Buffer.concat(opened)];
    });
    await later(`streams: ${name} of garbage`, async () => {
      const decipher = made(crypto.createDecipheriv, name);
      decipher.end(bytes(16));
      const opened = [];
      for await (const piece of decipher) opened.push(piece);
      return Buffer.concat(opened);
    });
  }
  await later('streams: a key of WebCrypto', async () => {
    const key = await subtle.importKey('raw', bytes(16), 'AES-CBC', true, ['encrypt']);
    const cipher = crypto.createCipheriv('aes-128-cbc', key, bytes(16));
    const ours = Buffer.concat([cipher.update(bytes(20)), cipher.final()]);
    return [ours, ours.equals(Buffer.from(await subtle.encrypt({ name: 'AES-CBC', iv: bytes(16) }, key, bytes(20))))];
  });
  await later('streams: GCM of WebCrypto', async () => {
    const key = await subtle.importKey('raw', bytes(32), 'AES-GCM', false, ['encrypt']);
    const sealed = Buffer.from(await subtle.encrypt({ name: 'AES-GCM', iv: bytes(12), additionalData: bytes(5) }, key, bytes(20)));
    const decipher = crypto.createDecipheriv('aes-256-gcm', bytes(32), bytes(12));
    decipher.setAAD(bytes(5)).setAuthTag(sealed.subarray(20));
    return Buffer.concat([decipher.update(sealed.subarray(0, 20)), decipher.final()]);
  });
}

/** Known answers: NIST SP 800-38A and D, RFC 8439, RFC 8452, FIPS 197. */
function answers() {
  const answer = (name, cipher, key, iv, aad, plain, sealed, tag) => check(`answers: ${name}`, () => {
    const of = crypto.createCipheriv(cipher, hex(key), iv === null ? null : hex(iv));
    if (aad) of.setAAD(hex(aad));
    of.setAutoPadding(false);
    const out = Buffer.concat([of.update(hex(plain)), of.final()]).toString('hex');
    if (out !== sealed || (tag && of.getAuthTag().toString('hex') !== tag)) throw new Error(`${out} ${tag && of.getAuthTag().toString('hex')}`);
    return 'right';
  });
  const block = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51';
  const counter = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', vector = '000102030405060708090a0b0c0d0e0f';
  answer('ECB 128', 'aes-128-ecb', '2b7e151628aed2a6abf7158809cf4f3c', null, '', block, '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf');
  answer('ECB 256', 'aes-256-ecb', '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', null, '', block, 'f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870');
  answer('CBC 128', 'aes-128-cbc', '2b7e151628aed2a6abf7158809cf4f3c', vector, '', block, '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2');
  answer('CBC 192', 'aes-192-cbc', '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b', vector, '', block, '4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a');
  answer('CBC 256', 'aes-256-cbc', '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', vector, '', block, 'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d');
  answer('CTR 128', 'aes-128-ctr', '2b7e151628aed2a6abf7158809cf4f3c', counter, '', block, '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff');
  answer('OFB 128', 'aes-128-ofb', '2b7e151628aed2a6abf7158809cf4f3c', vector, '', block, '3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825');
  answer('GCM 128, case 4', 'aes-128-gcm', 'feffe9928665731c6d6a8f9467308308', 'cafebabefacedbaddecaf888', 'feedfacedeadbeeffeedfacedeadbeefabaddad2', 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39', '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091', '5bc94fbc3221a5db94fae95ae7121a47');
  answer('GCM 128, case 6', 'aes-128-gcm', 'feffe9928665731c6d6a8f9467308308', '9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b', 'feedfacedeadbeeffeedfacedeadbeefabaddad2', 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39', '8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5', '619cc5aefffe0bfa462af43c1699d050');
  answer('GCM 256, case 13', 'aes-256-gcm', '00'.repeat(32), '00'.repeat(12), '', '', '', '530f8afbc74536b9a963b4f1c4cb738b');
  answer('ChaCha20-Poly1305', 'chacha20-poly1305', '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f', '070000004041424344454647', '50515253c0c1c2c3c4c5c6c7', Buffer.from("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.").toString('hex'), 'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116', '1ae10b594f09e26a7e902ecbd0600691');
  answer('GCM-SIV 128', 'aes-128-gcm-siv', '01000000000000000000000000000000', '030000000000000000000000', '', '0100000000000000', 'b5d839330ac7b786', '578782fff6013b815b287c22493a364c');
  answer('DES-EDE3', 'des-ede3-cbc', '0123456789abcdef23456789abcdef01456789abcdef0123', 'f69f2445df4f9b17', '', '6bc1bee22e409f96', '2079c3d53aa763e1');
}
