//! The key `services` of a wrangler file: other workers, which are apps of the same name here.

use serde_json::Value;

use crate::config::errors::{Flaw, Place, Problems};
use crate::config::types::app_name::AppName;
use crate::config::types::binding::{Binding, BindingTarget, Service};

/// Returns the bindings to other apps.
pub(super) fn read(value: &Value, place: &Place, problems: &mut Problems) -> Vec<Binding> {
    let mut bindings = Vec::new();
    let fix = "write binding = \"API\" and service = \"the name of the other app\"";
    let Some(services) = value.as_array() else {
        problems
            .add(place.clone(), Flaw::new("is no list of services", format!("below [[services]], {fix}")));
        return bindings;
    };
    for service in services {
        let (Some(name), Some(app)) = (service["binding"].as_str(), service["service"].as_str()) else {
            problems.add(place.clone(), Flaw::new("has an entry without `binding` or `service`", fix));
            continue;
        };
        // As wrangler names the worker of an environment.
        let app = match service["environment"].as_str() {
            Some(environment) if !environment.is_empty() => format!("{app}-{environment}"),
            _ => app.to_owned(),
        };
        let props =
            Some(&service["props"]).filter(|props| props.as_object().is_some_and(|props| !props.is_empty()));
        let service = Service::new(AppName::from_folder(&app), service["entrypoint"].as_str(), props);
        if let Some(service) = problems.keep(|| place.clone(), service) {
            bindings.push(Binding { name: name.to_owned(), target: BindingTarget::App(service) });
        }
    }
    bindings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_the_app_of_its_name_or_one_of_its_entrypoints() {
        let mut problems = Problems::default();
        let list = json!([
            { "binding": "A", "service": "api", "entrypoint": "", "props": {} },
            { "binding": "B", "service": "My API", "environment": "staging", "entrypoint": "default" },
            { "binding": "C", "service": "api", "entrypoint": "Admin" },
            { "binding": "D", "service": "api", "props": { "a": 1 } },
            { "binding": "E" },
            { "binding": "F", "service": "api", "props": { "a": "x".repeat(1 << 14) } },
        ]);
        let found = read(&list, &Place::flag("wrangler.toml: services"), &mut problems);
        let api = Service::of(AppName::from_folder("api"));
        let expected = [
            ("A", api.clone()),
            ("B", Service::of(AppName::from_folder("My API-staging"))),
            ("C", Service { entrypoint: Some("Admin".to_owned()), ..api.clone() }),
            ("D", Service { props: Some("{\"a\":1}".to_owned()), ..api }),
        ];
        let binding =
            |(name, service)| Binding { name: str::to_owned(name), target: BindingTarget::App(service) };
        assert_eq!(found, expected.map(binding));
        let fix = "fix: write binding = \"API\" and service = \"the name of the other app\"";
        assert_eq!(
            problems.texts(),
            [
                format!("wrangler.toml: services: has an entry without `binding` or `service`; {fix}"),
                "wrangler.toml: services: has `props` that are too large: 16392 bytes as JSON; fix: keep them below 16384 bytes"
                    .to_owned(),
            ]
        );
        for other in [json!({ "binding": "A", "service": "api" }), json!("api")] {
            let mut problems = Problems::default();
            assert!(read(&other, &Place::flag("services"), &mut problems).is_empty());
            let start = "services: is no list of services; fix: below [[services]], write binding = ";
            assert!(problems.texts()[0].starts_with(start), "{:?}", problems.texts());
        }
    }
}
