//! Settings of the logs: what is logged, in which form, where to, how much of it is kept.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use toml::de::DeValue;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::config::bounds;
use crate::config::document::section::Section;
use crate::config::document::value::{self, choice, size, whole};
use crate::config::errors::{Flaw, Place, Problems};
use crate::config::sources::flags::ServerFlags;

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// For people or for machines.
    pub format: LogFormat,
    /// The least important level that is logged.
    pub level: LogLevel,
    /// Whether there is a line per request, and in which form.
    pub access: AccessLog,
    /// Where lines go; standard output if none.
    pub file: Option<PathBuf>,
    /// Where the lines of the access log go; to the other lines if none.
    pub access_file: Option<PathBuf>,
    /// A file that would grow beyond this is put aside first, in bytes.
    pub max_size: u64,
    /// How many files that were put aside are kept.
    pub keep: usize,
    /// How much of the latest lines of each app, and of the supervisor itself, is kept in memory, in bytes.
    pub memory: usize,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// For whoever writes an app; `dev` has it, and nobody can ask for it.
    #[value(skip)]
    Dev,
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Something does not work.
    Error,
    /// Something has gone wrong and was dealt with.
    Warn,
    /// What happens to apps and to the server.
    Info,
    /// What it takes to find out why.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        Level::from(level).into()
    }
}

/// Whether there is a line per request, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessLog {
    /// There is none.
    #[value(name = "false")]
    Off,
    /// In the form of the other lines.
    #[value(name = "true")]
    Lines,
    /// The NCSA combined format, as nginx writes it.
    Combined,
    /// One JSON object per request, with nothing around it.
    Json,
}

impl AccessLog {
    fn read(value: &DeValue<'_>) -> Result<Self, Flaw> {
        match value {
            DeValue::Boolean(true) => Ok(Self::Lines),
            DeValue::Boolean(false) => Ok(Self::Off),
            _ => match value::text(value) {
                Ok("combined") => Ok(Self::Combined),
                Ok("json") => Ok(Self::Json),
                _ => Err(Flaw::new(
                    "is none of its values",
                    "write true or false without quotes, or \"combined\" or \"json\"",
                )),
            },
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: LogLevel::Info,
            access: AccessLog::Off,
            file: None,
            access_file: None,
            max_size: 100 << 20,
            keep: 5,
            memory: 1 << 20,
        }
    }
}

impl LogSettings {
    /// What `[server]` says of logs, over what is there. Paths in it are relative to `folder`.
    pub(crate) fn read(&mut self, section: &Section<'_>, folder: &Path, problems: &mut Problems) {
        section.set("log_format", choice, &mut self.format, problems);
        section.set("log_level", choice, &mut self.level, problems);
        section.set("access_log", AccessLog::read, &mut self.access, problems);
        let path = |value: &DeValue<'_>| file(&folder.join(value::text(value)?)).map(Some);
        section.set("log_file", path, &mut self.file, problems);
        section.set("access_log_file", path, &mut self.access_file, problems);
        section.set("log_max_size", size(bounds::LOG_MAX_SIZE), &mut self.max_size, problems);
        section.set("log_keep", whole(bounds::LOG_KEEP), &mut self.keep, problems);
        section.set("log_memory", size(bounds::LOG_MEMORY), &mut self.memory, problems);
    }

    /// What flags say of logs, over what is there.
    pub(crate) fn override_with(&mut self, flags: &ServerFlags, problems: &mut Problems) {
        self.format = flags.log_format.unwrap_or(self.format);
        self.level = flags.log_level.unwrap_or(self.level);
        self.access = flags.access_log.unwrap_or(self.access);
        for (name, path, target) in [
            ("--log-file", &flags.log_file, &mut self.file),
            ("--access-log-file", &flags.access_log_file, &mut self.access_file),
        ] {
            if let Some(path) = path {
                let place = || Place::flag(format!("{name} {}", path.display()));
                *target = problems.keep(place, file(path)).or(target.take());
            }
        }
    }

