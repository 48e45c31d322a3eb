//! The short guides in the documentation: every command in them is run in the given order and does what the page says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;

use crate::harness::{Log, executable, process};
use crate::until;

const APP: &str = "export default { fetch: () => new Response('hi') }";

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs");
    fs::read_to_string(docs.join(format!("{name}.md"))).unwrap()
}

/// Returns the blocks of a page in this language. Ports become 0, so that the kernel picks one, because tests run in parallel.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let found = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    found.map(|block| block.replace("8080", "0").replace("8081", "0").replace("9100", "0")).collect()
}

/// Returns the commands of a page without their comments.
fn commands(page: &str) -> Vec<Vec<String>> {
    let blocks = blocks(page, "sh").join("\n");
    let lines = blocks.lines().filter(|line| line.starts_with("nano-supervisor "));
    let commands: Vec<Vec<String>> = lines
        .map(|line| line.split(" #").next().unwrap().split_whitespace().skip(1).map(str::to_owned).collect())
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    commands
}

/// Creates a folder for the commands of the pages, with an app in each of the given folders.
fn folder(apps: &[&str], config: Option<&String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for app in apps {
        fs::create_dir_all(folder.path().join(app)).unwrap();
        fs::write(folder.path().join(app).join("index.js"), APP).unwrap();
    }
    if let Some(config) = config {
        let secrets = folder.path().join("secrets");
        fs::create_dir(&secrets).unwrap();
        fs::write(
            folder.path().join("nano.toml"),
            config.replace("/run/secrets/shop", secrets.to_str().unwrap()),
        )
        .unwrap();
    }
    folder
}

/// Starts one command in this folder and collects its output.
fn start(folder: &Path, arguments: &[String]) -> (Child, Log) {
    let mut command = executable();
    command.args(arguments.iter().filter(|word| *word != "&")).current_dir(folder);
    command.env("XDG_RUNTIME_DIR", folder).env("XDG_STATE_HOME", folder.join("states"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = Log::default();
    log.collect(child.stdout.take().unwrap());
    log.collect(child.stderr.take().unwrap());
    (child, log)
}

/// Runs commands. A server that ends with `&` runs until the others are done, any other until its app is ready.
async fn run(folder: &Path, commands: &[Vec<String>], ready: usize) {
    let mut served: Option<(Child, Log)> = None;
    for command in commands {
        let (mut child, log) = start(folder, command);
        let is_server = ["serve", "dev"].contains(&&*command[0]);
        if is_server {
            let wanted = if command[0] == "dev" || !command.contains(&"&".to_owned()) { 1 } else { ready };
            let has_begun = async || {
                let lines = log.lines();
                let begun =
                    lines.iter().filter(|line| line.contains("worker ready") || line.starts_with("http://"));
                (begun.count() >= wanted).then_some(())
            };
            until(&format!("{command:?} serves: {:?}", log.lines()), has_begun).await;
        }
        if command.last().is_some_and(|word| word == "&") {
            served = Some((child, log));
            continue;
        }
        if is_server {
            process::signal(child.id(), Signal::SIGTERM);
        }
        let code = until(&format!("{command:?} has ended"), async || child.try_wait().unwrap()).await;
        assert_eq!(code.code(), Some(0), "{command:?}: {:#?}", log.lines());
    }
    if let Some((mut server, log)) = served {
        process::signal(server.id(), Signal::SIGTERM);
        assert_eq!(server.wait().unwrap().code(), Some(0), "{:#?}", log.lines());
    }
}

#[tokio::test]
async fn fifty_apps() {
    let page = page("host-fifty-apps");
    let here = folder(
        &["apps/blog", "apps/shop", "apps/www.example.org", "apps/default"],
        blocks(&page, "toml").first(),
    );
    run(here.path(), &commands(&page), 4).await;
}

#[tokio::test]
async fn a_crash_loop() {
    let commands = commands(&page("crash-loops"));
    let here = folder(&["blog"], None);
    // The app was deployed twice.
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut all =
        vec![words("serve --app other=blog:0 --state-dir state &"), words("deploy blog blog --port 0")];
    run_with_second_deploy(here.path(), &mut all, &commands).await;
}

async fn run_with_second_deploy(here: &Path, before: &mut Vec<Vec<String>>, commands: &[Vec<String>]) {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let second: PathBuf = here.join("second");
    fs::create_dir(&second).unwrap();
    fs::write(second.join("index.js"), format!("{APP} // second")).unwrap();
    before.push(words("deploy blog second"));
    run(here, &[before, commands].concat(), 1).await;
}

#[tokio::test]
async fn from_pm2() {
    let page = page("from-pm2");
    let here = folder(&["blog"], blocks(&page, "toml").first());
    fs::write(here.path().join("blog/index.js"), &blocks(&page, "js")[0]).unwrap();
    run(here.path(), &commands(&page), 1).await;
}

#[tokio::test]
async fn from_cloudflare_workers() {
    let page = page("from-cloudflare-workers");
    let here = folder(&["my-worker"], blocks(&page, "toml").first());
    run(here.path(), &commands(&page), 1).await;
}

#[test]
fn every_command_that_is_named_in_a_table_is_there() {
    let (_, help, _) = crate::harness::run(Path::new("/"), &["--help"]);
    for name in ["from-pm2", "from-cloudflare-workers"] {
        let text = page(name);
        for row in text.lines().filter(|line| line.starts_with("| `pm2") || line.starts_with("| `wrangler "))
        {
            let ours = row.split('|').nth(2).unwrap();
            let Some(command) = ours.split('`').nth(1).and_then(|text| text.split(' ').next()) else {
                continue;
            };
            let is_field = command.contains('_');
            assert!(is_field || help.contains(&format!("\n  {command} ")), "{command} in {row}");
        }
    }
}
