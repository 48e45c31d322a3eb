
const SECRETS = ['rsaPkcs1Encrypted', 'rsaPkcs8Encrypted'];
const PRIVATE = ['rsa', 'rsaPkcs1', 'ed', 'x', 'p256', 'p256Sec1', 'p384', 'p521', 'p224', 'dh'];
const PUBLIC = ['rsaPublic', 'rsaPublicPkcs1', 'edPublic', 'xPublic', 'p256Public', 'p384Public', 'p521Public'];
const ODD = ['rsaPss', 'ed448', 'dsa', 'k256', 'ca', 'leaf'];
/** The bytes inside of PEM. */
const der = (pem) => Buffer.from(pem.split('\n').filter((line) => !/-----|:/.test(line)).join(''), 'base64');
const stable = (value) => typeof value === 'string' ? value : value;

function keys() {
  for (const name of [...PRIVATE, ...PUBLIC, ...ODD, ...SECRETS]) {
    check(`keys: private ${name}`, () => crypto.createPrivateKey(PEM[name]));
    check(`keys: public ${name}`, () => crypto.createPublicKey(PEM[name]));
    check(`keys: private ${name} as a buffer`, () => crypto.createPrivateKey(Buffer.from(PEM[name])));
    check(`keys: private ${name} with a passphrase`, () => crypto.createPrivateKey({ key: PEM[name], passphrase: 'secret' }));
    check(`keys: private ${name} with a wrong passphrase`, () => crypto.createPrivateKey({ key: PEM[name], passphrase: 'wrong' }));
    check(`keys: private ${name} with a passphrase of bytes`, () => crypto.createPrivateKey({ key: PEM[name], passphrase: Buffer.from('secret') }));
    for (const type of ['pkcs1', 'pkcs8', 'sec1', 'spki', undefined]) {
      check(`keys: private ${name} in DER of ${type}`, () => crypto.createPrivateKey({ key: der(PEM[name]), format: 'der', type, passphrase: 'secret' }));
      check(`keys: public ${name} in DER of ${type}`, () => crypto.createPublicKey({ key: der(PEM[name]), format: 'der', type }));
      check(`keys: private ${name} in PEM of ${type}`, () => crypto.createPrivateKey({ key: PEM[name], format: 'pem', type, passphrase: 'secret' }));
      check(`keys: public ${name} in PEM of ${type}`, () => crypto.createPublicKey({ key: PEM[name], format: 'pem', type }));
    }
    check(`keys: private ${name} cut off`, () => crypto.createPrivateKey({ key: der(PEM[name]).subarray(0, 40), format: 'der', type: 'pkcs8' }));
    check(`keys: details of private ${name}`, () => crypto.createPrivateKey(PEM[name]).asymmetricKeyDetails);
    check(`keys: details of public ${name}`, () => crypto.createPublicKey(PEM[name]).asymmetricKeyDetails);
  }
  check('keys: DSA without parameters', () => crypto.createPublicKey({ key: hex('3011300906072a8648ce380401030400020105'), format: 'der', type: 'spki' }).asymmetricKeyDetails);
  for (const wrong of [...WRONG, '', 'text', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', Buffer.alloc(0), { key: 1 }, { key: null }, { key: 'a', format: 'no' }, { key: 'a', format: 'der', type: 'no' }, { key: 'a', format: 'jwk' }, { key: {}, format: 'jwk' }, { key: { kty: 'oct' }, format: 'jwk' }, { key: { kty: 'RSA' }, format: 'jwk' }, { key: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, format: 'jwk' }, { key: { kty: 'OKP', crv: 'Ed25519', x: 'AA' }, format: 'jwk' }, { key: { kty: 'OKP', crv: 'no' }, format: 'jwk' }, { key: { kty: 'no' }, format: 'jwk' }]) {
    check(`keys: private ${named(wrong)}`, () => crypto.createPrivateKey(wrong));
    check(`keys: public ${named(wrong)}`, () => crypto.createPublicKey(wrong));
    check(`keys: secret ${named(wrong)}`, () => crypto.createSecretKey(wrong));
    check(`keys: from ${named(wrong)}`, () => crypto.KeyObject.from(wrong));
  }
  const kinds = { private: PRIVATE, public: PUBLIC };
  for (const [kind, list] of Object.entries(kinds)) {
    for (const name of list) {
      const read = () => kind === 'private' ? crypto.createPrivateKey(PEM[name]) : crypto.createPublicKey(PEM[name]);
      for (const type of ['pkcs1', 'pkcs8', 'sec1', 'spki', 'no', undefined]) {
        for (const format of ['pem', 'der', 'jwk', 'no', undefined]) check(`keys: ${kind} ${name} as ${format} of ${type}`, () => read().export({ type, format }));
      }
      check(`keys: ${kind} ${name} as nothing`, () => read().export());
      check(`keys: ${kind} ${name} of null`, () => read().export(null));
      check(`keys: ${kind} ${name} with a wrong cipher`, () => read().export({ type: 'pkcs8', format: 'pem', cipher: 'no', passphrase: 'a' }));
      check(`keys: ${kind} ${name} with a cipher alone`, () => read().export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' }));
      check(`keys: ${kind} ${name} with a passphrase alone`, () => read().export({ type: 'pkcs8', format: 'pem', passphrase: 'a' }));
      for (const cipher of ['aes-128-cbc', 'aes-256-cbc', 'des-ede3-cbc', 'AES-256-CBC', 'aes-128-gcm']) {
        for (const type of ['pkcs1', 'pkcs8', 'sec1']) {
          for (const format of ['pem', 'der']) {
            check(`keys: ${kind} ${name} sealed by ${cipher} in ${format} of ${type}`, () => {
              const sealed = read().export({ type, format, cipher, passphrase: 'a' });
              const opened = crypto.createPrivateKey({ key: sealed, format, type, passphrase: 'a' });
              let refused;
              try { crypto.createPrivateKey({ key: sealed, format, type }); } catch (error) { refused = failure(error); }
              return [typeof sealed === 'string' && sealed.split('\n')[0], opened.equals(read()), refused];
            });
          }
        }
      }
      check(`keys: ${kind} ${name} from its JWK`, () => {
        const jwk = read().export({ format: 'jwk' });
        const back = (kind === 'private' ? crypto.createPrivateKey : crypto.createPublicKey)({ key: jwk, format: 'jwk' });
        return [jwk, back, back.equals(read())];
      });
      check(`keys: public half of ${kind} ${name}`, () => crypto.createPublicKey(read()).export({ type: 'spki', format: 'pem' }));
      check(`keys: ${kind} ${name} equals`, () => [read().equals(read()), read().equals(crypto.createSecretKey(bytes(3))), read().equals(crypto.createPrivateKey(PEM.p256))]);
      check(`keys: ${kind} ${name} equals nothing`, () => read().equals(undefined));
      check(`keys: ${kind} ${name} tells`, () => [String(read()), Object.prototype.toString.call(read()), read().constructor.name]);
    }
  }
  for (const length of [0, 1, 16, 64]) {
    const secret = () => crypto.createSecretKey(bytes(length));
    check(`keys: secret of ${length}`, secret);
    for (const format of [undefined, 'buffer', 'jwk', 'pem', 'der', 'no', 1]) check(`keys: secret of ${length} as ${format}`, () => secret().export(format === undefined ? undefined : { format }));
    check(`keys: secret of ${length} equals`, () => [secret().equals(secret()), secret().equals(crypto.createSecretKey(bytes(length, 2)))]);
    check(`keys: secret of ${length} copied`, () => { const given = bytes(length); const key = crypto.createSecretKey(given); given.fill(0); return key.export(); });
  }
  check('keys: secret of text', () => [crypto.createSecretKey('abcd', 'hex').export(), crypto.createSecretKey('h\u00e9', 'utf8').export(), crypto.createSecretKey('ab').export()]);
  check('keys: secret of an ArrayBuffer', () => crypto.createSecretKey(new Uint16Array([1, 2]).buffer).export());
  check('keys: secret of words', () => crypto.createSecretKey(new Uint16Array([1, 2])).export());
  check('keys: public of public', () => crypto.createPublicKey(crypto.createPublicKey(PEM.rsaPublic)));
  check('keys: private of private', () => crypto.createPrivateKey(crypto.createPrivateKey(PEM.rsa)));
  check('keys: inside of an object', () => crypto.createPublicKey({ key: crypto.createPrivateKey(PEM.rsa) }));
}

async function made_keys() {
  const pair = (name, type, options) => check(`made_keys: ${name}`, () => {
    const { publicKey, privateKey } = crypto.generateKeyPairSync(type, options);
    if (typeof publicKey === 'string' || publicKey instanceof Uint8Array) return [typeof publicKey === 'string' && publicKey.split('\n')[0], typeof privateKey === 'string' && privateKey.split('\n')[0], Buffer.isBuffer(publicKey), Buffer.isBuffer(privateKey)];
    if (!(publicKey instanceof crypto.KeyObject)) return [Object.keys(publicKey).filter((name) => publicKey[name] !== undefined), typeof privateKey === 'string' && privateKey.split('\n')[0]];
    return [publicKey, publicKey.asymmetricKeyDetails, privateKey, privateKey.asymmetricKeyDetails, crypto.createPublicKey(privateKey).equals(publicKey)];
  });
  for (const modulusLength of [512, 1024, 2048, 100, 0, -1, 1.5, '2048', undefined, 17000, 2 ** 32]) pair(`RSA of ${modulusLength}`, 'rsa', { modulusLength });
  for (const publicExponent of [3, 65537, 0, 1, 2, -1, 'a']) pair(`RSA with ${publicExponent}`, 'rsa', { modulusLength: 2048, publicExponent });
  for (const namedCurve of ['P-256', 'prime256v1', 'secp256r1', 'P-384', 'secp384r1', 'P-521', 'secp521r1', 'P-224', 'secp224r1', 'secp256k1', 'no', '', undefined, 1]) pair(`EC of ${namedCurve}`, 'ec', { namedCurve });
  pair('EC with explicit parameters', 'ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  pair('EC with wrong parameters', 'ec', { namedCurve: 'P-256', paramEncoding: 'no' });
  for (const type of ['ed25519', 'x25519', 'ed448', 'x448', 'dsa', 'rsa-pss', 'no', undefined, 1]) pair(`${type}`, type);
  pair('no options', 'rsa');
  pair('null', 'rsa', null);
  for (const options of [{ group: 'modp14' }, { groupName: 'modp14' }, { group: 'modp5' }, { group: 'modp1' }, { group: 'no' }, { prime: bytes(4) }, { prime: bytes(32) }, { prime: hex('ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff'), generator: 2 }, { primeLength: 64 }, { primeLength: 0 }, { primeLength: -1 }, {}, { group: 'modp14', prime: bytes(4) }, { group: 'modp14', primeLength: 4 }, { group: 'modp14', generator: 2 }, { prime: bytes(4), primeLength: 3 }, { prime: 1 }, { group: 1 }, { primeLength: 64, generator: -1 }, { primeLength: 64, generator: 5 }, { primeLength: 100000 }]) pair(`DH of ${JSON.stringify(options).slice(0, 80)}`, 'dh', options);
  for (const publicKeyEncoding of [{ type: 'spki', format: 'pem' }, { type: 'spki', format: 'der' }, { type: 'pkcs1', format: 'pem' }, { format: 'jwk' }, {}, 1, null, { type: 'no', format: 'pem' }]) pair(`public as ${JSON.stringify(publicKeyEncoding)}`, 'ec', { namedCurve: 'P-256', publicKeyEncoding, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  for (const privateKeyEncoding of [{ type: 'pkcs8', format: 'pem' }, { type: 'pkcs8', format: 'der' }, { type: 'sec1', format: 'pem' }, { type: 'pkcs1', format: 'pem' }, { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'a' }, { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' }, { type: 'sec1', format: 'der', cipher: 'aes-256-cbc', passphrase: 'a' }, {}, 1]) pair(`private as ${JSON.stringify(privateKeyEncoding)}`, 'ec', { namedCurve: 'P-256', publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding });
  await later('made_keys: by a callback', async () => (await called(crypto.generateKeyPair, 'ec', { namedCurve: 'P-256' })).map(shown));
  await later('made_keys: by a promise', async () => { const { publicKey, privateKey } = await promisify(crypto.generateKeyPair)('rsa', { modulusLength: 1024 }); return [publicKey, privateKey]; });
  await later('made_keys: with encodings by a callback', async () => (await called(crypto.generateKeyPair, 'rsa', { modulusLength: 1024, publicKeyEncoding: { type: 'pkcs1', format: 'pem' }, privateKeyEncoding: { type: 'pkcs1', format: 'pem' } })).map((pem) => pem.split('\n')[0]));
  await later('made_keys: wrong by a callback', () => called(crypto.generateKeyPair, 'rsa', { modulusLength: 'a' }));
  await later('made_keys: wrong name by a callback', () => called(crypto.generateKeyPair, 'no', {}));
  check('made_keys: without callback', () => crypto.generateKeyPair('rsa', { modulusLength: 1024 }));
  for (const [type, length] of [['hmac', 8], ['hmac', 65536], ['hmac', 65537], ['hmac', 7], ['hmac', 12], ['hmac', 'a'], ['aes', 128], ['aes', 192], ['aes', 256], ['aes', 64], ['aes', undefined], ['no', 1], [undefined, 1]]) {
    check(`made_keys: ${type} of ${length}`, () => crypto.generateKeySync(type, { length }));
    await later(`made_keys: ${type} of ${length} by a callback`, () => called(crypto.generateKey, type, { length }));
  }
  check('made_keys: no options', () => crypto.generateKeySync('hmac'));
}

/** What a JWK of WebCrypto says of the use of its key. */
const OF_WEB = ['alg', 'ext', 'key_ops'];

async function web_keys() {
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const convert = (name, key, algorithm, extractable, usages) => later(`web_keys: ${name}`, () => { try { return key().toCryptoKey(algorithm, extractable, usages); } catch (error) { return error.name; } });
  const secret = () => crypto.createSecretKey(bytes(32)), of = (name) => () => crypto.createPrivateKey(PEM[name]), open = (name) => () => crypto.createPublicKey(PEM[name]);
  await convert('AES-CBC', secret, 'AES-CBC', true, ['encrypt']);
  await convert('AES-GCM', secret, { name: 'AES-GCM' }, false, ['encrypt', 'decrypt']);
  await convert('AES-KW', secret, 'AES-KW', true, ['wrapKey']);
  await convert('HMAC', secret, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
  await convert('HMAC without hash', secret, 'HMAC', true, ['sign']);
  await convert('HKDF', secret, 'HKDF', false, ['deriveBits']);
  await convert('PBKDF2', secret, 'PBKDF2', false, ['deriveBits']);
  await convert('no usages', secret, 'AES-CBC', true, []);
  await convert('a wrong usage', secret, 'AES-CBC', true, ['sign']);
  await convert('no usage', secret, 'AES-CBC', true, ['no']);
  await convert('a wrong name', secret, 'no', true, ['sign']);
  for (const wrong of WRONG) {
    await convert(`algorithm ${named(wrong)}`, secret, wrong, true, ['sign']);
    await convert(`usages ${named(wrong)}`, secret, 'AES-CBC', true, wrong);
  }
  await convert('RSA private', of('rsa'), rsa, true, ['sign']);
  await convert('RSA public', open('rsaPublic'), rsa, true, ['verify']);
  await convert('RSA-PSS', of('rsa'), { name: 'RSA-PSS', hash: 'SHA-512' }, true, ['sign']);
  await convert('RSA-OAEP', of('rsa'), { name: 'RSA-OAEP', hash: 'SHA-1' }, true, ['decrypt']);
  await convert('RSA public to sign', open('rsaPublic'), rsa, true, ['sign']);
  await convert('ECDSA', of('p256'), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  await convert('ECDSA of another curve', of('p256'), { name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign']);
  await convert('ECDH', of('p384'), { name: 'ECDH', namedCurve: 'P-384' }, true, ['deriveBits']);
  await convert('ECDH public', open('p384Public'), { name: 'ECDH', namedCurve: 'P-384' }, true, []);
  await convert('Ed25519', of('ed'), 'Ed25519', true, ['sign']);
  await convert('Ed25519 public', open('edPublic'), { name: 'Ed25519' }, true, ['verify']);
  await convert('X25519', of('x'), 'X25519', true, ['deriveBits']);
  await convert('RSA as EC', of('rsa'), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  await convert('secret as RSA', secret, rsa, true, ['sign']);
  for (const extractable of [true, false]) {
    await later(`web_keys: of one that cannot be extracted, ${extractable}`, async () => {
      const key = await subtle.importKey('raw', bytes(16), 'AES-CBC', false, ['encrypt']);
      return crypto.KeyObject.from(key).toCryptoKey('AES-CBC', extractable, ['encrypt']).extractable;
    });
  }
  await later('web_keys: the use of a key in a JWK', async () => {
    const jwk = crypto.KeyObject.from(await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])).export({ format: 'jwk' });
    return OF_WEB.map((name) => name in jwk);
  });
  for (const [name, algorithm, usages] of [['HMAC', { name: 'HMAC', hash: 'SHA-256' }, ['sign', 'verify']], ['AES', { name: 'AES-GCM', length: 256 }, ['encrypt']], ['RSA', { ...rsa, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, ['sign', 'verify']], ['RSA-PSS', { ...rsa, name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, ['sign', 'verify']], ['ECDSA', { name: 'ECDSA', namedCurve: 'P-256' }, ['sign', 'verify']], ['ECDH', { name: 'ECDH', namedCurve: 'P-521' }, ['deriveBits']], ['Ed25519', 'Ed25519', ['sign', 'verify']], ['X25519', 'X25519', ['deriveBits']]]) {
    for (const extractable of [true, false]) {
      await later(`web_keys: from ${name}, ${extractable}`, async () => {
        const made = await subtle.generateKey(algorithm, extractable, usages);
        const out = [];
        for (const key of made.privateKey ? [made.privateKey, made.publicKey] : [made]) {
          const object = crypto.KeyObject.from(key);
          out.push(object, object.asymmetricKeyDetails);
          for (const options of object.type === 'secret' ? [undefined, { format: 'jwk' }] : [{ type: object.type === 'public' ? 'spki' : 'pkcs8', format: 'der' }, { format: 'jwk' }]) {
            try { const value = object.export(options); out.push(value instanceof Uint8Array ? 'bytes' : Object.keys(value).filter((key) => value[key] !== undefined && !OF_WEB.includes(key)).sort()); } catch (error) { out.push(failure(error)); }
          }
          out.push(object.equals(crypto.KeyObject.from(key)));
        }
        return out;
      });
    }
    await later(`web_keys: ${name} used by both`, async () => {
      const made = await subtle.generateKey(algorithm, false, usages);
      if (!usages.includes('sign')) return 'not to sign';
      if (made.type === 'secret') {
        const mac = crypto.createHmac('sha256', crypto.KeyObject.from(made)).update('x').digest();
        return [await subtle.verify('HMAC', made, mac, Buffer.from('x')), crypto.createHmac('sha256', made).update('x').digest().equals(mac)];
      }
      const pss = name === 'RSA-PSS' ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
      const digest = name === 'Ed25519' ? null : 'sha256';
      const web = { name: algorithm.name ?? algorithm, hash: 'SHA-256', saltLength: 32 };
      const ours = crypto.sign(digest, Buffer.from('x'), { key: crypto.KeyObject.from(made.privateKey).export ? crypto.KeyObject.from(made.privateKey) : undefined, dsaEncoding: 'ieee-p1363', ...pss });
      return [await subtle.verify(web, made.publicKey, ours, Buffer.from('x'))];
    });
    await later(`web_keys: ${name} used directly`, async () => {
      const made = await subtle.generateKey(algorithm, false, usages);
      if (!made.privateKey || !usages.includes('sign')) return 'no pair to sign';
      const digest = name === 'Ed25519' ? null : 'sha256';
      const signature = crypto.sign(digest, Buffer.from('x'), made.privateKey);
      return [crypto.verify(digest, Buffer.from('x'), made.publicKey, signature), crypto.verify(digest, Buffer.from('y'), made.publicKey, signature)];
    });
  }
}
