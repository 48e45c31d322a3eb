//! Modules that every app may import besides those of its folder.

use nano_runtime::NODE_MODULES;

/// Through which Workers apps get their base class.
const CLOUDFLARE_WORKERS: &str = "cloudflare:workers";

/// The name by which a built-in module is loaded, if `specifier` is one. Modules of Node have one with `node:` before it, and
/// one without. The extensions say what is in them (`synthetic_esm`).
pub(crate) fn canonical(specifier: &str) -> Option<&'static str> {
    if specifier == CLOUDFLARE_WORKERS {
        return Some(CLOUDFLARE_WORKERS);
    }
    let name = specifier.strip_prefix("node:").unwrap_or(specifier);
    NODE_MODULES.iter().map(|(module, _)| *module).find(|module| module.strip_prefix("node:") == Some(name))
}

/// What stands for the text of a built-in, by its [`canonical`] name: nothing, because the engine makes it from what a script
/// of an extension returns.
pub(crate) fn source(canonical: &str) -> Option<&'static str> {
    (self::canonical(canonical) == Some(canonical)).then_some("")
}

/// Before the first line of a module that asks for the app's variables as `import.meta.env`.
const ENV_PRELUDE: &str =
    "import { env as importMetaEnv$ } from \"node:process\"; import.meta.env = importMetaEnv$; ";

/// The module with `import.meta.env`, if it asks for that.
pub(crate) fn with_env(mut source: String) -> String {
    if source.contains("import.meta.env") {
        let first_line =
            if source.starts_with("#!") { source.find('\n').map_or(source.len(), |end| end + 1) } else { 0 };
        source.insert_str(first_line, ENV_PRELUDE);
    }
    source
}
