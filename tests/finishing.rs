//! A worker that finishes its requests after a deploy does so with what its own version had: the files of its Workers Site, its static
//! files, and the apps that it calls.

use crate::TestSupervisor;
use crate::deploy::{says, succeed, write};
use crate::harness::{Raw, folder};

/// Longer than what is kept in memory.
const LONG: usize = 300_000;

/// Begins to answer at once, and goes on when it has the whole body of the request, with what `READ` returns.
fn code(read: &str) -> String {
    format!(
        "{read}
         export default {{ async fetch(request, env, ctx) {{
           if (request.method === 'GET') return new Response(await answer(env));
           const {{ readable, writable }} = new TransformStream();
           const writer = writable.getWriter();
           const write = (text) => writer.write(new TextEncoder().encode(text));
           ctx.waitUntil((async () => {{
             await write('begun\\n');
             await request.text();
             await write(`[${{await answer(env).catch((error) => error)}}]`);
             await writer.close();
           }})());
           return new Response(readable);
         }} }};"
    )
}

/// The answer of the code above for what the files of this version hold.
fn answer(version: &str) -> String {
    format!("{version} {LONG} {version}")
}

#[tokio::test]
async fn after_a_deploy_a_worker_finishes_with_what_its_version_had() {
    // However long the deploys take, the requests wait for their end.
    let settings = "[server]\ndrain_timeout = '1h'\n[defaults]\nrequest_timeout = '1h'\nmin_rate = false\n";
    let arguments = ["serve", "--config", "nano.toml", "--log-format", "json", "--state-dir", "state"];
    let folder = folder(&[("nano.toml", settings)]);
    let supervisor = TestSupervisor::run(folder, arguments.map(Into::into).into()).await;
    let site = "import manifestJSON from '__STATIC_CONTENT_MANIFEST';
        const manifest = JSON.parse(manifestJSON);
        async function answer({ __STATIC_CONTENT: kv }) {
          if ((await kv.list()).keys.length !== 2) return 'the list is another one';
          const [short, long] = await Promise.all(['a.txt', 'long.txt'].map((path) => kv.get(manifest[path])));
          return `${short} ${long.length} ${[...new Set(long)]}`;
        }";
    let assets = "async function answer({ ASSETS }) {
          const [short, long] = await Promise.all(['a.txt', 'long.txt'].map((path) => ASSETS.fetch(`http://x/${path}`).then((got) => got.text())));
          return `${short} ${long.length} ${[...new Set(long)]}`;
        }";
    let service = format!(
        "async function answer({{ OTHER }}) {{
          const version = await OTHER.fetch('http://x/').then((got) => got.text());
          return `${{version}} {LONG} ${{version}}`;
        }}"
    );
    let with_site = "[site]\nbucket = 'public'\n";
    let with_assets = "[assets]\ndirectory = 'public'\nbinding = 'ASSETS'\nrun_worker_first = true\n";
    let calls = |app: &str| format!("[[services]]\nbinding = 'OTHER'\nservice = '{app}'\n");
    for other in ["one", "two"] {
        write(&supervisor, &format!("{other}/index.js"), &says(&other[..1]));
        succeed(&supervisor, &["deploy", other, other, "--port", "0", "--host", "127.0.0.1"]);
    }
    let none = "const answer = async (env) => Object.keys(env).join();";
    // What an app is at first, what is deployed after that, and what it says then.
    for (name, first, version, next, then) in [
        ("site-gone", (site, with_site.to_owned()), "1", (none, String::new()), String::new()),
        ("site-new", (site, with_site.to_owned()), "1", (site, with_site.to_owned()), answer("2")),
        ("assets-gone", (assets, with_assets.to_owned()), "1", (none, String::new()), String::new()),
        ("assets-new", (assets, with_assets.to_owned()), "1", (assets, with_assets.to_owned()), answer("2")),
        ("service-gone", (&*service, calls("one")), "o", (none, String::new()), String::new()),
        ("service-new", (&*service, calls("one")), "o", (&*service, calls("two")), answer("t")),
    ] {
        let deploy = |version: &str, (read, wrangler): &(&str, String)| {
            write(&supervisor, &format!("{name}/index.js"), &code(read));
            write(&supervisor, &format!("{name}/wrangler.toml"), &format!("main = 'index.js'\n{wrangler}"));
            write(&supervisor, &format!("{name}/public/a.txt"), version);
            write(&supervisor, &format!("{name}/public/long.txt"), &version.repeat(LONG));
            succeed(&supervisor, &["deploy", name, name, "--port", "0", "--host", "127.0.0.1"]);
        };
        deploy("1", &first);
        let mut raw = Raw::connect(supervisor.address(name).await);
        raw.send("POST / HTTP/1.0\r\nhost: x\r\ncontent-length: 4\r\n\r\nbo").up_to("begun\n");
        deploy("2", &next);
        assert_eq!(supervisor.get(name, "/").await.text(), then, "{name}");
        // Once more, so that the first deploy is two ago.
        deploy("3", &next);
        assert_eq!(raw.send("dy").rest(), format!("[{}]", answer(version)), "{name}");
    }
}
