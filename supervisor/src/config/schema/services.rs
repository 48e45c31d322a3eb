//! The setting `services`: names in `env`, and the apps that they stand for.

use serde_json::json;
use toml::de::DeValue;

use crate::config::document::section::Section;
use crate::config::document::value;
use crate::config::env::values;
use crate::config::errors::{Flaw, Problems};
use crate::config::setting::Setting;
use crate::config::setting::json::text;
use crate::config::types::app_name::AppName;
use crate::config::types::binding::{Binding, BindingTarget, Service};

/// The fields of a service that is written as a table.
const FIELDS: [&str; 3] = ["app", "entrypoint", "props"];

/// A table of names in `env` and the apps that they stand for.
pub(crate) fn services() -> Setting<Vec<Binding>> {
    let read = move |section: &Section<'_>, name: &str, _: Option<&_>, problems: &mut Problems| {
        let section = section.section(name, problems)?;
        let binding = |name: &str| {
            let target = BindingTarget::App(service(&section, name, problems)?);
            Some(Binding { name: name.to_owned(), target })
        };
        Some(section.names().into_iter().filter_map(binding).collect())
    };
    let table = json!({
        "type": "object",
        "properties": { "app": text(), "entrypoint": text(), "props": {} },
        "required": ["app"],
        "additionalProperties": false,
    });
    let schema = json!({ "type": "object", "additionalProperties": { "anyOf": [text(), table] } });
    Setting::new("table", schema, read, |_| json!({}))
}

/// Reads the name of an app, or a table with its entrypoint and props.
fn service(section: &Section<'_>, name: &str, problems: &mut Problems) -> Option<Service> {
    let app = |found: &DeValue<'_>| value::text(found)?.parse::<AppName>();
    if !section.value(name)?.is_table() {
        return section.read(name, app, problems).map(Service::of);
    }
    let table = section.section(name, problems)?;
    table.only(&FIELDS, |name| (name == "service").then(|| "name the app in `app`".to_owned()), problems);
    if !table.has("app") {
        let fix = format!("write {name} = {{ app = \"the name of the other app\" }}");
        problems.add(table.whole(), Flaw::new("lacks `app`", fix));
    }
    let entrypoint = table.read("entrypoint", value::text, problems);
    let props = table.read("props", values::props, problems);
    let service = Service::new(table.read("app", app, problems)?, entrypoint, props.as_ref());
    problems.keep(|| table.whole(), service)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml::de::DeTable;

    use super::*;
    use crate::config::bounds;
    use crate::config::document::section::Document;
    use crate::config::schema::app::OwnSettings;
    use crate::config::setting::SettingGroup as _;

    fn read(text: &str) -> (Vec<Binding>, Vec<String>) {
        let text = format!("path = '/a'\nport = 1\n{text}");
        let table = DeTable::parse(&text).unwrap();
        let document = Document::config("nano.toml", &text).within(Path::new("/"));
        let (mut own, mut problems) = (OwnSettings::default(), Problems::default());
        own.read(&Section::top(document, table.get_ref()), &mut problems);
        (own.services.unwrap_or_default(), problems.texts())
    }

    #[test]
    fn a_service_is_an_app_or_one_of_its_entrypoints_with_props() {
        let (found, problems) = read(
            "services = { A = 'api', B = { app = 'api' }, C = { app = 'api', entrypoint = 'Admin', props = { role = 'x' } }, \
             D = { app = 'api', entrypoint = 'default' } }",
        );
        assert_eq!(problems, [""; 0]);
        let app: AppName = "api".parse().unwrap();
        let admin = Service {
            app: app.clone(),
            entrypoint: Some("Admin".to_owned()),
            props: Some("{\"role\":\"x\"}".to_owned()),
        };
        let service =
            |name: &str, service| Binding { name: name.to_owned(), target: BindingTarget::App(service) };
        let plain = Service::of(app);
        let expected = [("A", plain.clone()), ("B", plain.clone()), ("C", admin), ("D", plain)];
        assert_eq!(found, expected.map(|(name, of)| service(name, of)));
    }

    #[test]
    fn what_is_no_service_is_refused() {
        let long = "x".repeat(bounds::SERVICE_PROPS);
        for (text, problem) in [
            (
                "{ entrypoint = 'A' }",
                "services.A: lacks `app`; fix: write A = { app = \"the name of the other app\" }",
            ),
            ("{ service = 'b', app = 'b' }", "fix: name the app in `app`"),
            ("3", "services.A"),
            ("{ app = 3 }", "services.A.app"),
            (
                &format!("{{ app = 'b', props = '{long}' }}"),
                "has `props` that are too large: 16386 bytes as JSON",
            ),
            (
                &format!("{{ app = 'b', entrypoint = '{}' }}", &long[..257]),
                "has an `entrypoint` with too long a name",
            ),
        ] {
            let (_, problems) = read(&format!("services = {{ A = {text} }}"));
            assert!(problems.len() == 1 && problems[0].contains(problem), "{text}: {problems:?}");
        }
    }
}
