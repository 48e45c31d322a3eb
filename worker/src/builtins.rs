//! Modules that every app may import besides those of its folder.

/// The name by which a built-in module is loaded, if `specifier` is one.
pub(crate) fn canonical(specifier: &str) -> Option<&'static str> {
    (specifier == "cloudflare:workers").then_some("cloudflare:workers")
}

/// The ES module text of a built-in, by its [`canonical`] name.
pub(crate) fn source(canonical: &str) -> Option<&'static str> {
    match canonical {
        // Through which Workers apps get their base class.
        "cloudflare:workers" => Some(
            "export class WorkerEntrypoint { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }\n",
        ),
        _ => None,
    }
}
