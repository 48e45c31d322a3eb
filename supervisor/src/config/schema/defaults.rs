//! What `[defaults]` and an app's own section both may say, as it is put together from both.

use super::app::AppSettings;
use super::limits::AppLimits;
use crate::config::document::section::Section;
use crate::config::errors::Problems;
use crate::config::setting::units::MIB;
use crate::config::setting::{About, SettingGroup as _};

/// The part of an app that has defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) limits: AppLimits,
    pub(crate) settings: AppSettings,
    /// Whether somebody has said what the limit of memory is.
    is_memory_set: bool,
}

impl Defaults {
    /// Every setting of `[defaults]`, which every app has as well.
    pub(crate) fn about() -> impl Iterator<Item = &'static About> {
        AppLimits::about().chain(AppSettings::about())
    }

    /// The defaults where all apps together have so much memory, in bytes: one app that is out of bounds must not take all
    /// of it.
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

    /// These, except for what `section` says otherwise.
    pub(crate) fn overridden(mut self, section: &Section<'_>, problems: &mut Problems) -> Self {
        let limits = &mut self.limits;
        limits.read(section, problems);
        self.is_memory_set |= section.has("memory");
        if !self.is_memory_set {
            // Who wants a large heap wants room for it.
            limits.memory = limits.memory.map(|memory| memory.max(limits.heap.saturating_mul(2)));
        }
        limits.check(section, problems);
        self.settings.read(section, problems);
        self
    }
}
