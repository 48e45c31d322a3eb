//! `require()` in ES modules. Bundlers, such as the one of wrangler, put in what it names, so builds for Workers may leave it as it is.

use deno_ast::swc::ast::{CallExpr, Callee, Expr, Lit};
use deno_ast::swc::common::SyntaxContext;
use deno_ast::swc::ecma_visit::{Visit, VisitWith as _};
use deno_core::ModuleSpecifier;

use super::translate;

/// Declares `require` in the scope of a module. It stands behind the last line, so that no other one moves; a function and an import
/// are there from the start.
const DECLARATION: &str = "\nimport { createRequire as createRequire$ } from \"node:module\"; \
    function require(name) { return (require.$ ??= createRequire$(import.meta.url))(name); }";

/// Returns whether a module may need [`declared`], so that it is worth to be parsed.
pub(super) fn may_be_in(text: &str) -> bool {
    text.contains("require(")
}

/// Returns whether a module calls `require("...")` without having declared it.
pub(super) fn are_in(url: &ModuleSpecifier, text: &str) -> bool {
    let Some(parsed) = translate::parsed_with_scopes(url, text) else { return false };
    let mut calls = RequireCalls { unresolved: parsed.unresolved_context(), found: false };
    parsed.program_ref().visit_with(&mut calls);
    calls.found
}

/// Adds the declaration of `require` to a module.
pub(super) fn declared(mut text: String) -> String {
    text.push_str(DECLARATION);
    text
}

struct RequireCalls {
    unresolved: SyntaxContext,
    found: bool,
}

impl Visit for RequireCalls {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Expr(callee) = &call.callee
            && let Expr::Ident(name) = &**callee
            && name.sym == *"require"
            && name.ctxt == self.unresolved
            && let [argument] = &call.args[..]
            && matches!(&*argument.expr, Expr::Lit(Lit::Str(_)))
        {
            self.found = true;
        }
        if !self.found {
            call.visit_children_with(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_of_what_is_not_declared_count() {
        let found = |text: &str| {
            let url = ModuleSpecifier::parse("file:///app/a.mjs").unwrap();
            may_be_in(text) && are_in(&url, text)
        };
        for text in [
            "import a from 'a'; var b = require('b');",
            "export const a = () => { try { return f(require(\"node:fs\")); } catch {} };",
            "import a from 'a'; function f(require) { require('x'); } f(() => {}); require('y');",
        ] {
            assert!(found(text), "{text}");
        }
        for text in [
            "export const a = typeof require === 'function' ? require : undefined;",
            "import { createRequire } from 'module'; const require = createRequire(import.meta.url); require('x');",
            "import require from 'x'; export default () => require('y');",
            "if (a) { var require = b; } export default require('x');",
            "export default (function (require) { return require('x'); });",
            "export default require(name);",
            "export default a.require('x');",
            "export default \"require('x')\"; // require('x')",
            "export default require('x'",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
