//! Runs many checks inside one app.

use serde_json::Value;

use super::TestSupervisor;

/// Runs `checks`, JavaScript that calls `it(name, run)` for each check, and returns their results.
pub(crate) async fn results(checks: &str) -> Value {
    let source = format!(
        "export default {{ async fetch(request, env, ctx) {{
           const results = {{}};
           const it = async (name, run) => {{
             try {{ results[name] = await run(); }} catch (error) {{ results[name] = error.name + ': ' + error.message; }}
           }};
           const encode = (text) => new TextEncoder().encode(text);
           const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
           {checks}
           return Response.json(results);
         }} }}"
    );
    TestSupervisor::with(&source).await.get("app", "/").await.json()
}
