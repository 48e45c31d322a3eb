//! Which files belong to a Workers Site: those that wrangler uploads, compared with what `wrangler deploy` sends to Cloudflare's API, of
//! which there is as much here as it needs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::READS;
use crate::TestSupervisor;
use crate::harness::origin::Answer;
use crate::harness::{App, Origin, folder, npm, wrangler};

/// What wrangler has uploaded.
#[derive(Debug, Default)]
struct Uploaded {
    /// The files by the keys that they were uploaded under.
    values: BTreeMap<String, String>,
    manifest: Value,
}

/// Answers as Cloudflare's API does for an account without a worker.
async fn api(request: Request<Incoming>, uploaded: Arc<Mutex<Uploaded>>) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let result = if path.contains("/storage/kv/") {
        if path.ends_with("/bulk") {
            let pairs: Value = serde_json::from_slice(&body).unwrap();
            for pair in pairs.as_array().unwrap() {
                let text = |name: &str| pair[name].as_str().unwrap();
                let value = String::from_utf8(STANDARD.decode(text("value")).unwrap()).unwrap();
                uploaded.lock().unwrap().values.insert(text("key").to_owned(), value);
            }
        }
        if method == Method::GET { json!([]) } else { json!({ "id": "namespace" }) }
    } else {
        if method == Method::PUT {
            let form = String::from_utf8_lossy(&body);
            let part = form.split_once("name=\"__STATIC_CONTENT_MANIFEST\"").unwrap().1;
            let manifest = part.split("\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap();
            uploaded.lock().unwrap().manifest = serde_json::from_str(manifest).unwrap();
        }
        Value::Null
    };
    let errors = result.is_null().then(|| json!({ "code": 10007, "message": "there is none" }));
    let status = if result.is_null() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let answer =
        json!({ "success": errors.is_none(), "errors": errors.as_slice(), "messages": [], "result": result });
    let body = Full::new(Bytes::from(answer.to_string())).map_err(|never| match never {}).boxed();
    Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_wrangler_uploads_belong_to_it() {
    let Some(packages) = npm::installed() else { return };
    for patterns in [
        "",
        "include = ['img', '*.html', 'a/**']",
        "exclude = ['secret*', '*.MAP', 'originals/', '/a/b']",
        "include = ['*.png', 'img/deep', '!x.png', 'links'] \nexclude = ['originals', 'n.js', '!deep']",
    ] {
        let site = folder(&[
            ("app/index.js", READS),
            (
                "app/wrangler.toml",
                &format!(
                    "name = 'site'\nmain = 'index.js'\ncompatibility_date = '2026-11-01'\nworkers_dev = false\n\
                     [site]\nbucket = './public'\n{patterns}\n"
                ),
            ),
            ("app/public/index.html", "home"),
            ("app/public/a/b/c.html", "c"),
            ("app/public/a/d.txt", "d"),
            ("app/public/x.png", "x"),
            ("app/public/code.js.map", "map"),
            ("app/public/originals/a.png", "original"),
            ("app/public/secret/s.html", "secret"),
            ("app/public/secret.html", "secret"),
            ("app/public/img/deep/i.gif", "gif"),
            ("app/public/.env", "hidden"),
            ("app/public/.git/config", "hidden"),
            ("app/public/.well-known/w", "known"),
            ("app/public/node_modules/n.js", "module"),
            ("outside.html", "outside"),
        ]);
        let public = site.path().join("app/public");
        fs::create_dir(public.join("links")).unwrap();
        // What counts is the name of a link.
        for (name, target) in [
            ("img/linked.png", "../originals/a.png"),
            ("open.html", "secret/s.html"),
            ("secretly.html", "index.html"),
            ("links/env", "../.env"),
            ("links/config", "../.git/config"),
            ("links/n.js", "../node_modules/n.js"),
            ("links/again.png", "../img/linked.png"),
            ("links/x.map", "../index.html"),
            (".hidden.html", "index.html"),
            ("img/node_modules", "../index.html"),
        ] {
            symlink(target, public.join(name)).unwrap();
        }
        let supervisor = TestSupervisor::plan().app(App::at("app", &site.path().join("app"))).start().await;
        let mut ours = BTreeMap::new();
        for path in supervisor.get("app", "/paths").await.json().as_array().unwrap() {
            let path = path.as_str().unwrap();
            ours.insert(path.to_owned(), supervisor.get("app", &format!("/{path}")).await.text().to_owned());
        }
        let uploaded: Arc<Mutex<Uploaded>> = Arc::default();
        let seen = uploaded.clone();
        let origin = Origin::http(move |request| api(request, seen.clone())).await;
        let app = site.path().join("app");
        let Some(said) = wrangler::deploy(&packages, &app, origin.address) else { return };
        let uploaded = uploaded.lock().unwrap();
        let manifest = uploaded.manifest.as_object().unwrap_or_else(|| panic!("no manifest: {said:?}"));
        let theirs: BTreeMap<_, _> = manifest
            .iter()
            .map(|(path, key)| (path.clone(), uploaded.values[key.as_str().unwrap()].clone()))
            .collect();
        assert_eq!(ours, theirs, "{patterns}");
    }
}

#[tokio::test]
async fn none_outside_belongs_to_it_by_whatever_link() {
    let app = App::new("app", READS)
        .file("wrangler.toml", super::WRANGLER)
        .file("public/index.html", "home")
        .file("public/a/b.html", "b")
        .file("secret.html", "outside");
    let plan = TestSupervisor::plan().app(app);
    let supervisor = plan.start().await;
    assert_eq!(supervisor.get("app", "/paths").await.json(), json!(["a/b.html", "index.html"]));
    let public = supervisor.folder().join("app/public");
    // wrangler uploads the first ones, and fails for the others.
    for (name, target) in [
        ("out.html", "../secret.html"),
        ("code.js", "../index.js"),
        ("passwd", "/etc/passwd"),
        ("twice.html", "out.html"),
        ("a/up.html", "../../secret.html"),
        ("back.html", "../public/index.html"),
        ("self", "self"),
        ("gone", "nothing"),
        ("folder", "a"),
        ("all", "."),
    ] {
        symlink(target, public.join(name)).unwrap();
    }
    crate::deploy::succeed(&supervisor, &["reload"]);
    let paths = json!(["a/b.html", "back.html", "index.html"]);
    assert_eq!(supervisor.get("app", "/paths").await.json(), paths);
    // A link that leads elsewhere since then is not followed there, nor is a folder that has become one.
    fs::remove_file(public.join("back.html")).unwrap();
    symlink("../secret.html", public.join("back.html")).unwrap();
    assert_eq!(supervisor.get("app", "/back.html").await.text(), "home");
    fs::rename(public.join("a"), public.join("was")).unwrap();
    fs::create_dir(supervisor.folder().join("other")).unwrap();
    fs::write(supervisor.folder().join("other/b.html"), "outside").unwrap();
    symlink("../../other", public.join("a")).unwrap();
    assert_eq!(supervisor.get("app", "/a/b.html").await.status, 500);
}
