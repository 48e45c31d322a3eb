//! `node:crypto` as Workers have it: keys, ciphers, signatures, exchanges, primes and certificates.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::workerd::Workerd;
use crate::harness::{App, Client};
use crate::{TestSupervisor, until};

/// What an app sees of `node:crypto`, in parts.
const PROGRAM: &str = concat!(
    include_str!("crypto/program.js"),
    include_str!("crypto/keys.js"),
    include_str!("crypto/ciphers.js"),
    include_str!("crypto/keys_program.js"),
    include_str!("crypto/signing.js"),
    include_str!("crypto/exchange.js"),
    include_str!("crypto/certificates.js"),
);

const AREAS: &str = "names ciphers streams answers keys made_keys web_keys signing signing_later rsa vectors ecdh exchange primes \
    certificates spkac digests";

/// Parts of the names of checks that may have another result here. `docs/workers.md` has the reasons.
const DIFFERING: &[&str] = &[
    // Hmac is that of the library.
    "names: lengths",
    "names: members of Hmac",
    // workerd fails inside, or refuses keys of its own WebCrypto.
    "with a tag of 0 bytes",
    "streams: a key of WebCrypto",
    "exchange: rsa with rsaPublic",
    "exchange: ed with edPublic",
    // workerd names another function.
    "rsa: publicDecrypt by ",
    "rsa: privateEncrypt by ",
    "rsa: privateDecrypt by ",
    // BoringSSL has no such format, and its PSS neither signs nor verifies as asked.
    " hybrid",
    "signing: RSA-PSS with ",
    "signing: padding 6, ",
    // Of WebCrypto itself.
    "web_keys: no usages",
    "web_keys: usages []",
    "web_keys: HMAC without hash",
    "web_keys: algorithm {}",
    "web_keys: algorithm []",
    "web_keys: from ECDH",
    "web_keys: the use of a key in a JWK",
    // workerd does not name this curve in a JWK, and does not know the private key of this certificate.
    "keys: private p224 as jwk of ",
    "certificates: leaf and the key p256",
    // DER without a type is read as in Node.
    "in DER of undefined",
    "\"crv\":\"Ed25519\",\"x\":\"AA\"",
];

#[tokio::test]
async fn every_member_of_crypto_does_what_it_does_on_workers() {
    let Some(theirs) = Workerd::serve(PROGRAM, "") else { return };
    // Thousands of keys are read and made in one request.
    let limits = "watchdog = '5m'\ncpu_time = '10m'\nhung_timeout = '10m'\nrequest_timeout = '10m'\nstart_timeout = '1m'";
    let supervisor = TestSupervisor::plan().app(App::new("app", PROGRAM).set(limits)).start().await;
    let clients = [supervisor.client("app").await, Client::afresh(theirs.address())];
    let (mut checks, mut wrong) = (0, Vec::new());
    let mut differing: BTreeSet<&&str> = BTreeSet::new();
    for area in AREAS.split_whitespace() {
        let path = format!("/{area}");
        let ours = clients[0].get(&path).await.unwrap().json();
        let theirs = clients[1].get(&path).await.unwrap().json();
        let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{area}");
        checks += theirs.len();
        for (name, result) in theirs {
            if ours[name] == *result {
                continue;
            }
            let listed: Vec<_> = DIFFERING.iter().filter(|part| name.contains(**part)).collect();
            if listed.is_empty() {
                wrong.push(format!("{name}: {} instead of {result}", ours[name]));
            }
            differing.extend(listed);
        }
    }
    for part in DIFFERING.iter().filter(|part| !differing.contains(part)) {
        wrong.push(format!("{part}: no longer differs"));
    }
    assert!(checks > 7000, "{checks}");
    assert!(wrong.is_empty(), "{} of {checks} checks:\n{}", wrong.len(), wrong.join("\n"));
}

/// Starts slow calculations at once, and tells what happened meanwhile.
const SLOW: &str = r"
    import crypto from 'node:crypto';
    import { promisify } from 'node:util';
    export default { async fetch(request) {
      const order = [];
      const pair = promisify(crypto.generateKeyPair)('rsa', { modulusLength: 2048 }).then((pair) => { order.push('pair'); return pair; });
      const prime = promisify(crypto.generatePrime)(512).then((prime) => { order.push('prime'); return prime; });
      const { publicKey, privateKey } = await pair;
      const signature = crypto.sign('sha256', Buffer.from('x'), privateKey);
      const verified = crypto.verify('sha256', Buffer.from('x'), publicKey, signature);
      return Response.json([verified, await promisify(crypto.checkPrime)(await prime), order.sort()]);
    } }
";

#[tokio::test]
async fn slow_calculations_with_a_callback_run_on_another_thread() {
    let supervisor = TestSupervisor::with(SLOW).await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!([true, true, ["pair", "prime"]]));
}

