//! Compiler options for TypeScript and JSX, from tsconfig.json or deno.json in the app's folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deno_ast::{
    DecoratorsTranspileOption, JsxAutomaticOptions, JsxClassicOptions, JsxPrecompileOptions, JsxRuntime,
    TranspileOptions,
};
use oxc_resolver::{ResolveError, TsConfig};

use super::error::OptionsError;
use super::root::Root;

/// The files that may hold options. The first one that exists is the only one used.
const FILES: [&str; 3] = ["tsconfig.json", "deno.json", "deno.jsonc"];

/// Options for all files of an app.
#[derive(Debug, Default)]
pub(super) struct CompilerOptions {
    /// For the translation to JavaScript.
    pub(super) transpile: TranspileOptions,
    /// Which files names stand for.
    pub(super) paths: Paths,
}

/// `paths` and `baseUrl`: names of the app's own files.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Patterns, each with at most one `*`, and the paths that each stands for.
    patterns: Vec<(String, Vec<PathBuf>)>,
    /// The folder that every name may be relative to.
    base: Option<PathBuf>,
}

impl Paths {
    fn new(root: &Path, config: &TsConfig) -> Self {
        let options = &config.compiler_options;
        let base = options.base_url.as_ref().map(|base| root.join(base));
        let from = base.as_deref().unwrap_or(root);
        let patterns = options
            .paths
            .iter()
            .flatten()
            .map(|(name, paths)| (name.clone(), paths.iter().map(|path| from.join(path)).collect()));
        Self { patterns: patterns.collect(), base }
    }

    /// The paths that a specifier may stand for, in order. If several patterns match, the one with the longest prefix counts.
    pub(super) fn candidates(&self, specifier: &str) -> Vec<PathBuf> {
        let fitting = self.patterns.iter().filter_map(|(pattern, paths)| {
            let Some((before, after)) = pattern.split_once('*') else {
                return (pattern == specifier).then_some((usize::MAX, "", paths));
            };
            let middle = specifier.strip_prefix(before)?.strip_suffix(after)?;
            Some((before.len(), middle, paths))
        });
        let mut candidates = match fitting.max_by_key(|(length, ..)| *length) {
            Some((_, middle, paths)) => {
                let filled =
                    paths.iter().map(|path| PathBuf::from(path.display().to_string().replace('*', middle)));
                filled.collect()
            }
            None => Vec::new(),
        };
        candidates.extend(self.base.iter().map(|base| base.join(specifier)));
        candidates
    }
}

impl CompilerOptions {
    /// Reads the options; `load` follows `extends`.
    pub(super) fn read(
        root: &Root,
        load: impl Fn(&Path) -> Result<Arc<TsConfig>, ResolveError>,
    ) -> Result<Self, OptionsError> {
        let file = FILES.iter().map(|name| root.path().join(name)).find(|path| path.is_file());
        let Some(file) = file else {
            return Ok(Self { transpile: transpile(&TsConfig::default()), paths: Paths::default() });
        };
        let config = match load(&file) {
            Ok(config) => config,
            // An `extends` that is only installed for development must not keep the app from running.
            Err(_) => {
                let text = root.text(&file)?;
                let config = TsConfig::parse(true, &file, &file, text);
                Arc::new(config.map_err(|source| OptionsError::Invalid { file: root.shown(&file), source })?)
            }
        };
        Ok(Self { transpile: transpile(&config), paths: Paths::new(root.path(), &config) })
    }
}

fn transpile(config: &TsConfig) -> TranspileOptions {
    let options = &config.compiler_options;
    let decorators = if options.experimental_decorators == Some(true) {
        DecoratorsTranspileOption::LegacyTypeScript {
            emit_metadata: options.emit_decorator_metadata == Some(true),
        }
    } else {
        DecoratorsTranspileOption::Ecma
    };
    let automatic = JsxAutomaticOptions {
        development: false,
        import_source: Some(options.jsx_import_source.clone().unwrap_or_else(|| "react".to_owned())),
    };
    let jsx = match options.jsx.as_deref() {
        Some("precompile") => JsxRuntime::Precompile(JsxPrecompileOptions {
            automatic,
            skip_elements: None,
            dynamic_props: None,
        }),
        Some("react") => JsxRuntime::Classic(classic(config)),
        // `jsxFactory` implies the classic runtime.
        None if options.jsx_factory.is_some() => JsxRuntime::Classic(classic(config)),
        _ => JsxRuntime::Automatic(automatic),
    };
    TranspileOptions {
        decorators,
        verbatim_module_syntax: options.verbatim_module_syntax == Some(true),
        jsx: Some(jsx),
        ..TranspileOptions::default()
    }
}

fn classic(config: &TsConfig) -> JsxClassicOptions {
    let options = &config.compiler_options;
    let default = JsxClassicOptions::default();
    JsxClassicOptions {
        factory: options.jsx_factory.clone().unwrap_or(default.factory),
        fragment_factory: options.jsx_fragment_factory.clone().unwrap_or(default.fragment_factory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_paths() {
        let paths = |json: &str| {
            let file = Path::new("/app/tsconfig.json");
            Paths::new(Path::new("/app"), &TsConfig::parse(true, file, file, json.to_owned()).unwrap())
        };
        let found = |paths: &Paths, specifier: &str| -> Vec<String> {
            paths.candidates(specifier).iter().map(|path| path.display().to_string()).collect()
        };
        let named = paths(
            r#"{ "compilerOptions": { "paths": { "@/*": ["./src/*", "lib/*"], "@/deep/*": ["d/*"], "exact": ["e.ts"], "*.x": ["x/*"] } } }"#,
        );
        assert_eq!(found(&named, "@/a/b"), ["/app/./src/a/b", "/app/lib/a/b"]);
        assert_eq!(found(&named, "@/deep/a"), ["/app/d/a"]);
        assert_eq!(found(&named, "exact"), ["/app/e.ts"]);
        assert_eq!(found(&named, "a.x"), ["/app/x/a"]);
        assert!(found(&named, "exactly").is_empty());
        let based = paths(r#"{ "compilerOptions": { "baseUrl": "src", "paths": { "a": ["b"] } } }"#);
        assert_eq!(found(&based, "a"), ["/app/src/b", "/app/src/a"]);
        assert_eq!(found(&based, "c/d"), ["/app/src/c/d"]);
    }
}
