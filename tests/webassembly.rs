//! WebAssembly: from bytes, and streamed from responses.

use serde_json::json;

use crate::harness::Origin;
use crate::harness::origin::whole;
use crate::outbound::{checks, results};

/// `(module (import "env" "by" (func $by (result i32))) (memory (export "memory") 1)
///   (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add call $by i32.add))`
const MODULE: &[u8] = &[
    0, 97, 115, 109, 1, 0, 0, 0, // header
    1, 11, 2, 96, 0, 1, 127, 96, 2, 127, 127, 1, 127, // types
    2, 10, 1, 3, 101, 110, 118, 2, 98, 121, 0, 0, // imports
    3, 2, 1, 1, // functions
    5, 3, 1, 0, 1, // memory
    7, 16, 2, 6, 109, 101, 109, 111, 114, 121, 2, 0, 3, 97, 100, 100, 0, 1, // exports
    10, 12, 1, 10, 0, 32, 0, 32, 1, 106, 16, 0, 106, 11, // code
];

#[tokio::test]
async fn modules_compile_from_bytes_and_from_responses() {
    let origin = Origin::http(|request: hyper::Request<hyper::body::Incoming>| async move {
        let mut response = hyper::Response::new(whole(match request.uri().path() {
            "/half" => &MODULE[..50],
            _ => MODULE,
        }));
        response.headers_mut().insert("content-type", "application/wasm".parse().unwrap());
        response
    })
    .await;
    let functions = format!(
        "bytes: () => new Uint8Array({MODULE:?}),
         validate() {{ return [WebAssembly.validate(bytes()), WebAssembly.validate(bytes().subarray(1))] }},
         async compile() {{
           const module = await WebAssembly.compile(bytes());
           return [module instanceof WebAssembly.Module, WebAssembly.Module.exports(module), run(await WebAssembly.instantiate(module, imports))];
         }},
         async instantiate() {{
           const {{ instance, module }} = await WebAssembly.instantiate(bytes(), imports);
           return [run(instance), module instanceof WebAssembly.Module, instance.exports.memory.buffer.byteLength];
         }},
         synchronous() {{ return run(new WebAssembly.Instance(new WebAssembly.Module(bytes()), imports)) }},
         async fetched(origin) {{ return run((await WebAssembly.instantiateStreaming(fetch(origin), imports)).instance) }},
         async response() {{ return run((await WebAssembly.instantiateStreaming(response(bytes()), imports)).instance) }},
         async stream() {{
           const body = new Blob([bytes()]).stream().pipeThrough(new TransformStream());
           return run(await WebAssembly.instantiate(await WebAssembly.compileStreaming(response(body)), imports));
         }},
         async cut(origin) {{ await WebAssembly.compileStreaming(fetch(`${{origin}}/half`)) }},
         async kind() {{ await WebAssembly.compileStreaming(new Response(bytes())) }},
         async parameters() {{
           await WebAssembly.compileStreaming(new Response(bytes(), {{ headers: {{ 'content-type': 'application/wasm; a=b' }} }}));
         }},
         async status() {{ await WebAssembly.compileStreaming(response(bytes(), 404)) }},
         async notResponse() {{ await WebAssembly.compileStreaming(bytes()) }},
         async rejected() {{ await WebAssembly.compileStreaming(Promise.reject(new RangeError('mine'))) }},
         async used() {{
           const used = response(bytes());
           await used.arrayBuffer();
           await WebAssembly.compileStreaming(used);
         }},
         async partlyUsed() {{
           const used = response(new Blob([bytes(), bytes()]).stream());
           const reader = used.body.getReader();
           await reader.read();
           reader.releaseLock();
           await WebAssembly.compileStreaming(used);
         }},
         async erring() {{
           await WebAssembly.compileStreaming(response(new ReadableStream({{ pull() {{ throw new TypeError('broken') }} }})));
         }},
         async aborted(origin) {{
           const controller = new AbortController();
           const fetched = await fetch(origin, {{ signal: controller.signal }});
           controller.abort(new RangeError('given up'));
           await WebAssembly.compileStreaming(fetched);
         }},
         async missing() {{ await WebAssembly.instantiate(bytes(), {{}}) }},
         async empty() {{ await WebAssembly.compileStreaming(response(null)) }}"
    );
    let helpers = "
        _() {
          globalThis.bytes = checks.bytes;
          globalThis.imports = { env: { by: () => 100 } };
          globalThis.run = ({ exports }) => exports.add(20, 3);
          globalThis.response = (body, status = 200) => new Response(body, { status, headers: { 'content-type': 'Application/WASM' } });
        },";
    let found =
        results(checks(&format!("http://{}", origin.address), &format!("{helpers}{functions}"))).await;
    let exports = json!([{ "name": "memory", "kind": "memory" }, { "name": "add", "kind": "function" }]);
    let mut found = found;
    found.as_object_mut().unwrap().remove("bytes");
    assert_eq!(
        found,
        json!({
            "validate": [true, false],
            "compile": [true, exports, 123],
            "instantiate": [123, true, 65536],
            "synchronous": 123,
            "fetched": 123,
            "response": 123,
            "stream": 123,
            "cut": "CompileError: WebAssembly.compileStreaming(): section (code 7, \"Export\") extends past end of the module \
                (length 16, remaining bytes 6) @+42",
            "kind": "TypeError: Invalid WebAssembly content type",
            "parameters": "TypeError: Invalid WebAssembly content type",
            "status": "TypeError: Failed to receive WebAssembly content: HTTP status code 404",
            "notResponse": "TypeError: Failed to execute 'WebAssembly.compileStreaming': Argument 1 is not of type Response",
            "rejected": "RangeError: mine",
            "used": "TypeError: the body of the response has been used already",
            "partlyUsed": "TypeError: the body of the response has been used already",
            "erring": "TypeError: broken",
            "aborted": "RangeError: given up",
            "missing": "TypeError: WebAssembly.instantiate(): Import #0 \"env\": module is not an object or function",
            "empty": "CompileError: WebAssembly.compileStreaming(): expected 4 bytes, fell off end @+0",
        })
    );
}
