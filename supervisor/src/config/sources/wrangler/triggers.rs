//! What a wrangler file says of triggers: when the `scheduled` handler runs.

use super::fields::{Content, Field};
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::types::cron::Cron;

/// Returns the crons of the field `triggers`.
pub(super) fn crons(place: Place, content: Content, problems: &mut Problems) -> Vec<Cron> {
    let Content::Table(triggers) = content else {
        problems.add(place, Flaw::new("is not a table", "write crons = [\"*/5 * * * *\"] below [triggers]"));
        return Vec::new();
    };
    let mut crons = Vec::new();
    for Field { place, content, .. } in triggers.into_iter().filter(|field| field.name == "crons") {
        for cron in problems.keep(|| place.clone(), content.texts()).unwrap_or_default() {
            crons.extend(problems.keep(|| place.clone(), cron.parse()));
        }
    }
    crons
}
