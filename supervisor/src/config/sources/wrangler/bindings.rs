//! The bindings of a wrangler file that have no counterpart here. In `env` each is an object that throws when it is used.

use serde_json::Value;

/// The fields that declare bindings: what a binding of this field is called, and what to do without it.
const LACKING: &[(&str, &str, &str)] = &[
    ("agent_memory", "an agent memory", STORE),
    ("ai", "Workers AI", API),
    ("ai_search", "an AI search instance", API),
    ("ai_search_namespaces", "a namespace of AI search", API),
    ("analytics", "the SQL API of Analytics Engine", API),
    ("artifacts", "an Artifacts namespace", API),
    ("browser", "a browser of Browser Rendering", API),
    ("d1_databases", "a D1 database", STORE),
    ("dispatch_namespaces", "a dispatch namespace", "fetch the other app by its address"),
    ("durable_objects", "a Durable Object namespace", STORE),
    ("flagship", "a Flagship app", API),
    ("images", "the Images service", API),
    ("k2", "a K2 stream", API),
    ("kv_namespaces", "a KV namespace", STORE),
    ("logfwdr", "a log forwarder", "write to the console"),
    ("media", "the Media service", API),
    ("mtls_certificates", "a client certificate", "have a proxy present it"),
    ("pipelines", "a pipeline", API),
    ("queues", "a queue", "send the work to a service that the app reaches with fetch()"),
    ("r2_buckets", "an R2 bucket", "use S3 or a store like it with fetch()"),
    ("send_email", "a sender of email", "use the HTTP API of a mail service with fetch()"),
    ("stream", "the Stream service", API),
    ("unsafe", "an unsafe binding", API),
    ("unsafe_hello_world", "a test binding", API),
    ("vectorize", "a Vectorize index", STORE),
    ("vpc_networks", "a VPC network", "fetch the service by its address"),
    ("vpc_services", "a VPC service", "fetch the service by its address"),
    ("worker_loaders", "a loader of workers", "run the other code as an app of its own"),
    ("workflows", "a workflow", "send the work to a service that the app reaches with fetch()"),
];

const STORE: &str = "use a store or database that the app reaches with fetch()";
const API: &str = "use the HTTP API of such a service with fetch()";

/// A binding that is configured and that the app does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingBinding {
    /// Its name in `env`.
    pub(crate) name: String,
    /// The field that declares it.
    pub(crate) field: &'static str,
    /// The message of the error that is thrown when it is used.
    pub(crate) why: String,
}

/// Returns the bindings that the field `field` of the file `file` declares. Returns `None` if the field declares no bindings.
pub(super) fn declared(field: &str, value: &Value, file: &str) -> Option<Vec<MissingBinding>> {
    let (field, kind, instead) = LACKING.iter().find(|(known, _, _)| *known == field)?;
    let missing = |name: &str| MissingBinding {
        name: name.to_owned(),
        field,
        why: format!(
            "env.{name} is missing: in {file} it is {kind} (`{field}`), which nano-supervisor does not have; {instead}, or set \
             {name} to something else in the `env` of the app"
        ),
    };
    Some(names(field, value).into_iter().map(missing).collect())
}

/// Returns the names of the bindings in the value of a field, as wrangler finds them.
fn names<'a>(field: &str, value: &'a Value) -> Vec<&'a str> {
    let named = |one: &'a Value| one["binding"].as_str().or_else(|| one["name"].as_str());
    let of_list = |list: &'a Value| list.as_array().into_iter().flatten().filter_map(named).collect();
    match value {
        Value::Array(_) => of_list(value),
        Value::Object(_) if field == "queues" => of_list(&value["producers"]),
        Value::Object(fields) => match fields.get("bindings") {
            Some(list) => of_list(list),
            None => value["binding"].as_str().into_iter().collect(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bindings_are_found_in_every_shape_that_wrangler_has() {
        let of = |field: &str, value: Value| {
            let found = declared(field, &value, "wrangler.toml")?;
            Some(found.into_iter().map(|binding| binding.name).collect::<Vec<_>>())
        };
        let some = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            of("kv_namespaces", json!([{ "binding": "A", "id": "1" }, { "binding": "B" }])),
            some(&["A", "B"])
        );
        assert_eq!(of("send_email", json!([{ "name": "MAIL" }])), some(&["MAIL"]));
        let objects = json!({ "bindings": [{ "name": "ROOM", "class_name": "Room" }] });
        assert_eq!(of("durable_objects", objects), some(&["ROOM"]));
        let queues =
            json!({ "producers": [{ "binding": "Q", "queue": "q" }], "consumers": [{ "queue": "q" }] });
        assert_eq!(of("queues", queues), some(&["Q"]));
        assert_eq!(of("ai", json!({ "binding": "AI", "remote": true })), some(&["AI"]));
        assert_eq!(of("ai", json!("odd")), some(&[]));
        assert_eq!(of("vars", json!({})), None);
    }

    #[test]
    fn the_error_names_the_binding_its_kind_and_a_way_out() {
        let found = declared("r2_buckets", &json!([{ "binding": "FILES" }]), "app/wrangler.toml").unwrap();
        assert_eq!(
            found[0].why,
            "env.FILES is missing: in app/wrangler.toml it is an R2 bucket (`r2_buckets`), which nano-supervisor does not have; \
             use S3 or a store like it with fetch(), or set FILES to something else in the `env` of the app"
        );
    }
}
