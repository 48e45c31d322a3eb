//! The path by which `wrangler dev` runs the `scheduled` handler of an app. Only apps in development mode have it.

use std::time::SystemTime;

/// The path. The query may have `cron`, the expression that the handler gets, and `time`, when it was due, in milliseconds since
/// 1970.
const SCHEDULED: &str = "/cdn-cgi/handler/scheduled";

/// Returns the cron expression and the time of the run that a request target asks for, if it does.
pub(super) fn scheduled(target: &str) -> Option<(String, i64)> {
    let query = target.strip_prefix(SCHEDULED)?;
    let query = if query.is_empty() { query } else { query.strip_prefix('?')? };
    let parameter = |wanted: &str| {
        let mut all = form_urlencoded::parse(query.as_bytes());
        all.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let now = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    };
    let time = parameter("time").and_then(|time| time.parse().ok()).unwrap_or_else(now);
    Some((parameter("cron").unwrap_or_default(), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_what_is_due() {
        let of = |query: &str| scheduled(&format!("{SCHEDULED}{query}"));
        assert_eq!(
            of("?cron=*%2F5+*+*+*+*&time=1234567890123"),
            Some(("*/5 * * * *".into(), 1_234_567_890_123))
        );
        assert_eq!(of("?time=5").unwrap(), (String::new(), 5));
        let (cron, time) = of("?time=soon&cron=a&cron=b").unwrap();
        assert!(cron == "a" && time > 1_700_000_000_000);
        assert!(of("").is_some() && of("?").is_some());
        assert_eq!((of("/"), of("x"), scheduled("/"), scheduled("?cron=x")), (None, None, None, None));
    }
}
