//! The global object is as Web IDL describes it, both for what is loaded at start and for what is loaded on first use.

use crate::TestSupervisor;

#[tokio::test]
async fn interfaces_are_data_properties_however_late_they_load() {
    let supervisor = TestSupervisor::with(
        "const names = ['Crypto', 'CryptoKey', 'Headers', 'SubtleCrypto', 'URL'];
         const shape = (name) => {
           const { value, ...rest } = Object.getOwnPropertyDescriptor(globalThis, name);
           return [value.name, value === globalThis[name], JSON.stringify(rest)];
         };
         // So close to the end of the stack that loading fails: the reader is told, and the next one gets it.
         let failed = 0;
         const deep = () => {
           try { deep(); } catch { try { SubtleCrypto; } catch (error) { if (error instanceof RangeError) failed++; } }
         };
         deep();
         globalThis.CryptoKey = 'assigned';
         const assigned = globalThis.CryptoKey;
         delete globalThis.CryptoKey;
         const deleted = 'CryptoKey' in globalThis;
         globalThis.CryptoKey = crypto.subtle.constructor && (await crypto.subtle.generateKey(
           { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])).constructor;
         Object.defineProperty(globalThis, 'CryptoKey', { enumerable: false });
         export default { fetch: () => Response.json({
           failed: failed > 0, assigned, deleted,
           listed: Object.keys(globalThis).filter((name) => names.includes(name)),
           shapes: names.map(shape),
           crypto: (({ get, ...rest }) => [get.name, JSON.stringify(rest)])(
             Object.getOwnPropertyDescriptor(globalThis, 'crypto')),
           same: [crypto === crypto, crypto instanceof Crypto, crypto.subtle instanceof SubtleCrypto],
         }) }",
    )
    .await;
    let data = r#"{"writable":true,"enumerable":false,"configurable":true}"#;
    let shapes = ["Crypto", "CryptoKey", "Headers", "SubtleCrypto", "URL"]
        .map(|name| serde_json::json!([name, true, data]));
    assert_eq!(
        supervisor.get("app", "/").await.json(),
        serde_json::json!({
            "failed": true, "assigned": "assigned", "deleted": false, "listed": [], "shapes": shapes,
            "crypto": ["get crypto", r#"{"enumerable":true,"configurable":true}"#], "same": [true, true, true]
        })
    );
}
