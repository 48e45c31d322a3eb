//! Lays the table of an environment, `[env.NAME]`, over the top level of a wrangler file, as wrangler does.

use std::collections::HashSet;

use serde_json::Value;

use super::fields::{Content, Field};
use super::found::WranglerFile;
use crate::config::errors::{Flaw, Place, Problems, listed};

/// Fields that an environment does not inherit from the top level: variables and bindings.
const NOT_INHERITED: &[&str] = &[
    "agent_memory",
    "ai",
    "ai_search",
    "ai_search_namespaces",
    "analytics",
    "analytics_engine_datasets",
    "artifacts",
    "browser",
    "cloudchamber",
    "connect",
    "containers",
    "d1_databases",
    "define",
    "dispatch_namespaces",
    "durable_objects",
    "flagship",
    "hyperdrive",
    "images",
    "k2",
    "kv_namespaces",
    "media",
    "mtls_certificates",
    "pipelines",
    "queues",
    "r2_buckets",
    "ratelimits",
    "secrets",
    "secrets_store_secrets",
    "send_email",
    "services",
    "stream",
    "streaming_tail_consumers",
    "tail_consumers",
    "unsafe",
    "unsafe_hello_world",
    "vars",
    "vectorize",
    "version_metadata",
    "vpc_networks",
    "vpc_services",
    "worker_loaders",
    "workflows",
];

/// Fields that only the top level may have. An environment neither inherits nor replaces them: they hold in every one.
const TOP_LEVEL: &[&str] =
    &["alias", "data_blobs", "pages_build_output_dir", "site", "text_blobs", "wasm_modules"];

/// Returns the fields that count in the chosen environment of the file; those of the top level if none is chosen.
pub(super) fn choose(
    fields: Vec<Field>,
    file: &WranglerFile,
    chosen: Option<(&str, &Place)>,
    notes: &mut Vec<String>,
    problems: &mut Problems,
) -> Vec<Field> {
    let Some((name, place)) = chosen else { return merge(fields, None).fields };
    if file.is_built {
        // The build has merged the environment already.
        let fix = format!("build it for this environment: CLOUDFLARE_ENV={name} npm run build");
        match target(&fields) {
            Some(target) if target == name => {}
            Some(target) => {
                let what =
                    format!("{name:?} is not the environment that {} was built for, {target:?}", file.shown);
                problems.add(place.clone(), Flaw::new(what, fix));
            }
            None => notes.push(format!(
                "was built without an environment, so that {name:?} has no effect; fix: {fix}"
            )),
        }
        return merge(fields, None).fields;
    }
    let known = names(&fields);
    if known.is_empty() {
        notes.push(format!("has no [env.{name}], so that its top level counts"));
        return fields;
    }
    if !known.iter().any(|known| known == name) {
        let what = format!("{} has no environment {name:?}", file.shown);
        let fix = format!("choose one that it has ({}), or add [env.{name}]", listed(&known));
        problems.add(place.clone(), Flaw::new(what, fix));
    }
    let Merged { fields, left_behind } = merge(fields, Some(name));
    if !left_behind.is_empty() {
        let left_behind = listed(&left_behind);
        notes.push(format!(
            "not in [env.{name}], which does not inherit them from the top level: {left_behind}"
        ));
    }
    fields
}

/// Returns the environment that a build was made for.
fn target(fields: &[Field]) -> Option<&str> {
    match &fields.iter().find(|field| field.name == "targetEnvironment")?.content {
        Content::Value(Ok(Value::String(target))) if !target.is_empty() => Some(target),
        _ => None,
    }
}

/// Returns the names of the environments.
fn names(fields: &[Field]) -> Vec<String> {
    let environments = fields.iter().filter(|field| field.name == "env");
    let tables = environments.filter_map(|field| match &field.content {
        Content::Table(fields) => Some(fields),
        Content::Value(_) => None,
    });
    tables.flatten().map(|environment| environment.name.clone()).collect()
}

/// The fields that count in an environment.
struct Merged {
    fields: Vec<Field>,
    /// The names of fields of the top level that the environment would need to have itself.
    left_behind: Vec<String>,
}

/// Lays the environment `name` over the top level.
fn merge(mut top: Vec<Field>, name: Option<&str>) -> Merged {
    let environments = top.iter().position(|field| field.name == "env").map(|at| top.remove(at).content);
    let own = name.and_then(|name| match environments {
        Some(Content::Table(fields)) => fields.into_iter().find(|field| field.name == name),
        Some(Content::Value(_)) | None => None,
    });
    let (Some(name), Some(Content::Table(mut own))) = (name, own.map(|field| field.content)) else {
        return Merged { fields: top, left_behind: Vec::new() };
    };
    own.retain(|field| !TOP_LEVEL.contains(&&*field.name));
    let names: HashSet<_> = own.iter().map(|field| &*field.name).collect();
    let mut left_behind = Vec::new();
    top.retain(|field| {
        let is_own = names.contains(&*field.name);
        let is_inherited = !NOT_INHERITED.contains(&&*field.name);
        if !is_inherited && !is_own && !field.content.is_empty() {
            left_behind.push(field.name.clone());
        }
        is_inherited && !is_own
    });
    for field in &mut top {
        if let ("name", Content::Value(Ok(Value::String(text)))) = (&*field.name, &mut field.content) {
            // Each environment is a worker of its own.
            text.push('-');
            text.push_str(name);
        }
    }
    top.extend(own);
    Merged { fields: top, left_behind }
}
