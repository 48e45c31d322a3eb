//! The fields of a wrangler file that need no counterpart here, and those that are set otherwise.

use serde_json::Value;

/// Settings that are ignored without a warning: they concern development, bundling, deployment and metrics, or say how the file
/// was made, and do not change how an app runs.
const QUIET: &[&str] = &[
    "$schema",
    "account_id",
    "base_dir",
    "cloudchamber",
    "compatibility_date",
    "compliance_region",
    "configPath",
    "definedEnvironments",
    "dependencies_instrumentation",
    "dev",
    "find_additional_modules",
    "first_party_worker",
    "keep_names",
    "keep_vars",
    "legacy_env",
    "logpush",
    "migrations",
    "minify",
    "no_bundle",
    "observability",
    "placement",
    "preserve_file_names",
    "preview_urls",
    "previews",
    "python_modules",
    "send_metrics",
    "targetEnvironment",
    "topLevelName",
    "upload_source_maps",
    "usage_model",
    "userConfigPath",
    "workers_dev",
];

/// Settings that are ignored without a warning if they have this value, which is the default.
const QUIET_BY_DEFAULT: &[(&str, &str)] = &[
    ("jsx_factory", "React.createElement"),
    ("jsx_fragment", "React.Fragment"),
    ("tsconfig", "./tsconfig.json"),
    ("tsconfig", "tsconfig.json"),
];

/// Settings that have a replacement here, and the replacement.
const OTHERWISE: &[(&str, &str)] = &[
    ("build", "running its command first"),
    ("jsx_factory", "`jsxFactory` of tsconfig.json"),
    ("jsx_fragment", "`jsxFragmentFactory` of tsconfig.json"),
    ("limits", "`cpu_time`"),
    ("route", "`hosts` and `port`"),
    ("routes", "`hosts` and `port`"),
];

/// Compatibility flags for behaviour that every app has here. So are all flags about Node.js, with which also the one counts that
/// Nitro writes because it brings Node's globals along itself.
const STANDARD_FLAGS: &[&str] = &[
    "fetch_refuses_unknown_protocols",
    "formdata_parser_supports_files",
    "global_fetch_strictly_public",
    "global_navigator",
    "http_headers_getsetcookie",
    "no_nodejs_compat_v2",
    "streams_enable_constructors",
    "transformstream_enable_standard_constructor",
    "url_standard",
    "urlsearchparams_delete_has_value_arg",
];

/// Returns whether a setting needs no mention.
pub(super) fn is_quiet(name: &str, value: &Value) -> bool {
    QUIET.contains(&name)
        || QUIET_BY_DEFAULT.iter().any(|(known, default)| *known == name && value == default)
}

/// Returns what replaces a setting here.
pub(super) fn replacement(name: &str) -> Option<&'static str> {
    OTHERWISE.iter().find(|(known, _)| *known == name).map(|(_, here)| *here)
}

/// Returns whether every app has the behaviour of a compatibility flag here.
pub(super) fn is_standard(flag: &str) -> bool {
    flag.starts_with("nodejs_") || flag.starts_with("enable_nodejs_") || STANDARD_FLAGS.contains(&flag)
}
