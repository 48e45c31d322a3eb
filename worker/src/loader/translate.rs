//! Translates TypeScript and JSX to JavaScript, and parses JavaScript to find out its format and its exports.

use deno_ast::{
    EmitOptions, FoldProgramError, MediaType, ModuleKind, ParseDiagnostic, ParseDiagnosticsError,
    ParseParams, ParsedSource, SourceMapOption, TranspileError, TranspileModuleOptions, TranspileOptions,
};
use deno_core::ModuleSpecifier;
use serde::{Deserialize, Serialize};

use super::format::{self, Format};

/// Part of the key of everything that is cached, because the output may change with these versions.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " deno_ast ");

/// A translated module.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Translated {
    pub(super) format: Format,
    pub(super) code: String,
    /// Maps positions in `code` to positions in the source.
    pub(super) source_map: String,
}

/// The exports of a CommonJS module, as far as its text shows them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Exports {
    pub(super) names: Vec<String>,
    /// Specifiers of modules whose exports it exports again.
    pub(super) from: Vec<String>,
}

/// The syntax error of a source text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) message: String,
    /// Line and column, from 1, if they are known.
    pub(super) place: Option<(i64, i64)>,
}

/// Translates a file. If its format is not `known` from its name and package, its text decides.
///
/// # Errors
/// If the text has a syntax error.
pub(super) fn translate(
    url: &ModuleSpecifier,
    text: &str,
    known: Option<Format>,
    options: &TranspileOptions,
) -> Result<Translated, Mistake> {
    let parsed = parse(url, text, MediaType::from_specifier(url)).map_err(|error| mistake(&error))?;
    let is_commonjs = || parsed.compute_is_script() && format::has_commonjs_words(text);
    let format = known.unwrap_or_else(|| if is_commonjs() { Format::CommonJs } else { Format::Module });
    let kind =
        TranspileModuleOptions { module_kind: Some(ModuleKind::from_is_cjs(format == Format::CommonJs)) };
    let emit = EmitOptions {
        source_map: SourceMapOption::Separate,
        inline_sources: false,
        ..EmitOptions::default()
    };
    let emitted = parsed.transpile(options, &kind, &emit).map_err(refusal)?.into_source();
    Ok(Translated { format, code: emitted.text, source_map: emitted.source_map.unwrap_or_default() })
}

/// Returns the format of a JavaScript text; none if it does not parse.
pub(super) fn format_of(url: &ModuleSpecifier, text: &str) -> Option<Format> {
    let parsed = parse(url, text, MediaType::JavaScript).ok()?;
    Some(if parsed.compute_is_script() { Format::CommonJs } else { Format::Module })
}

/// Returns the exports of a CommonJS module.
pub(super) fn exports_of(url: &ModuleSpecifier, code: &str) -> Exports {
    // A syntax error is reported when the module runs.
    let Ok(parsed) = parse(url, code, MediaType::Cjs) else { return Exports::default() };
    let found = parsed.analyze_cjs();
    Exports { names: found.exports, from: found.reexports }
}

/// Returns the syntax tree of a text in the language of its file; none if it does not parse.
pub(super) fn parsed(url: &ModuleSpecifier, text: &str) -> Option<ParsedSource> {
    parse(url, text, MediaType::from_specifier(url)).ok()
}

/// Returns the syntax tree of an ES module in JavaScript, in which each name knows its scope; none if it does not parse.
pub(super) fn parsed_with_scopes(url: &ModuleSpecifier, text: &str) -> Option<ParsedSource> {
    Some(parse(url, text, MediaType::Mjs).ok()?.into_with_scope_analysis())
}

fn parse(url: &ModuleSpecifier, text: &str, media_type: MediaType) -> Result<ParsedSource, ParseDiagnostic> {
    deno_ast::parse_program(ParseParams {
        specifier: url.clone(),
        text: text.into(),
        media_type,
        capture_tokens: false,
        maybe_syntax: None,
        scope_analysis: false,
    })
}

fn mistake(error: &ParseDiagnostic) -> Mistake {
    let position = error.display_position();
    let number = |number| i64::try_from(number).unwrap_or(1);
    Mistake {
        message: error.kind().msg().into_owned(),
        place: Some((number(position.line_number), number(position.column_number))),
    }
}

fn refusal(error: TranspileError) -> Mistake {
    match error {
        TranspileError::ParseErrors(ParseDiagnosticsError(errors))
        | TranspileError::FoldProgram(FoldProgramError::ParseDiagnostics(ParseDiagnosticsError(errors)))
            if !errors.is_empty() =>
        {
            mistake(&errors[0])
        }
        other => Mistake { message: other.to_string(), place: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(name: &str) -> ModuleSpecifier {
        ModuleSpecifier::parse(&format!("file:///app/{name}")).unwrap()
    }

    fn code(name: &str, text: &str) -> String {
        translate(&url(name), text, None, &TranspileOptions::default()).unwrap().code
    }

    #[test]
    fn types_go_and_what_typescript_adds_stays() {
        assert_eq!(code("a.ts", "const a: number = <any>1;\nexport { a };"), "const a = 1;\nexport { a };\n");
        assert!(code("a.ts", "export enum A { B = 2 }").contains("\"B\""));
        assert!(code("a.ts", "export class A { constructor(private b: number) {} }").contains("this.b"));
        assert_eq!(
            code("a.ts", "import { T } from './t';\nexport const a: T = 1;").trim(),
            "export const a = 1;"
        );
    }

    #[test]
    fn formats_are_told_by_the_text_where_nothing_else_tells() {
        let format =
            |name, text| translate(&url(name), text, None, &TranspileOptions::default()).unwrap().format;
        assert_eq!(format("a.ts", "exports.a = 1 as number;"), Format::CommonJs);
        assert_eq!(format("a.ts", "import a = require('a'); export = a;"), Format::CommonJs);
        assert_eq!(format("a.ts", "addEventListener('fetch', () => {});"), Format::Module);
        assert_eq!(format_of(&url("a.js"), "var exports; export default 1"), Some(Format::Module));
        assert_eq!(format_of(&url("a.js"), "exports.a = import.meta.url"), Some(Format::Module));
        assert_eq!(format_of(&url("a.js"), "exports.a = await 1"), Some(Format::Module));
        assert_eq!(
            format_of(&url("a.js"), "exports.a = async () => await 1; return;"),
            Some(Format::CommonJs)
        );
        assert_eq!(format_of(&url("a.js"), "exports. = 1"), None);
    }

    #[test]
    fn exports_of_commonjs_are_read_off() {
        let text = "exports.a = 1; Object.defineProperty(exports, 'b', { enumerable: true, value: 2 });
            __exportStar(require('./c'), exports);";
        let found = exports_of(&url("a.cjs"), text);
        assert_eq!((found.names, found.from), (vec!["a".into(), "b".into()], vec!["./c".to_owned()]));
        assert_eq!(exports_of(&url("a.cjs"), "module.exports = require('d')").from, ["d"]);
        assert!(exports_of(&url("a.cjs"), "exports. = 1").names.is_empty());
    }

    #[test]
    fn mistakes_have_a_place() {
        let error =
            translate(&url("a.ts"), "const a = 1;\nconst b: = 2;", None, &TranspileOptions::default());
        assert_eq!(error.unwrap_err().place, Some((2, 10)));
    }
}
