//! Static files beside the worker that Cloudflare has published for them, in workerd.

use serde_json::{Value, json};

use super::send;
use crate::TestSupervisor;
use crate::harness::client::Reply;
use crate::harness::workerd::Workerd;
use crate::harness::{App, Client};

const FILES: [(&str, &str, &str); 18] = [
    ("/index.html", "home", "text/html; charset=utf-8"),
    ("/404.html", "not found", "text/html; charset=utf-8"),
    ("/file.html", "file", "text/html; charset=utf-8"),
    ("/folder/index.html", "folder", "text/html; charset=utf-8"),
    ("/folder/404.html", "not found in folder", "text/html; charset=utf-8"),
    ("/folder/page.html", "page", "text/html; charset=utf-8"),
    ("/both.html", "both", "text/html; charset=utf-8"),
    ("/both/index.html", "both in folder", "text/html; charset=utf-8"),
    ("/same.html", "same", "text/html; charset=utf-8"),
    ("/same/index.html", "same", "text/html; charset=utf-8"),
    ("/bin", "binary", "application/octet-stream"),
    ("/bin.html", "binary page", "text/html; charset=utf-8"),
    ("/a/index", "an index", "application/octet-stream"),
    ("/app.js", "script", "text/javascript; charset=utf-8"),
    ("/[slug].html", "brackets", "text/html; charset=utf-8"),
    ("/a b.txt", "space", "text/plain; charset=utf-8"),
    ("/\u{e9}t\u{e9}.txt", "summer", "text/plain; charset=utf-8"),
    ("/100%.txt", "percent", "text/plain; charset=utf-8"),
];

const REDIRECTS: &str = "/old /new 301\n/here /file?own=1#top\n/out https://example.com/x 308\n/q /file?a=b 303\n\
    /blog/* /posts/:splat 302\n/user/:id/:tab /u/:tab/:id 307\n/cdn/* https://cdn.example/a/:splat\n/slash/* /:splat\n\
    /rewrite/* /file 200\n/lost/* /nowhere 200\n";

const HEADERS: &str = "/*\n  X-All: all\n/folder/*\n  X-All: folder\n  X-Splat: :splat\n  Cache-Control: max-age=9\n\
    /:one/page\n  X-One: is :one\n/app.js\n  ! X-All\n  ! ETag\n/out\n  X-Redirect: yes\n";

/// What Workers make of the two files above.
fn rules() -> (Value, Value) {
    let redirect =
        |line: usize, to: &str, status: u16| json!({ "status": status, "to": to, "lineNumber": line });
    let redirects = json!({
        "version": 1,
        "staticRules": {
            "/old": redirect(1, "/new", 301),
            "/here": redirect(2, "/file?own=1#top", 302),
            "/out": redirect(3, "https://example.com/x", 308),
            "/q": redirect(4, "/file?a=b", 303),
        },
        "rules": {
            "/blog/*": { "status": 302, "to": "/posts/:splat" },
            "/user/:id/:tab": { "status": 307, "to": "/u/:tab/:id" },
            "/cdn/*": { "status": 302, "to": "https://cdn.example/a/:splat" },
            "/slash/*": { "status": 302, "to": "/:splat" },
            "/rewrite/*": { "status": 200, "to": "/file" },
            "/lost/*": { "status": 200, "to": "/nowhere" },
        },
    });
    let headers = json!({
        "version": 2,
        "rules": {
            "/*": { "set": { "x-all": "all" } },
            "/folder/*": { "set": { "x-all": "folder", "x-splat": ":splat", "cache-control": "max-age=9" } },
            "/:one/page": { "set": { "x-one": "is :one" } },
            "/app.js": { "unset": ["X-All", "ETag"] },
            "/out": { "set": { "x-redirect": "yes" } },
        },
    });
    (redirects, headers)
}

