//! The settings of an app except its limits: those that `[defaults]` may contain as well, and those of its own section only.

use std::path::PathBuf;

use nano_protocol::message::{NetRule, NetRules};
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use super::assets::{AssetSettings, assets};
use super::restart::{RecyclePolicy, RestartPolicy, recycle, restart};
use super::services::services;
use crate::config::bounds;
use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::env::environment::Secrets;
use crate::config::env::values::{self, Values};
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::setting::json::text;
use crate::config::setting::kinds::{self, choice, list, parsed, path, switch, whole, words};
use crate::config::setting::{Setting, settings};
use crate::config::types::binding::Binding;
use crate::config::types::cron::Cron;
use crate::config::types::host_pattern::HostPattern;
use crate::config::types::listen::Host;
use crate::config::types::log::LogLevel;
use crate::config::types::net;

settings! {
    /// What else of an app has defaults.
    pub(crate) struct AppSettings {
        /// Whether an uncaught error outside of a request ends the worker.
        exit_on_unhandled_rejection: bool = false, switch();

        /// The only destinations of outbound connections. Each is `"example.com"`, `"*.example.com"` for all names below
        /// it, an address, a network such as `"10.0.0.0/8"`, or `"*"`, with or without a port (`"example.com:443"`,
        /// `"[::1]:8080"`); `[]` allows none. An app's list replaces that of `[defaults]`.
        allow_net: Option<Vec<NetRule>> = None, net::setting().optional()
            .by_default("every destination but link-local addresses, where clouds keep their metadata");

        /// Destinations that are refused, whatever `allow_net` says. An app's list replaces that of `[defaults]`.
        deny_net: Vec<NetRule> = Vec::new(), net::setting();

        /// Whether clients are shown the app's errors, see [answers.md](answers.md), and `process.env.NODE_ENV` is
        /// `development` instead of `production`. `--development` (or `--dev`) does so for every app.
        development: bool = false, switch();

        /// Path that a new worker must answer with 2xx, within `start_timeout`, before it gets requests. `false` for none.
        health_path: Option<String> = None, health_path().or_false();

        /// Whether messages over WebSockets are compressed where the client offers it (`permessage-deflate`). Those of the app are
        /// if they have 1 KiB or more.
        websocket_compression: bool = true, switch();

        /// Least important level of the app's console that is logged, whatever `log_level` of `[server]` says.
        log_level: Option<LogLevel> = None, choice().optional().by_default("the server's");

        /// When a worker that has ended is started again, [see below](#restart).
        restart: RestartPolicy = RestartPolicy::default(), restart().by_default("see below");

        /// When a worker is replaced although nothing is wrong with it, [see below](#recycle).
        recycle: RecyclePolicy = RecyclePolicy::default(), recycle().by_default("see below");

        /// Whether requests that end workers again and again are refused, by method and path, with 503 `quarantined`. See
        /// [operate.md](operate.md#crashes).
        quarantine: bool = false, switch();
    }
}

