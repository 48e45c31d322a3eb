//! The files of builds for Cloudflare Pages beside `wrangler pages dev`, which answers with the code that Pages runs.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::send;
use crate::TestSupervisor;
use crate::harness::client::Reply;
use crate::harness::wrangler::Wrangler;
use crate::harness::{App, Client, npm};

const FILES: [(&str, &str); 16] = [
    ("index.html", "home"),
    ("about.html", "about"),
    ("blog/index.html", "blog"),
    ("blog/post.html", "post"),
    ("sub/404.html", "nothing in sub"),
    (".well-known/x.txt", "known"),
    ("a.css", "css"),
    ("app.js", "script"),
    ("a b.svg", "<svg></svg>"),
    ("data.json", "{}"),
    ("data.bin", "data"),
    ("noextension", "no extension"),
    ("robots.txt", "robots"),
    ("cached.txt", "cached"),
    (
        "_headers",
        "/a.css\n  ! Access-Control-Allow-Origin\n  X-Content-Type-Options: other\n  X-Own: 1\n\
         /data.json\n  Referrer-Policy: no-referrer\n  Access-Control-Allow-Origin: https://example.com\n\
         /cached.txt\n  Cache-Control: max-age=9\n/none\n  Cache-Control: max-age=9\n  X-None: 1\n/old\n  X-Old: 1\n",
    ),
    (
        "_redirects",
        "/old /new 301\n/rewritten /about 200\n/lost /nowhere 200\n/go https://example.com/x 302\n",
    ),
];

const PATHS: [&str; 36] = [
    "/",
    "/?x=1",
    "/index.html",
    "/index",
    "/about",
    "/about.html",
    "/about.html?x=1",
    "/about/",
    "/%61bout",
    "//about",
    "/ABOUT",
    "/blog",
    "/blog/",
    "/blog/index",
    "/blog/index.html",
    "/blog/post",
    "/blog/post/",
    "/none",
    "/none/",
    "/sub",
    "/sub/",
    "/sub/none",
    "/.well-known/x.txt",
    "/a.css",
    "/app.js",
    "/a%20b.svg",
    "/data.json",
    "/data.bin",
    "/noextension",
    "/robots.txt",
    "/cached.txt",
    "/404",
    "/old",
    "/rewritten",
    "/lost",
    "/go",
];

/// What is asked of other builds: with their worker, and without a page at the top for what is not there.
const SOME_PATHS: [&str; 10] = [
    "/",
    "/about",
    "/about.html",
    "/none",
    "/sub/",
    "/sub/none",
    "/blog/post.html",
    "/blog/none",
    "/a.css",
    "/api",
];

/// Header fields of one server of HTTP/1.1 and not of a file, or of `wrangler dev` alone.
const OF_THE_SERVER: [&str; 7] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "transfer-encoding",
    "x-request-id",
    "x-server-env",
];

/// A difference that docs/assets.md tells: of which requests, in what, and what it is here and there.
type Difference = (fn(&str) -> bool, &'static str, &'static str, &'static str);

const DIFFERENCES: [Difference; 13] = [
    // Parts of a file are sent here.
    (|_| true, "accept-ranges", "bytes", ""),
    (|request| request.ends_with("range"), "status", "206", "200"),
    (|request| request.ends_with("range"), "body", "ob", "robots"),
    (|request| request.ends_with("range"), "content-range", "bytes 1-2/6", ""),
    // RFC 9110 wants it beside 405.
    (|request| request.starts_with("POST"), "allow", "GET, HEAD", ""),
    // RFC 9110 wants these beside 304, and says nothing against the type.
    (|request| request.ends_with("again"), "cache-control", "public, max-age=0, must-revalidate", ""),
    (|request| request.ends_with("again"), "etag", "a tag", ""),
    (|request| request.ends_with("again"), "content-type", "text/plain; charset=utf-8", ""),
    (|request| request.ends_with("again"), "x-content-type-options", "nosniff", ""),
    // The type of RFC 9239.
    (
        |request| request.contains(".js"),
        "content-type",
        "text/javascript; charset=utf-8",
        "application/javascript",
    ),
    // As for a worker's files, what has no known type is said to have none.
    (|_| true, "content-type", "", "application/octet-stream"),
    (|_| true, "x-content-type-options", "", "nosniff"),
    // A redirect of `_redirects` has a text that nobody sees.
    (
        |request| request.ends_with("/old") || request.ends_with("/go"),
        "content-type",
        "",
        "text/plain;charset=UTF-8",
    ),
];

/// Returns what is compared of an answer, by names.
fn seen(reply: &Reply, client: &str) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::from([("status".to_owned(), reply.status.to_string())]);
    let body = reply.text();
    let body = if body.starts_with("Redirecting to ") { "" } else { body };
    seen.insert("body".to_owned(), body.to_owned());
    for (name, value) in &reply.headers {
        let value = match name.as_str() {
            name if OF_THE_SERVER.contains(&name) => continue,
            // Each server compresses by its own rules.
            "vary" => continue,
            "etag" => "a tag".to_owned(),
            _ => value.to_str().unwrap().replace(client, "address"),
        };
        seen.insert(name.as_str().to_owned(), value);
    }
    seen
}