/// Every path that is tried.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for stem in [
        "",
        "/file",
        "/folder",
        "/folder/page",
        "/both",
        "/same",
        "/bin",
        "/a",
        "/app.js",
        "/none",
        "/folder/none",
    ] {
        for end in ["", "/", ".html", "/index", "/index.html", ".html/", "/index/"] {
            paths.push(format!("{stem}{end}"));
        }
    }
    let others = [
        "/%5Bslug%5D",
        "/[slug]",
        "/[slug].html",
        "/a%20b.txt",
        "/%61pp.js",
        "/%C3%A9t%C3%A9.txt",
        "/100%25.txt",
        "/100%.txt",
        "//file",
        "/folder//page",
        "/x/../file",
        "/x/%2e%2e/file",
        "/folder%2Fpage",
        "/file?x=1",
        "/file/?x=1",
        "/file.html?x",
        "/old",
        "/old?a=b",
        "/old/",
        "/here?x",
        "/out?x",
        "/q?x",
        "/blog/a/b?x",
        "/blog/",
        "/blog",
        "/user/7/x",
        "/user/7",
        "/cdn/a//b",
        "/slash/x",
        "/rewrite/x",
        "/lost/x",
        "/404",
        "/404.html",
        "/folder/404",
        "/%",
        "/%zz",
        "/app.js%00",
    ];
    paths.extend(others.map(str::to_owned));
    paths.retain(|path| path.starts_with('/'));
    paths
}

/// What is compared of a response. Names of hosts differ.
fn seen(reply: &Reply, address: std::net::SocketAddr) -> Value {
    let names =
        ["location", "content-type", "cache-control", "etag", "x-all", "x-splat", "x-one", "x-redirect"];
    let field = |name: &str| {
        let values: Vec<_> =
            reply.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        values.join(", ").replace(&address.to_string(), "HOST")
    };
    let fields: Vec<_> =
        names.iter().map(|name| (*name, field(name))).filter(|(_, value)| !value.is_empty()).collect();
    json!([reply.status, fields, String::from_utf8_lossy(&reply.body)])
}

#[tokio::test]
async fn every_path_is_answered_as_on_workers() {
    let (redirects, headers) = rules();
    let mut count = 0;
    for html in ["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"] {
        for not_found in ["none", "single-page-application", "404-page"] {
            let config = json!({
                "html_handling": html,
                "not_found_handling": not_found,
                "redirects": redirects,
                "headers": headers,
            });
            let Some(theirs) = Workerd::assets(&FILES, &config) else { return };
            let app = FILES
                .iter()
                .fold(App::hello("app"), |app, (path, text, _)| app.file(&format!("public{path}"), text));
            // Only files answer, as in an app without code.
            let app = app.file("public/_redirects", REDIRECTS).file("public/_headers", HEADERS).set(&format!(
                "assets = {{ directory = 'public', html_handling = '{html}', not_found_handling = '{not_found}', \
                 run_worker_first = ['/never', '!/*'] }}"
            ));
            let ours = TestSupervisor::plan().app(app).start().await;
            let addresses = [ours.address("app").await, theirs.address()];
            for path in paths() {
                for (method, headers) in [
                    ("GET", &[][..]),
                    ("HEAD", &[("authorization", "x")]),
                    ("POST", &[]),
                    ("GET", &[("if-none-match", "\"x\"")]),
                ] {
                    let [ours, theirs] = addresses.map(async |address| {
                        let reply = send(&Client::new(address, false), method, &path, headers).await;
                        seen(&without_types(reply), address)
                    });
                    let (ours, theirs) = (ours.await, theirs.await);
                    assert_eq!(ours, theirs, "{method} {path} {headers:?} with {html} and {not_found}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 3000, "{count}");
}

/// Files without an extension have no media type here. Workers give them none either, but workerd has to be told one.
fn without_types(mut reply: Reply) -> Reply {
    if reply.headers.get("content-type").is_some_and(|value| value == "application/octet-stream") {
        reply.headers.remove("content-type");
    }
    reply
}
