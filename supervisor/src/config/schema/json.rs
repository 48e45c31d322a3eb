//! The JSON Schema of the configuration file, for editors.

use serde_json::{Value as Json, json};

use super::app::OwnSettings;
use super::defaults::Defaults;
use super::server;
use crate::config::setting::json::object;
use crate::config::setting::{About, SettingGroup as _};

/// Returns what `nano-supervisor schema` prints (JSON Schema 2020-12). It is less strict than `check`, and accepts everything
/// that `check` accepts.
pub(crate) fn schema() -> Json {
    let shared =
        |about: &About| json!({ "$ref": format!("#/properties/defaults/properties/{}", about.name) });
    let mut of_app = object(OwnSettings::about());
    if let Some(properties) = of_app["properties"].as_object_mut() {
        properties.extend(Defaults::about().map(|about| (about.name.to_owned(), shared(about))));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nano.toml",
        "description": "Configuration of nano-supervisor",
        "type": "object",
        "properties": {
            "server": object(server::all()),
            "defaults": object(Defaults::about()),
            "apps": {
                "description": "The apps, each by its name",
                "type": "object",
                "propertyNames": { "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$" },
                "additionalProperties": of_app,
            },
        },
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Duration;

    use jsonschema_valid::Config;
    use jsonschema_valid::schemas::Draft;
    use proptest::prelude::*;
    use toml::de::DeTable;

    use super::super::server::{ServerDraft, ServerSettings};
    use super::*;
    use crate::config::document::quantity;
    use crate::config::document::section::{Document, Section};
    use crate::config::errors::Problems;
    use crate::config::setting::kinds;

    /// Values of all types. Each setting accepts some of them and refuses the others.
    #[rustfmt::skip]
    const VALUES: &[&str] = &[
        "true", "false", "-1", "0", "1", "2", "5", "100", "8080", "1048576", "0.5", "''", "'x'", "'5'", "'5s'",
        "'500ms'", "'1h 30m'", "'10 seconds'", "'1.5s'", "'-5s'", "'64KiB'", "'64MiB'", "'1GiB'", "'1.5GiB'", "'10kb'", "'1M'",
        "'json'", "'text'", "'info'", "'combined'", "'append'", "'always'", "'never'", "'/x'", "'127.0.0.1:9100'",
        "'127.0.0.1'", "'::1'", "'blog.example'", "'*.blog.example'", "'http://127.0.0.1:4318'", "[]", "['a']",
        "['10.0.0.0/8']", "[1]", "{}", "{ a = 1 }", "{ a = 'b' }", "{ policy = 'never' }", "{ policy = 'x' }",
        "{ initial = '1ms' }", "{ directory = 'x' }", "{ directory = 1 }", "{ growth = false }", "{ requests = 5 }", "{ requests = 'x' }",
    ];

    struct Validator(Config<'static>);

    impl Validator {
        /// Creates a validator by draft 7, which is what the crate supports. The features used here mean the same in 2020-12.
        fn new(schema: Json) -> Self {
            let config = Config::from_schema(Box::leak(Box::new(schema)), Some(Draft::Draft7)).unwrap();
            assert!(config.validate_schema().is_ok());
            Self(config)
        }

        fn accepts(&self, value: &Json) -> bool {
            self.0.validate(value).is_ok()
        }
    }

    /// Returns the problems of a section with a single setting.
    fn problems(section: &str, text: &str) -> Vec<String> {
        let table = DeTable::parse(text).unwrap();
        let only = Section::top(Document::config("nano.toml", text), table.get_ref());
        let mut problems = Problems::default();
        if section == "server" {
            ServerSettings::default().read(&only, &mut problems);
            ServerDraft::default().read(&only, &mut problems);
        } else {
            Defaults::default().overridden(&only, &mut problems);
            if section == "apps" {
                OwnSettings::default().read(&only, &mut problems);
            }
        }
        let mut problems = problems.texts();
        // Other settings that are missing and conflicts with them are not problems of the setting itself. What is missing inside it
        // is one.
        let is_inside = |problem: &str| problem.split(": ").nth(1).is_some_and(|field| field.contains('.'));
        problems.retain(|problem| {
            (is_inside(problem) || !problem.contains("is missing")) && !problem.contains(" must ")
        });
        problems
    }

    #[test]
    fn it_refuses_only_what_is_refused_when_it_is_read() {
        let validator = Validator::new(schema());
        let own = OwnSettings::about().map(|about| ("apps", about));
        let all = server::all().map(|about| ("server", about)).chain(own);
        for (section, about) in all.chain(Defaults::about().map(|about| ("defaults", about))) {
            let (mut accepted, mut refused) = (0, 0);
            for value in VALUES {
                let parsed: Json = toml::from_str(&format!("value = {value}")).unwrap();
                let parsed = parsed["value"].clone();
                let file = match section {
                    "apps" => {
                        let mut app = json!({ "path": "x", "port": 1 });
                        app[about.name] = parsed;
                        json!({ "apps": { "a": app } })
                    }
                    section => json!({ section: { about.name: parsed } }),
                };
                let found = problems(section, &format!("{} = {value}", about.name));
                let is_accepted = validator.accepts(&file);
                assert!(is_accepted || !found.is_empty(), "{section}.{} = {value} is refused", about.name);
                // The editor reports values of a wrong type.
                let is_of_another_type = found.iter().any(|problem| problem.contains(": expected "));
                assert!(!is_accepted || !is_of_another_type, "{section}.{} = {value}: {found:?}", about.name);
                *(if is_accepted { &mut accepted } else { &mut refused }) += 1;
            }
            assert!(accepted > 0 && (refused > 0 || about.name == "props"), "{section}.{}", about.name);
        }
    }

    static PATTERNS: LazyLock<[Validator; 2]> = LazyLock::new(|| {
        let patterns = [kinds::DURATION, kinds::SIZE];
        patterns.map(|pattern| Validator::new(json!({ "type": "string", "pattern": pattern })))
    });

    proptest! {
        #[test]
        fn what_is_a_duration_or_a_size_has_its_pattern(
            text in "[ ]?[0-9]{1,6}([.][0-9]{1,3})?[ ]?(ns|us|ms|s|sec|m|min|h|hours|d|w|M|y|B|b|KiB|kb|M|GB|tib|Ki|k)?( 5ms)?[ ]?"
        ) {
            let [duration, size] = &*PATTERNS;
            let is_duration = quantity::duration(&text, &(Duration::ZERO..=Duration::MAX)).is_ok();
            prop_assert!(!is_duration || duration.accepts(&json!(text)), "{text:?} is a duration");
            let is_size = quantity::size(&text, &(0..=u64::MAX)).is_ok();
            prop_assert!(!is_size || size.accepts(&json!(text)), "{text:?} is a size");
        }
    }
}