#[tokio::test]
async fn the_files_of_a_build_for_pages_are_answered_as_on_pages() {
    let Some(packages) = npm::installed() else { return };
    let wrangler = "name = 'app'\npages_build_output_dir = 'dist'\ncompatibility_date = '2026-11-01'\n";
    let app = |more: &[(&str, &str)]| {
        let app = App::named("app").file("wrangler.toml", wrangler);
        let files = FILES.iter().chain(more);
        files.fold(app, |app, (path, text)| app.file(&format!("dist/{path}"), text))
    };
    let worker = "export default { async fetch(request, env) {
      const { pathname } = new URL(request.url);
      return pathname === '/api' ? new Response('api') : env.ASSETS.fetch(request);
    } };";
    let routes = "{ \"version\": 1, \"include\": [\"/*\"], \"exclude\": [\"/blog/*\", \"/a.css\"] }";
    let mut wrong = Vec::new();
    let met: [Cell<bool>; DIFFERENCES.len()] = Default::default();
    for (more, paths) in [
        (&[("404.html", "nothing here")][..], &PATHS[..]),
        (&[], &SOME_PATHS[..]),
        (&[("404.html", "nothing here"), ("_worker.js", worker), ("_routes.json", routes)], &SOME_PATHS[..]),
    ] {
        let supervisor = TestSupervisor::plan().app(app(more)).start().await;
        let Some(theirs) = Wrangler::dev(&packages, &supervisor.folder().join("app"), true) else { return };
        let address = theirs.url().await.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let servers = [supervisor.address("app").await, address.parse().unwrap()];
        let clients = servers.map(|address| (Client::afresh(address), address.to_string()));
        let mut requests: Vec<_> = paths.iter().map(|path| (*path, "GET", None, "")).collect();
        requests.extend([
            ("/about", "HEAD", None, ""),
            ("/a.css", "POST", None, ""),
            ("/none", "POST", None, ""),
            ("/none", "HEAD", None, ""),
            ("/robots.txt", "GET", Some(("range", "bytes=1-2")), "range"),
            ("/robots.txt", "GET", Some(("authorization", "x")), "authorized"),
            ("/robots.txt", "GET", Some(("if-none-match", "TAG")), "again"),
        ]);
        for (path, method, header, name) in requests {
            let asked = format!("{method} {path} {name}");
            let asked = asked.trim_end();
            let mut all = Vec::new();
            for (client, address) in &clients {
                let tag = match name {
                    "again" => send(client, "GET", path, &[]).await.header("etag").to_owned(),
                    _ => String::new(),
                };
                let headers: Vec<_> = (header.iter())
                    .map(|(name, value)| (*name, if *value == "TAG" { &*tag } else { value }))
                    .collect();
                all.push(seen(&send(client, method, path, &headers).await, address));
            }
            let names: BTreeSet<_> = all.iter().flat_map(BTreeMap::keys).collect();
            for name in names {
                let [ours, theirs] = [0, 1].map(|at| all[at].get(name).map_or("", String::as_str));
                if ours == theirs {
                    continue;
                }
                let known = DIFFERENCES.iter().position(|(of, what, here, there)| {
                    of(asked) && what == name && (*here, *there) == (ours, theirs)
                });
                match known {
                    Some(known) => met[known].set(true),
                    None => wrong.push(format!("{more:?}: {asked}: {name}: here {ours:?}, there {theirs:?}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (met, (_, what, here, _)) in met.iter().zip(DIFFERENCES) {
        assert!(met.get(), "{what} ({here}) is the same in both; fix: take it from the list");
    }
}
