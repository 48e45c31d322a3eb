//! The key `services` of a wrangler file: other workers, which are apps of the same name here.

use serde_json::Value;

use crate::config::errors::{Flaw, Place, Problems};
use crate::config::types::app_name::AppName;
use crate::config::types::binding::{Binding, BindingTarget};

/// Returns the bindings to other apps, and those of the list that have no counterpart here: with a named entrypoint, or with props.
pub(super) fn read(value: &Value, place: &Place, problems: &mut Problems) -> (Vec<Binding>, Value) {
    let (mut bindings, mut others) = (Vec::new(), Vec::new());
    let fix = "write binding = \"API\" and service = \"the name of the other app\"";
    let Some(services) = value.as_array() else {
        problems
            .add(place.clone(), Flaw::new("is no list of services", format!("below [[services]], {fix}")));
        return (bindings, others.into());
    };
    for service in services {
        let has_entrypoint =
            service["entrypoint"].as_str().is_some_and(|name| !["", "default"].contains(&name));
        let has_props = service["props"].as_object().is_some_and(|props| !props.is_empty());
        if has_entrypoint || has_props {
            others.push(service.clone());
            continue;
        }
        let (Some(name), Some(app)) = (service["binding"].as_str(), service["service"].as_str()) else {
            problems.add(place.clone(), Flaw::new("has an entry without `binding` or `service`", fix));
            continue;
        };
        // As wrangler names the worker of an environment.
        let app = match service["environment"].as_str() {
            Some(environment) if !environment.is_empty() => format!("{app}-{environment}"),
            _ => app.to_owned(),
        };
        let target = BindingTarget::App(AppName::from_folder(&app));
        bindings.push(Binding { name: name.to_owned(), target });
    }
    (bindings, others.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_the_app_of_its_name_unless_it_has_an_entrypoint_or_props() {
        let mut problems = Problems::default();
        let list = json!([
            { "binding": "A", "service": "api", "entrypoint": "", "props": {} },
            { "binding": "B", "service": "My API", "environment": "staging", "entrypoint": "default" },
            { "binding": "C", "service": "api", "entrypoint": "Admin" },
            { "binding": "D", "service": "api", "props": { "a": 1 } },
            { "binding": "E" },
        ]);
        let (found, others) = read(&list, &Place::flag("wrangler.toml: services"), &mut problems);
        let app = |name: &str| BindingTarget::App(AppName::from_folder(name));
        let found: Vec<_> = found.into_iter().map(|binding| (binding.name, binding.target)).collect();
        assert_eq!(found, [("A".into(), app("api")), ("B".into(), app("My API-staging"))]);
        assert_eq!(
            others,
            json!([
                { "binding": "C", "service": "api", "entrypoint": "Admin" },
                { "binding": "D", "service": "api", "props": { "a": 1 } },
            ])
        );
        let fix = "fix: write binding = \"API\" and service = \"the name of the other app\"";
        let problem = format!("wrangler.toml: services: has an entry without `binding` or `service`; {fix}");
        assert_eq!(problems.texts(), [problem]);
        for other in [json!({ "binding": "A", "service": "api" }), json!("api")] {
            let mut problems = Problems::default();
            assert!(read(&other, &Place::flag("services"), &mut problems).0.is_empty());
            let start = "services: is no list of services; fix: below [[services]], write binding = ";
            assert!(problems.texts()[0].starts_with(start), "{:?}", problems.texts());
        }
    }
}
