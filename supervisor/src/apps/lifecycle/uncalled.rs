//! Names the handlers of an app that nothing calls: once when it starts, and again only after that has changed.

use nano_protocol::Handlers;
use tracing::warn;

use super::AppTask;
use crate::config::Cron;

impl AppTask {
    /// Logs which handlers are never called, unless that was the last thing logged about them.
    pub(super) fn say_what_is_not_called(&mut self, handlers: Handlers) {
        let found = uncalled(handlers, &self.spec.crons);
        if found == self.uncalled {
            return;
        }
        if let Some(what) = &found {
            warn!(app = %self.spec.name, "{what}");
        }
        self.uncalled = found;
    }
}

/// Describes what is never called, in one line; none if there is no such thing.
pub(crate) fn uncalled(handlers: Handlers, crons: &[Cron]) -> Option<String> {
    let mut parts = Vec::new();
    let known: Vec<_> = handlers.names().filter(|name| !matches!(*name, "fetch" | "scheduled")).collect();
    if !known.is_empty() {
        let names = known.join(", ");
        parts.push(format!("the app exports {names}, which nothing here calls"));
    }
    match (handlers.has("scheduled"), crons.is_empty()) {
        (true, true) => {
            parts.push("the app exports scheduled, and has no `crons`; only `trigger` calls it".to_owned());
        }
        (false, false) => parts.push("the app has `crons`, and exports no scheduled handler".to_owned()),
        _ => {}
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_calls_is_named() {
        let crons = ["* * * * *".parse().unwrap()];
        let of = |names: &[&str], crons| {
            let bits =
                names.iter().map(|name| 1 << Handlers::NAMES.iter().position(|known| known == name).unwrap());
            uncalled(Handlers::of_bits(bits.sum()), crons)
        };
        assert_eq!(of(&["fetch"], &[]), None);
        assert_eq!(of(&["fetch", "scheduled"], &crons), None);
        assert_eq!(
            of(&["fetch", "scheduled", "queue", "tail"], &[]).unwrap(),
            "the app exports queue, tail, which nothing here calls; the app exports scheduled, and has no `crons`; only \
             `trigger` calls it"
        );
        assert_eq!(of(&["fetch"], &crons).unwrap(), "the app has `crons`, and exports no scheduled handler");
    }
}
