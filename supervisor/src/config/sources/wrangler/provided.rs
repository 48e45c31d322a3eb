//! The bindings of a wrangler file that need no service: rate limits, datasets, secrets that are asked for, databases, and the version.

use std::time::Duration;

use serde_json::Value;

use crate::config::errors::{Flaw, Place, Problems};
use crate::config::types::binding::{Binding, BindingTarget, RateLimit};

/// The periods that Workers have, in seconds.
const PERIODS: [u64; 2] = [10, 60];

/// Returns the bindings that the field declares. Returns `None` if the field declares none of these kinds.
pub(super) fn read(
    field: &str,
    value: &Value,
    place: &Place,
    problems: &mut Problems,
) -> Option<Vec<Binding>> {
    let (one, fix): (fn(&Value) -> Option<Binding>, _) = match field {
        "ratelimits" => (
            rate_limit,
            "write name = \"LIMIT\" and simple = { limit = 100, period = 60 }, with a period of 10 or 60 seconds",
        ),
        "analytics_engine_datasets" => (dataset, "write binding = \"VISITS\""),
        "secrets_store_secrets" => (secret, "write binding = \"KEY\""),
        "hyperdrive" => (hyperdrive, "write binding = \"DB\" and localConnectionString = \"postgres://…\""),
        "version_metadata" => (version, "write binding = \"VERSION\""),
        _ => return None,
    };
    let entries = match value {
        Value::Array(entries) => &**entries,
        one if field == "version_metadata" => std::slice::from_ref(one),
        _ => {
            problems.add(place.clone(), Flaw::new("is no list", format!("below [[{field}]], {fix}")));
            return Some(Vec::new());
        }
    };
    let mut bindings = Vec::new();
    for entry in entries {
        match one(entry) {
            Some(binding) => bindings.push(binding),
            None => problems.add(place.clone(), Flaw::new("has an entry that cannot be used", fix)),
        }
    }
    Some(bindings)
}

fn rate_limit(entry: &Value) -> Option<Binding> {
    let simple = &entry["simple"];
    let limit = u32::try_from(simple["limit"].as_u64()?).ok()?;
    let period = simple["period"].as_u64().filter(|period| PERIODS.contains(period))?;
    let target = BindingTarget::RateLimit(RateLimit { limit, period: Duration::from_secs(period) });
    Some(Binding { name: text(&entry["name"])?, target })
}

fn dataset(entry: &Value) -> Option<Binding> {
    let name = text(&entry["binding"])?;
    let dataset = text(&entry["dataset"]).unwrap_or_else(|| name.clone());
    Some(Binding { name, target: BindingTarget::Dataset(dataset) })
}

fn secret(entry: &Value) -> Option<Binding> {
    Some(Binding { name: text(&entry["binding"])?, target: BindingTarget::Secret })
}

fn hyperdrive(entry: &Value) -> Option<Binding> {
    Some(Binding { name: text(&entry["binding"])?, target: BindingTarget::Hyperdrive })
}

/// Returns the connection strings that the field has, by the names of their bindings: variables that others outrank.
pub(super) fn connections(field: &str, value: &Value) -> impl Iterator<Item = (String, String)> {
    let entries = value.as_array().filter(|_| field == "hyperdrive");
    entries.into_iter().flatten().filter_map(|entry| {
        let name = text(&entry["binding"])?;
        text(&entry["localConnectionString"]).map(|connection| (name, connection))
    })
}

fn version(entry: &Value) -> Option<Binding> {
    Some(Binding { name: text(&entry["binding"])?, target: BindingTarget::Version })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_all(field: &str, value: &Value) -> (Option<Vec<Binding>>, Vec<String>) {
        let mut problems = Problems::default();
        let found = read(field, value, &Place::flag(format!("wrangler.toml: {field}")), &mut problems);
        (found, problems.texts())
    }

    #[test]
    fn each_kind_is_read_as_wrangler_reads_it() {
        let one = |name: &str, target| (Some(vec![Binding { name: name.into(), target }]), Vec::new());
        let simple = json!({ "limit": 100, "period": 60 });
        let limits = json!([{ "name": "LOGIN", "namespace_id": "1001", "simple": simple }]);
        let rate = RateLimit { limit: 100, period: Duration::from_secs(60) };
        assert_eq!(read_all("ratelimits", &limits), one("LOGIN", BindingTarget::RateLimit(rate)));
        let datasets = |dataset: Value| json!([{ "binding": "VISITS", "dataset": dataset }]);
        let named = |name: &str| one("VISITS", BindingTarget::Dataset(name.into()));
        assert_eq!(read_all("analytics_engine_datasets", &datasets(json!("site"))), named("site"));
        assert_eq!(read_all("analytics_engine_datasets", &datasets(Value::Null)), named("VISITS"));
        let secrets = json!([{ "binding": "KEY", "store_id": "1", "secret_name": "key" }]);
        assert_eq!(read_all("secrets_store_secrets", &secrets), one("KEY", BindingTarget::Secret));
        let version = json!({ "binding": "VERSION" });
        assert_eq!(read_all("version_metadata", &version), one("VERSION", BindingTarget::Version));
        let databases = json!([
            { "binding": "DB", "id": "1", "localConnectionString": "postgres://a" },
            { "binding": "OTHER", "id": "2" },
        ]);
        let named = |name: &str| Binding { name: name.into(), target: BindingTarget::Hyperdrive };
        assert_eq!(read_all("hyperdrive", &databases), (Some(vec![named("DB"), named("OTHER")]), vec![]));
        let local: Vec<_> = connections("hyperdrive", &databases).collect();
        assert_eq!(local, [("DB".to_owned(), "postgres://a".to_owned())]);
    }

    #[test]
    fn what_cannot_be_used_is_said_with_the_way_to_write_it() {
        let fix = "fix: write name = \"LIMIT\" and simple = { limit = 100, period = 60 }, with a period of 10 or 60 seconds";
        for simple in [json!({ "limit": 1, "period": 30 }), json!({ "limit": -1, "period": 60 }), Value::Null]
        {
            let (found, problems) = read_all("ratelimits", &json!([{ "name": "A", "simple": simple }]));
            assert_eq!(found, Some(Vec::new()));
            let problem = format!("wrangler.toml: ratelimits: has an entry that cannot be used; {fix}");
            assert_eq!(problems, [problem]);
        }
        let (_, problems) = read_all("secrets_store_secrets", &json!("KEY"));
        let expected = "wrangler.toml: secrets_store_secrets: is no list; fix: below [[secrets_store_secrets]], write binding = \"KEY\"";
        assert_eq!(problems, [expected]);
        assert_eq!(read_all("version_metadata", &json!({ "binding": "" })).1.len(), 1);
    }
}
