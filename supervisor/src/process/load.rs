//! Builds the load message for a new worker: the app, its env and props, limits, network rules, and cache folder.

use std::path::Path;
use std::time::Duration;

use nano_protocol::message::{BindingKind, Load, Version, WorkerLimits};
use sha2::{Digest as _, Sha256};

use crate::config::{AppSpec, BindingTarget, Environment, make_private_folder};
use crate::telemetry::log;

pub(super) fn message(spec: &AppSpec, env: Environment) -> Load {
    Load {
        app: spec.name.to_string(),
        limits: WorkerLimits {
            watchdog_ms: millis(spec.limits.watchdog),
            cpu_ms: millis(spec.limits.cpu_time),
            wait_until_ms: millis(spec.limits.wait_until_timeout),
            max_outbound: spec.limits.max_outbound,
            max_blocking: spec.limits.max_blocking,
            max_tmp: spec.limits.max_tmp,
            max_socket_message: spec.limits.max_websocket_message,
            max_socket_bytes: spec.limits.max_websocket_buffered,
            fatal_uncaught: spec.settings.exit_on_unhandled_rejection,
        },
        root: spec.root.to_string_lossy().into_owned(),
        entry: spec.entry.to_string_lossy().into_owned(),
        modules: spec.modules.clone(),
        missing: spec.missing.iter().map(|binding| (binding.name.clone(), binding.why.clone())).collect(),
        env: env.into_pairs(),
        blobs: spec.blobs.clone(),
        site_manifest: spec.bucket.as_ref().map(|bucket| bucket.manifest().to_owned()),
        bindings: spec.bindings.iter().map(|binding| (binding.name.clone(), kind(&binding.target))).collect(),
        props: spec.props.to_string(),
        net: spec.settings.net(),
        closed: Vec::new(),
        emit_cache: spec.emit_cache.as_deref().and_then(cache),
        has_colours: log::has_colours(),
        development: spec.settings.development,
    }
}

fn kind(target: &BindingTarget) -> BindingKind {
    match target {
        BindingTarget::Assets | BindingTarget::App(_) => BindingKind::Fetcher,
        BindingTarget::Bucket => BindingKind::Bucket,
        BindingTarget::RateLimit(_) => BindingKind::RateLimit,
        BindingTarget::Dataset(name) => BindingKind::Dataset(name.clone()),
        BindingTarget::Secret => BindingKind::Secret,
        BindingTarget::Version => BindingKind::Version(Version::default()),
        BindingTarget::Hyperdrive => BindingKind::Hyperdrive,
    }
}

/// Adds the version of the app as it is in its folder: that of its entry module, which every build writes. Not part of
/// [`message`], as a worker need not be replaced for it alone.
pub(super) fn add_version(message: &mut Load) {
    let versions = message.bindings.iter_mut().filter_map(|(_, kind)| match kind {
        BindingKind::Version(version) => Some(version),
        _ => None,
    });
    for version in versions {
        let entry = Path::new(&message.root).join(&message.entry);
        // If it cannot be read, loading it says so.
        let Ok(written) = entry.metadata().and_then(|entry| entry.modified()) else { continue };
        let time = humantime::format_rfc3339_millis(written).to_string();
        let nanoseconds = humantime::format_rfc3339_nanos(written).to_string();
        let digest =
            Sha256::new().chain_update(entry.as_os_str().as_encoded_bytes()).chain_update(nanoseconds);
        *version = Version { id: uuid(digest.finalize().into()), timestamp: time };
    }
}

/// Returns a UUID from a digest.
fn uuid(digest: [u8; 32]) -> String {
    let bytes = digest.first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the cache folder, and creates it if needed. Returns `None` if that fails; an app runs without a cache, too.
fn cache(path: &Path) -> Option<String> {
    make_private_folder(path).ok()?;
    path.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use nano_protocol::message::{ModuleKind, ModuleOptions, ModuleRule, NetHost, NetRule, NetRules};

    use super::*;
    use crate::config::Sources;

    #[test]
    fn everything_of_the_configuration_arrives() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/public")).unwrap();
        fs::write(root.join("a/index.ts"), "").unwrap();
        fs::write(root.join("a/.env"), "FILE=1").unwrap();
        fs::write(root.join("a/wrangler.toml"), "main = 'index.ts'\nalias = { a = './b.js' }\ndefine = { C = '1' }\n[[kv_namespaces]]\nbinding = 'KV'\n[assets]\ndirectory = 'public'\nbinding = 'ASSETS'\n[[rules]]\ntype = 'Text'\n\
             globs = ['**/*.md']").unwrap();
        fs::write(
            root.join("nano.toml"),
            "[server]\ncache_dir = 'cache'\n[defaults]\ndeny_net = ['*.internal']\n[apps.a]\npath = 'a'\nport = 1\n\
             env = { B = 2 }\nprops = { tier = 'gold' }\ncpu_time = '2s'\nwait_until_timeout = '3s'\nmax_outbound = 4\nmax_blocking = 6\nmax_tmp = '7B'\nmax_websocket_message = '1MiB'\nmax_websocket_buffered = '2MiB'\ndevelopment = true\nallow_net = ['example.com:443']",
        )
        .unwrap();
        let sources = Sources { config: Some(root.join("nano.toml")), ..Sources::default() };
        let config = sources.load().unwrap();
        let env = config.apps[0].env.load().unwrap();
        let allow = NetRule { host: NetHost::Name("example.com".into()), port: Some(443) };
        let deny = NetRule { host: NetHost::Below("internal".into()), port: None };
        assert_eq!(
            message(&config.apps[0], env.clone()),
            Load {
                app: "a".into(),
                limits: WorkerLimits {
                    watchdog_ms: 5000,
                    cpu_ms: 2000,
                    wait_until_ms: 3000,
                    max_outbound: 4,
                    max_blocking: 6,
                    max_tmp: 7,
                    max_socket_message: 1 << 20,
                    max_socket_bytes: 2 << 20,
                    fatal_uncaught: false,
                },
                root: root.join("a").display().to_string(),
                entry: "index.ts".into(),
                modules: ModuleOptions {
                    rules: vec![ModuleRule { glob: "**/*.md".into(), kind: ModuleKind::Text }],
                    alias: vec![("a".into(), "./b.js".into())],
                    file: "wrangler.toml".into(),
                    define: vec![("C".into(), "1".into())],
                },
                missing: vec![("KV".into(), config.apps[0].missing[0].why.clone())],
                env: vec![("B".into(), "2".into()), ("FILE".into(), "\"1\"".into())],
                blobs: Vec::new(),
                site_manifest: None,
                bindings: vec![("ASSETS".into(), BindingKind::Fetcher)],
                props: "{\"tier\":\"gold\"}".into(),
                net: NetRules { allow: Some(vec![allow]), deny: vec![deny] },
                closed: Vec::new(),
                emit_cache: Some(root.join("cache/a").display().to_string()),
                has_colours: false,
                development: true,
            }
        );
        let mode = fs::metadata(root.join("cache/a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        // If the folder cannot be created, the app has no cache.
        fs::remove_dir_all(root.join("cache")).unwrap();
        fs::write(root.join("cache"), "").unwrap();
        assert_eq!(message(&config.apps[0], env).emit_cache, None);
    }
}