/// Seals and opens with no data but that which is authenticated only.
const EMPTY: &str = r"
    import crypto from 'node:crypto';
    const made = (create) => create('chacha20-poly1305', Buffer.alloc(32, 1), Buffer.alloc(12, 2)).setAAD(Buffer.from('more'));
    function sealed(pieces) {
      const cipher = made(crypto.createCipheriv);
      const out = Buffer.concat([...pieces.map((piece) => cipher.update(piece)), cipher.final()]);
      return [out.length, cipher.getAuthTag()];
    }
    function opened(tag) {
      const decipher = made(crypto.createDecipheriv);
      if (tag !== undefined) decipher.setAuthTag(tag);
      try { return decipher.final().length; } catch (error) { return error.message; }
    }
    export default { fetch() {
      const [[none, tag], [empty, same]] = [sealed([]), sealed([Buffer.alloc(0)])];
      return Response.json([none, empty, tag.length, tag.equals(same), opened(tag), opened(Buffer.alloc(16)), opened()]);
    } }
";

#[tokio::test]
async fn a_message_without_data_is_authentic_by_its_tag_only() {
    let supervisor = TestSupervisor::with(EMPTY).await;
    let told = supervisor.get("app", "/").await.json();
    assert_eq!(told, json!([0, 0, 16, true, 0, "Authentication failed", "No auth tag provided"]));
}

/// Tells whether V8 knows of 24 MiB that vectors and keys take outside of its heap.
const HELD: &str = r"
    import crypto from 'node:crypto';
    const long = Buffer.alloc(8 << 20, 1);
    const prime = Buffer.from('c6380bb09e9186f868bd87746255416033ce9404fc3117e0830c23c1e7f970b9f79139b521af3b1802bf1dbab6d9f3b387a4b724e4fffc3e2fcaa36d979c5f6f', 'hex');
    const MAKES = {
      cipher: () => crypto.createCipheriv('aes-128-gcm', Buffer.alloc(16), long),
      exchange() {
        const exchange = crypto.createDiffieHellman(prime);
        exchange.setPublicKey(long);
        exchange.setPrivateKey(Buffer.alloc(1, 1));
        return exchange;
      },
    };
    export default { fetch() {
      const told = Object.entries(MAKES).map(([name, make]) => {
        const before = process.memoryUsage().external;
        const made = [make(), make(), make()];
        return [name, process.memoryUsage().external - before > 20 << 20, made.length];
      });
      return Response.json(told);
    } }
";

#[tokio::test]
async fn long_vectors_and_keys_are_memory_that_the_engine_knows_of() {
    let supervisor = TestSupervisor::with(HELD).await;
    let told = supervisor.get("app", "/").await.json();
    assert_eq!(told, json!([["cipher", true, 3], ["exchange", true, 3]]));
}

#[tokio::test]
async fn a_key_is_read_as_fast_with_zeros_before_its_numbers() {
    // With them, the check of such a key takes minutes, in which the worker answers nobody, so that it is ended.
    let app = "import crypto from 'node:crypto';
         export default { fetch() {
           const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
           const jwk = privateKey.export({ format: 'jwk' });
           for (const name of ['p', 'q', 'qi']) {
             const number = Buffer.concat([Buffer.alloc(1 << 20), Buffer.from(jwk[name], 'base64url')]);
             jwk[name] = number.toString('base64url');
           }
           const key = crypto.createPrivateKey({ key: jwk, format: 'jwk' });
           const data = Buffer.from('data');
           return Response.json(crypto.verify('sha256', data, publicKey, crypto.sign('sha256', data, key)));
         } }";
    let supervisor = TestSupervisor::with(app).await;
    assert_eq!(supervisor.get("app", "/").await.json(), json!(true));
}

#[tokio::test]
async fn a_calculation_without_end_ends_its_worker_and_no_other() {
    // Safe primes of so many bits take hours.
    let app = "import crypto from 'node:crypto';
         export default { fetch(request) {
           const bits = Number(new URL(request.url).searchParams.get('bits'));
           if (bits > 0) crypto.createDiffieHellman(bits);
           return new Response('fine');
         } }";
    let slow = App::new("slow", app).set("cpu_time = '1s'");
    let other = App::new("other", "export default { fetch: () => new Response('there') }");
    let supervisor = TestSupervisor::plan().app(slow).app(other).start().await;
    assert!(supervisor.get("slow", "/?bits=9000").await.status >= 500);
    assert_eq!(supervisor.get("other", "/").await.text(), "there");
    until("the worker is replaced", async || {
        (supervisor.get("slow", "/").await.text() == "fine").then_some(())
    })
    .await;
}
