//! The built-in modules, which every app may import besides the modules of its folder.

use nano_runtime::{ABOUT_A_HOST, NODE_MODULES, ONLY_PREFIXED};

/// The modules that Cloudflare Workers add.
const CLOUDFLARE: [&str; 7] = [
    "cloudflare:workers",
    "cloudflare:sockets",
    "cloudflare:durable-objects",
    "cloudflare:email",
    "cloudflare:node",
    "cloudflare:pipelines",
    "cloudflare:workflows",
];

/// The module that an app has which is a Workers Site: the keys of its files by their paths, as JSON text.
pub(crate) const SITE_MANIFEST: &str = "__STATIC_CONTENT_MANIFEST";

/// Returns the name by which a built-in module is loaded, if `specifier` names one. Modules of Node.js have a name with the
/// prefix `node:`, and most have one without. The extensions define their contents (`synthetic_esm`).
pub(crate) fn canonical(specifier: &str) -> Option<&'static str> {
    if specifier.starts_with("cloudflare:") {
        return CLOUDFLARE.into_iter().find(|name| *name == specifier);
    }
    let plain = specifier.strip_prefix("node:");
    let name = plain.unwrap_or(specifier);
    NODE_MODULES.iter().map(|(module, _)| *module).find(|module| {
        module.strip_prefix("node:") == Some(name) && (plain.is_some() || !ONLY_PREFIXED.contains(module))
    })
}

/// Returns whether a module, by its [`canonical`] name, is one of Node.js that needs a host for most of what it does.
pub(crate) fn is_about_a_host(canonical: &str) -> bool {
    let name = canonical.strip_prefix("node:").and_then(|name| name.split('/').next());
    name.is_some_and(|name| ABOUT_A_HOST.contains(&name))
}

/// What comes before the [`canonical`] name of a built-in in its URL.
const SCHEME: &str = "nano:";

/// Returns the URL of a built-in, by its [`canonical`] name. No app can import it.
pub(crate) fn url(canonical: &str) -> String {
    format!("{SCHEME}{canonical}")
}

/// Returns the [`canonical`] name of the built-in that has a URL.
pub(crate) fn named_by(url: &str) -> Option<&'static str> {
    url.strip_prefix(SCHEME).and_then(canonical)
}

/// Returns the source text of a built-in by its URL. It is empty, because deno_core makes the module from what a script of an
/// extension returns.
pub(crate) fn source(url: &str) -> Option<&'static str> {
    named_by(url).map(|_| "")
}

/// Code that is put before the first line of modules that use `import.meta.env`. It sets that to the app's variables.
const ENV_PRELUDE: &str =
    "import { env as importMetaEnv$ } from \"node:process\"; import.meta.env = importMetaEnv$; ";

/// Adds [`ENV_PRELUDE`] to the source of a module that uses `import.meta.env`.
pub(crate) fn with_env(mut source: String) -> String {
    if source.contains("import.meta.env") {
        let first_line =
            if source.starts_with("#!") { source.find('\n').map_or(source.len(), |end| end + 1) } else { 0 };
        source.insert_str(first_line, ENV_PRELUDE);
    }
    source
}
