//! Imports that only a bundler can resolve, such as those of `virtual:` modules: an app that has them must be built first.

use std::path::Path;

use deno_ast::swc::ast::{CallExpr, Callee, Expr, Lit};
use deno_ast::swc::ecma_visit::{Visit, VisitWith as _};
use deno_core::ModuleSpecifier;

use super::translate;

/// How the names of modules begin that plugins of bundlers make: those of Vite by convention, of Astro and of SvelteKit.
const VIRTUAL: [&str; 5] = ["virtual:", "astro:", "$app/", "$env/", "$service-worker"];

/// Extensions of files that a plugin of a bundler compiles to modules.
const COMPILED: [&str; 8] = ["astro", "less", "marko", "mdx", "sass", "scss", "svelte", "vue"];

/// Longest distance from `import(` to the name of the module, in bytes. Comments for the bundler may stand between them.
const MAX_DISTANCE: usize = 160;

/// Returns whether a bundler makes the module of this name.
pub(super) fn makes(specifier: &str) -> bool {
    VIRTUAL.iter().any(|beginning| specifier.starts_with(beginning))
}

/// Returns whether a bundler compiles this file.
pub(super) fn compiles(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| COMPILED.contains(&extension))
}

/// Returns the names of the modules in `import("...")` that a bundler makes. They would fail only when a request comes to them.
pub(super) fn dynamic_imports(url: &ModuleSpecifier, text: &str) -> Vec<String> {
    // Nearly no module has one, so nearly none is parsed for them.
    let is_near = |(at, _): (usize, &str)| {
        let near = &text[at..text.floor_char_boundary(at + MAX_DISTANCE)];
        VIRTUAL.iter().any(|beginning| near.contains(beginning))
    };
    if !text.match_indices("import(").any(is_near) {
        return Vec::new();
    }
    let mut found = DynamicImports::default();
    if let Some(program) = translate::parsed(url, text) {
        program.program_ref().visit_with(&mut found);
    }
    found.0.retain(|specifier| makes(specifier));
    found.0
}

/// The names of modules in `import("...")`.
#[derive(Default)]
struct DynamicImports(Vec<String>);

impl Visit for DynamicImports {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let (Callee::Import(_), Some(argument)) = (&call.callee, call.args.first())
            && let Expr::Lit(Lit::Str(text)) = &*argument.expr
            && let Some(specifier) = text.value.as_str()
        {
            self.0.push(specifier.to_owned());
        }
        call.visit_children_with(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_imported_counts() {
        let found = |file: &str, text: &str| {
            dynamic_imports(&ModuleSpecifier::parse(&format!("file:///app/{file}")).unwrap(), text)
        };
        assert_eq!(
            found(
                "a.ts",
                "const load = (): Promise<any> => import(/* @vite-ignore */ 'virtual:react-router/server-build');"
            ),
            ["virtual:react-router/server-build"]
        );
        assert_eq!(found("a.js", "export const a = () => f(import(\n\"astro:content\"))"), ["astro:content"]);
        for text in [
            "throw new Error('write import(\"virtual:x\")')",
            "// import('virtual:x')\n",
            "import('./virtual.js')",
            "import('x', 'virtual:x')",
            "import(`virtual:${x}`)",
            "import('virtual:x'",
        ] {
            assert_eq!(found("a.js", text), [""; 0], "{text}");
        }
    }
}