    /// Restores what cannot change while the supervisor runs; the names of those fields for which that matters.
    pub(crate) fn keep_what_is_fixed(&mut self, running: &Self) -> Vec<&'static str> {
        let fields = [
            ("log_format", self.format != running.format),
            ("log_file", self.file != running.file),
            ("access_log_file", self.access_file != running.access_file),
            ("log_max_size", self.max_size != running.max_size),
            ("log_keep", self.keep != running.keep),
        ];
        let Self { level, access, memory, .. } = *self;
        *self = Self { level, access, memory, ..running.clone() };
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

/// The path of a file that lines can go to. Whether it can be written shows at the start.
fn file(path: &Path) -> Result<PathBuf, Flaw> {
    if path.file_name().is_none() || path.is_dir() {
        return Err(Flaw::new("is a folder", "name a file, such as \"/var/log/nano-supervisor/nano.log\""));
    }
    // It is opened again for as long as the supervisor runs, wherever that has gone by then.
    std::path::absolute(path).map_err(|error| Flaw::new(error.to_string(), "write an absolute path"))
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;
    use crate::config::document::section::Document;

    fn logs(text: &str) -> (LogSettings, Vec<String>) {
        let table = DeTable::parse(text).unwrap();
        let mut problems = Problems::default();
        let top = Section::top(Document::config("nano.toml", text), table.get_ref());
        let mut logs = LogSettings::default();
        logs.read(&top, Path::new("/etc/nano"), &mut problems);
        (logs, problems.texts())
    }

    #[test]
    fn the_defaults_are_valid() {
        let logs = LogSettings::default();
        assert!(bounds::LOG_MAX_SIZE.contains(&logs.max_size) && bounds::LOG_KEEP.contains(&logs.keep));
        assert!(bounds::LOG_MEMORY.contains(&(logs.memory as u64)));
    }

    #[test]
    fn every_field_can_be_set() {
        let (found, problems) = logs(
            "log_format = 'json'\nlog_level = 'trace'\naccess_log = 'combined'\nlog_file = 'a.log'\n\
             access_log_file = '/b.log'\nlog_max_size = '1MiB'\nlog_keep = 2\nlog_memory = '64KiB'",
        );
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            found,
            LogSettings {
                format: LogFormat::Json,
                level: LogLevel::Trace,
                access: AccessLog::Combined,
                file: Some("/etc/nano/a.log".into()),
                access_file: Some("/b.log".into()),
                max_size: 1 << 20,
                keep: 2,
                memory: 64 << 10,
            }
        );
        for (text, form) in
            [("true", AccessLog::Lines), ("false", AccessLog::Off), ("'json'", AccessLog::Json)]
        {
            assert_eq!(logs(&format!("access_log = {text}")).0.access, form);
        }
    }

    #[test]
    fn every_wrong_field_is_reported() {
        let text = "log_level = 'loud'\naccess_log = 'common'\nlog_file = '/'\nlog_max_size = 1\nlog_keep = -1\nlog_memory = '1B'";
        assert_eq!(
            logs(text).1,
            [
                "nano.toml:1: log_level: \"loud\" is none of its values; fix: write \"error\" or \"warn\" or \"info\" \
                 or \"debug\" or \"trace\"",
                "nano.toml:2: access_log: is none of its values; fix: write true or false without quotes, or \
                 \"combined\" or \"json\"",
                "nano.toml:3: log_file: is a folder; fix: name a file, such as \
                 \"/var/log/nano-supervisor/nano.log\"",
                "nano.toml:4: log_max_size: 1B is too small; fix: choose a value from 4KiB to 1024GiB",
                "nano.toml:5: log_keep: -1 is out of range; fix: choose a value from 0 to 1000",
                "nano.toml:6: log_memory: 1B is too small; fix: choose a value from 16KiB to 1GiB",
            ]
        );
    }

    #[test]
    fn flags_come_before_the_file() {
        let (mut logs, _) = logs("access_log = 'json'\nlog_file = 'a.log'");
        let flags = ServerFlags {
            access_log: Some(AccessLog::Off),
            log_file: Some("/c.log".into()),
            access_log_file: Some("/".into()),
            ..ServerFlags::default()
        };
        let mut problems = Problems::default();
        logs.override_with(&flags, &mut problems);
        assert_eq!((logs.access, logs.file, logs.access_file), (AccessLog::Off, Some("/c.log".into()), None));
        let fix = "name a file, such as \"/var/log/nano-supervisor/nano.log\"";
        assert_eq!(problems.texts(), [format!("--access-log-file /: is a folder; fix: {fix}")]);
    }

    #[test]
    fn what_is_open_stays_and_what_is_read_for_each_line_changes() {
        let (running, _) = logs("log_file = 'a.log'");
        let (mut new, _) = logs("log_level = 'warn'\naccess_log = true\nlog_memory = '2MiB'\nlog_keep = 1");
        assert_eq!(new.keep_what_is_fixed(&running), ["log_file", "log_keep"]);
        let expected =
            LogSettings { level: LogLevel::Warn, access: AccessLog::Lines, memory: 2 << 20, ..running };
        assert_eq!(new, expected);
    }
}
