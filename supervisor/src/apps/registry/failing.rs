//! Decides what is logged about an app that keeps failing: the reason once, and then now and then that it still fails.

use crate::model::exit_reason::ExitReason;

/// Why an app fails, and how often in a row it has failed for that reason.
#[derive(Debug, Default)]
pub(crate) struct Failing(Option<(String, u64)>);

impl Failing {
    /// Records a failure. Returns how often in a row the app has failed for this reason.
    pub(crate) fn again(&mut self, reason: &ExitReason) -> u64 {
        let reason = reason.to_string();
        match &mut self.0 {
            Some((known, times)) if *known == reason => {
                *times += 1;
                *times
            }
            _ => {
                self.0 = Some((reason, 1));
                1
            }
        }
    }

    /// Whether the end of a worker gets a log line of its own. It does not if the app's failure is logged with this reason, or
    /// has been.
    pub(crate) fn is_logged(&self, reason: &ExitReason) -> bool {
        let is_known = || self.0.as_ref().is_some_and(|(known, _)| *known == reason.to_string());
        !matches!(reason, ExitReason::LoadFailed(_)) && !is_known()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reason_is_news() {
        let (one, other) = (ExitReason::LoadFailed("one".into()), ExitReason::StartTimeout);
        let mut failing = Failing::default();
        assert!(failing.is_logged(&other) && !failing.is_logged(&one));
        assert_eq!([failing.again(&one), failing.again(&one), failing.again(&other)], [1, 2, 1]);
        assert!(!failing.is_logged(&other));
        assert_eq!(failing.again(&one), 1);
    }
}
