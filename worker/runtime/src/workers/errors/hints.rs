//! Hints for errors that many developers encounter.

/// Names that an app may expect to be defined, and what to do instead.
const NOT_DEFINED: [(&[&str], &str); 8] = [
    (
        &["require", "module", "exports"],
        "this file is an ES module: use `import` and `export`, or name it .cjs",
    ),
    (
        &["__filename", "__dirname"],
        "an ES module has `import.meta.filename` and `import.meta.dirname` instead",
    ),
    (
        &["process"],
        "what is configured for an app arrives in `env`, the second argument of its fetch handler",
    ),
    (&["Buffer"], "import it: `import { Buffer } from \"node:buffer\"`"),
    (
        &["window", "document", "localStorage", "sessionStorage", "XMLHttpRequest", "HTMLElement", "alert"],
        "a worker has no page: this code, or the package it is from, is made for browsers",
    ),
    (&["global"], "use `globalThis`"),
    (&["Deno", "Bun"], "a worker has web APIs only, and `export default { fetch }` instead of a server"),
    (
        &["React"],
        "set \"jsx\": \"react-jsx\" under \"compilerOptions\" in tsconfig.json, or import React in this file",
    ),
];

/// Hints by the beginning of the message.
const BEGINNINGS: [(&str, &str); 4] = [
    ("SyntaxError: Cannot use import statement outside a module", ES_MODULE),
    ("SyntaxError: Cannot use 'import.meta' outside a module", ES_MODULE),
    ("SyntaxError: Unexpected token 'export'", ES_MODULE),
    (
        "SyntaxError: Unexpected token '<', \"<",
        "the text is HTML, not JSON: look at the URL and the status it came with",
    ),
];

const ES_MODULE: &str =
    "the file is taken for CommonJS: name it .mjs, or set \"type\": \"module\" in its package.json";

/// Returns a hint for an error in this file. `message` begins with the error's name.
pub(crate) fn hint(message: &str, file: &str) -> Option<&'static str> {
    let missing =
        message.strip_prefix("ReferenceError: ").and_then(|rest| rest.strip_suffix(" is not defined"));
    if let Some(name) = missing {
        return NOT_DEFINED.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint);
    }
    if message == "SyntaxError: Unexpected token '<'" {
        return Some("JSX is understood in .jsx and .tsx files");
    }
    let is_typed = [".ts", ".tsx", ".mts"].iter().any(|extension| file.ends_with(extension));
    if is_typed
        && message.starts_with("SyntaxError: ")
        && message.contains("does not provide an export named")
    {
        return Some("if it is a type, say so: `import { type Name }`, `export { type Name }`");
    }
    BEGINNINGS.iter().find(|(beginning, _)| message.starts_with(beginning)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_fit_the_message() {
        for (message, part) in [
            ("ReferenceError: __dirname is not defined", "import.meta.dirname"),
            ("ReferenceError: document is not defined", "no page"),
            ("SyntaxError: Unexpected token '<'", ".jsx"),
            ("SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "HTML"),
            ("SyntaxError: Unexpected token 'export'", ".mjs"),
        ] {
            assert!(hint(message, "a.js").unwrap().contains(part), "{message}");
        }
        let unknown = "SyntaxError: The requested module './a' does not provide an export named 'T'";
        assert_eq!(hint(unknown, "a.js"), None);
        assert!(hint(unknown, "a.ts").unwrap().contains("import { type Name }"));
        for message in ["ReferenceError: thing is not defined", "Error: require is not defined", ""] {
            assert_eq!(hint(message, "a.ts"), None, "{message}");
        }
    }
}
