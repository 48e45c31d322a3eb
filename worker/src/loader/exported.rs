//! Looks for exports of CommonJS in a text. Scripts that bundlers made of CommonJS modules have its words, too, but declare `module`
//! and `exports` themselves.

use deno_ast::swc::ast::{AssignExpr, AssignTarget, Expr, SimpleAssignTarget};
use deno_ast::swc::common::SyntaxContext;
use deno_ast::swc::ecma_visit::{Visit, VisitWith as _};
use deno_core::ModuleSpecifier;

use super::translate;

/// Returns whether a text assigns to `module.exports` or to a property of `exports` without having declared it.
pub(super) fn are_in(url: &ModuleSpecifier, text: &str) -> bool {
    let Some(parsed) = translate::parsed_with_scopes(url, text) else { return false };
    let mut exports = ExportSearch { unresolved: parsed.unresolved_context(), found: false };
    parsed.program_ref().visit_with(&mut exports);
    exports.found
}

struct ExportSearch {
    unresolved: SyntaxContext,
    found: bool,
}

impl Visit for ExportSearch {
    fn visit_assign_expr(&mut self, assignment: &AssignExpr) {
        if let AssignTarget::Simple(SimpleAssignTarget::Member(member)) = &assignment.left {
            let mut object = &member.obj;
            while let Expr::Member(inner) = &**object {
                object = &inner.obj;
            }
            if let Expr::Ident(name) = &**object
                && name.ctxt == self.unresolved
                && (name.sym == *"module" || name.sym == *"exports")
            {
                self.found = true;
            }
        }
        if !self.found {
            assignment.visit_children_with(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exports_that_are_not_declared_count() {
        let url = ModuleSpecifier::parse("file:///app/a.js").unwrap();
        for (text, expected) in [
            ("module.exports = { fetch() {} };", true),
            ("exports.default = { fetch() {} };", true),
            ("module.exports.fetch = () => {};", true),
            ("(function () { const module = { exports: {} }; module.exports = 1; })();", false),
            ("(function (module, exports) { exports.a = module.exports = 1; })({}, {});", false),
            ("addEventListener('fetch', () => {}); // module.exports = 1", false),
        ] {
            assert_eq!(are_in(&url, text), expected, "{text}");
        }
    }
}
