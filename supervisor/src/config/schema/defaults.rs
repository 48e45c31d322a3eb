//! The settings that both `[defaults]` and an app's own section may contain, and how the two are merged.

use super::app::AppSettings;
use super::limits::AppLimits;
use crate::config::document::section::Section;
use crate::config::errors::Problems;
use crate::config::setting::units::MIB;
use crate::config::setting::{About, SettingGroup as _};

/// The settings of an app that `[defaults]` may contain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) limits: AppLimits,
    pub(crate) settings: AppSettings,
    /// Whether the memory limit is configured explicitly.
    is_memory_set: bool,
}

impl Defaults {
    /// Returns every setting of `[defaults]`. Every app has these settings as well.
    pub(crate) fn about() -> impl Iterator<Item = &'static About> {
        AppLimits::about().chain(AppSettings::about())
    }

    /// Returns the defaults on a machine with this much memory for all apps together, in bytes. They are low enough that a single
    /// app that uses too much cannot take all of it.
    pub(crate) fn of_machine(memory: Option<u64>) -> Self {
        let mut defaults = Self::default();
        if let Some(available) = memory {
            let limits = &mut defaults.limits;
            limits.heap = limits.heap.min(available / 8).max(16 * MIB);
            let least = limits.heap.max(32 * MIB);
            limits.memory = limits.memory.map(|memory| memory.min(available / 2).max(least));
        }
        defaults
    }

    /// Returns these settings, overridden by those in `section`.
    pub(crate) fn overridden(mut self, section: &Section<'_>, problems: &mut Problems) -> Self {
        let limits = &mut self.limits;
        limits.read(section, problems);
        self.is_memory_set |= section.has("memory");
        if !self.is_memory_set {
            // A large heap needs a memory limit that leaves room for it.
            limits.memory = limits.memory.map(|memory| memory.max(limits.heap.saturating_mul(2)));
        }
        limits.check(section, problems);
        self.settings.read(section, problems);
        self
    }
}