settings! {
    /// What only an app's own section says.
    pub(crate) struct OwnSettings {
        /// The app's folder.
        path: Option<PathBuf> = None, path().optional().required("\"./blog\"");

        /// TCP port. With 0 the kernel picks one, which `status` shows.
        port: Option<u16> = None, whole(0..=u16::MAX).optional().required("8080");

        /// Address to listen on, such as `"127.0.0.1"` or `"::1"`.
        host: Option<Host> = None, parsed(|Host(host)| host.to_string()).optional().by_default("all addresses");

        /// Host names by which apps share a port. Each is `"blog.example"`, or `"*.blog.example"` for all names below it.
        /// An exact name outranks a wildcard, and a longer wildcard a shorter one; an app without `hosts` gets the rest.
        hosts: Vec<(HostPattern, Place)> = Vec::new(), list(text(), value::parsed).by_default("all hosts");

        /// Entry module, relative to the folder. See [README.md](../README.md#an-app-in-ten-lines) for where it is looked
        /// for.
        entry: Option<String> = None, words().optional().by_default("found");

        /// Environment of the wrangler file: `"staging"` for `[env.staging]`, `""` for the top level. `--env` chooses one for
        /// every app that does not.
        environment: Option<String> = None, words().optional().by_default("the top level");

        /// When the app's `scheduled` handler runs, in UTC, such as `"*/5 * * * *"`, see [events.md](events.md). A list here
        /// replaces that of a wrangler file.
        crons: Option<Vec<(Cron, Place)>> = None, list(text(), value::parsed).optional()
            .by_default("`triggers.crons` of the wrangler file");

        /// What the handler gets as `env`: any TOML value, as JSON. See [below](#variables-and-secrets) for its other sources.
        env: Values = Values::default(), env().by_default("empty");

        /// Further files of variables. Later ones outrank earlier ones.
        env_files: Vec<(PathBuf, Place)> = Vec::new(), paths().by_default("empty");

        /// Variables and the files that hold them, `{ NAME = "path" }`. One line end at the end of a file is left out.
        secrets: Secrets = Secrets::default(), secrets().by_default("empty");

        /// A folder in which every file holds the variable of its name. Hidden files and folders are passed over.
        secrets_dir: Option<(PathBuf, Place)> = None, path().placed().by_default("none");

        /// What the handler gets as `ctx.props`: any TOML value, as JSON.
        props: Json = json!({}), props();

        /// Static files, which are served without the app's JavaScript, [see below](#assets). It replaces what the app's
        /// wrangler file says.
        assets: Option<(AssetSettings, Place)> = None, assets().placed().by_default("none");

        /// Other apps that the worker fetches from and calls, by names in `env`, such as `{ API = "shop-api" }` or
        /// `{ ADMIN = { app = "shop-api", entrypoint = "Admin", props = { role = "x" } } }`, see [services.md](services.md).
        /// They replace those of a wrangler file; `{}` is for none.
        services: Option<Vec<Binding>> = None, services().optional().by_default("`services` of the wrangler file");
    }
}

impl AppSettings {
    /// Returns the rules for the app's outbound connections.
    pub(crate) fn net(&self) -> NetRules {
        NetRules { allow: self.allow_net.clone(), deny: self.deny_net.clone() }
    }
}

/// The path and query of a health check.
fn health_path() -> Setting<String> {
    let convert = |found: &DeValue<'_>| {
        let path = value::text(found)?;
        let is_target = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_target || path.len() > bounds::HEALTH_PATH {
            return Err(Flaw::new(
                format!("{path:?} is no path"),
                "write it as in a URL, such as \"/health\"",
            ));
        }
        Ok(path.to_owned())
    };
    let schema = json!({ "type": "string", "pattern": "^/", "maxLength": bounds::HEALTH_PATH });
    kinds::value("path", schema, convert, |path| json!(path))
}

/// A table of variables and their values.
fn env() -> Setting<Values> {
    let read = |section: &Section<'_>, name: &str, _: Option<&Values>, problems: &mut Problems| {
        section.section(name, problems).map(|section| values::read(&section, problems))
    };
    Setting::new("table", json!({ "type": "object" }), read, |_| json!({}))
}

/// Any value that JSON can represent.
fn props() -> Setting<Json> {
    kinds::value("value", json!({}), values::props, Json::clone)
}

/// A list of paths, each with its place.
fn paths() -> Setting<Vec<(PathBuf, Place)>> {
    let read = |section: &Section<'_>, name: &str, _: Option<&_>, problems: &mut Problems| {
        let paths = section.list(name, value::text, problems)?;
        Some(paths.into_iter().map(|(path, place)| (section.folder().join(path), place)).collect())
    };
    Setting::new("list", json!({ "type": "array", "items": text() }), read, |_| json!([]))
}

/// A table of variables and the paths of the files that contain their values.
fn secrets() -> Setting<Secrets> {
    // The value is not shown in the message: it may be the secret itself.
    let path = |found: &DeValue<'_>| match found.as_str() {
        Some(path) => Ok(PathBuf::from(path)),
        None => Err(Flaw::new("is not the path of a file", "write the path, in quotes")),
    };
    let read = move |section: &Section<'_>, name: &str, _: Option<&Secrets>, problems: &mut Problems| {
        let section = section.section(name, problems)?;
        let secret = |name: &str| {
            let path = section.folder().join(section.read(name, path, problems)?);
            Some((name.to_owned(), path, section.place(name)))
        };
        Some(section.names().into_iter().filter_map(secret).collect())
    };
    let schema = json!({ "type": "object", "additionalProperties": text() });
    Setting::new("table", schema, read, |_| json!({}))
}
