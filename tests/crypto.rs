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
