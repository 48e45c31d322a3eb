
function certificates() {
  for (const name of ['ca', 'leaf']) {
    for (const [form, of] of [['PEM', () => PEM[name]], ['a buffer', () => Buffer.from(PEM[name])], ['DER', () => der(PEM[name])]]) {
      const read = () => new crypto.X509Certificate(of());
      for (const member of ['subject', 'subjectAltName', 'issuer', 'issuerCertificate', 'infoAccess', 'validFrom', 'validTo', 'validFromDate', 'validToDate', 'fingerprint', 'fingerprint256', 'fingerprint512', 'keyUsage', 'serialNumber', 'ca', 'raw', 'publicKey', 'signatureAlgorithm', 'signatureAlgorithmOid']) {
        check(`certificates: ${member} of ${name} in ${form}`, () => read()[member]);
        check(`certificates: ${member} of ${name} in ${form} twice`, () => { const of = read(); return of[member] === of[member]; });
      }
      check(`certificates: text of ${name} in ${form}`, () => [read().toString(), JSON.stringify(read()), String(read())]);
      check(`certificates: ${name} in ${form} as before`, () => read().toLegacyObject());
    }
    const read = () => new crypto.X509Certificate(PEM[name]);
    for (const host of ['example.com', 'www.example.com', 'a.b.example.com', 'EXAMPLE.com', 'leaf.example.com', 'ca.example.com', 'other.org', '', '127.0.0.1', '.example.com', '*.example.com', 'example.com.', 'a\0b']) {
      for (const options of [undefined, { subject: 'always' }, { subject: 'never' }, { subject: 'default' }, { subject: 'no' }, { wildcards: false }, { partialWildcards: false }, { multiLabelWildcards: true }, { singleLabelSubdomains: true }]) check(`certificates: ${name} for ${JSON.stringify(host)} with ${JSON.stringify(options)}`, () => read().checkHost(host, options));
    }
    for (const mail of ['me@example.com', 'ME@example.com', 'me@EXAMPLE.com', 'ca@example.com', 'no', '']) check(`certificates: ${name} for ${mail}`, () => read().checkEmail(mail));
    for (const ip of ['127.0.0.1', '127.0.0.2', '2001:db8::1', '2001:DB8:0::1', '::1', 'no', '', '1.2.3']) check(`certificates: ${name} for address ${ip}`, () => read().checkIP(ip));
    // No name is not the one that was looked for before.
    check(`certificates: ${name} for no name`, () => { const of = read(); return [of.checkHost('www.example.com'), of.checkHost(''), of.checkEmail('me@example.com'), of.checkEmail('')]; });
    for (const wrong of WRONG) for (const method of ['checkHost', 'checkEmail', 'checkIP', 'checkIssued', 'checkPrivateKey', 'verify']) check(`certificates: ${method} of ${name} with ${named(wrong)}`, () => read()[method](wrong));
    for (const options of WRONG) check(`certificates: ${name} with options ${named(options)}`, () => read().checkHost('example.com', options));
    for (const option of ['wildcards', 'subject', 'partialWildcards']) for (const wrong of [1, null, {}]) check(`certificates: ${name} with ${option} ${named(wrong)}`, () => read().checkHost('example.com', { [option]: wrong }));
    for (const key of ['p256', 'rsa', 'ed']) check(`certificates: ${name} and the key ${key}`, () => read().checkPrivateKey(crypto.createPrivateKey(PEM[key])));
    for (const other of ['ca', 'leaf']) {
      check(`certificates: ${name} issued by ${other}`, () => read().checkIssued(new crypto.X509Certificate(PEM[other])));
      check(`certificates: ${name} signed by ${other}`, () => read().verify(new crypto.X509Certificate(PEM[other]).publicKey));
    }
    check(`certificates: ${name} signed by Ed25519`, () => read().verify(crypto.createPublicKey(PEM.edPublic)));
    check(`certificates: tag of ${name}`, () => [Object.prototype.toString.call(read()), Object.keys(read())]);
  }
  for (const wrong of [...WRONG, '', 'text', Buffer.alloc(0), bytes(20), der(PEM.ca).subarray(0, 100), PEM.rsa, Buffer.concat([der(PEM.ca), bytes(3)])]) check(`certificates: of ${named(wrong).slice(0, 60)} ${wrong?.length}`, () => typeof new crypto.X509Certificate(wrong));
  check('certificates: the key of a curve that is not known', () => { const of = new crypto.X509Certificate(PEM.k256Certificate); return [of.publicKey, of.toLegacyObject(), of.subject]; });
  // No byte that is changed makes it fail in another way.
  check('certificates: with each byte changed', () => {
    const whole = der(PEM.leaf), seen = { fine: 0, refused: 0 };
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 0x55;
      try { const of = new crypto.X509Certificate(changed); of.checkHost('example.com'); seen.fine++; } catch { seen.refused++; }
    }
    return seen.fine > 0 && seen.refused > 0;
  });
}

function spkac() {
  for (const [form, of] of [['static', crypto.Certificate], ['new', new crypto.Certificate()], ['called', crypto.Certificate()]]) {
    for (const [name, given] of [['text', SPKAC], ['bytes', Buffer.from(SPKAC)], ['with lines', `${SPKAC.slice(0, 60)}\n${SPKAC.slice(60)}`], ['changed', SPKAC.replace('AQAB', 'AQAC')], ['short', SPKAC.slice(0, 40)], ['empty', ''], ['spaces at the end', `${SPKAC}  \n`], ['garbage', 'garbage!!'], ['decoded', Buffer.from(SPKAC, 'base64')], ...WRONG.map((wrong) => [named(wrong), wrong])]) {
      for (const method of ['verifySpkac', 'exportChallenge', 'exportPublicKey']) check(`spkac: ${form} ${method} of ${name}`, () => of[method](given));
    }
    check(`spkac: ${form} with an encoding`, () => of.exportChallenge(Buffer.from(SPKAC).toString('hex'), 'hex'));
  }
}

function digests() {
  for (const name of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'RSA-SHA256', 'SHA256']) {
    check(`digests: ${name}`, () => [crypto.createHash(name).update('abc').digest('hex'), crypto.hash(name, 'abc'), crypto.hash(name, bytes(3), 'base64'), crypto.createHmac(name, 'key').update('abc').digest('hex')]);
    check(`digests: HMAC of ${name} by key objects`, () => crypto.createHmac(name, crypto.createSecretKey(Buffer.from('key'))).update('abc').digest('hex'));
    check(`digests: HKDF of ${name}`, () => [crypto.hkdfSync(name, crypto.createSecretKey(bytes(8)), 'salt', 'info', 20), crypto.hkdfSync(name, bytes(8), 'salt', 'info', 20)]);
    check(`digests: PBKDF2 of ${name}`, () => crypto.pbkdf2Sync('secret', 'salt', 3, 20, name));
  }
  check('digests: HMAC by a public key', () => crypto.createHmac('sha256', crypto.createPublicKey(PEM.rsaPublic)));
  check('digests: HMAC by a private key', () => crypto.createHmac('sha256', crypto.createPrivateKey(PEM.rsa)));
  check('digests: equal', () => [crypto.timingSafeEqual(bytes(3), bytes(3)), crypto.timingSafeEqual(bytes(3), bytes(3, 9))]);
}

const AREAS = { names, ciphers, streams, answers, keys, made_keys, web_keys, signing, signing_later, rsa, vectors, ecdh, exchange, primes, certificates, spkac, digests };
