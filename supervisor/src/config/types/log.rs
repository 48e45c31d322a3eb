//! The types of log settings: levels, formats, files.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;
use toml::de::DeValue;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::config::document::value;
use crate::config::errors::Flaw;
use crate::config::setting::{Setting, kinds};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// For app developers. `dev` uses it; it cannot be configured.
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

/// Whether one line is logged per request, and in which format.
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

/// The setting `access_log`: a boolean or a format.
pub(crate) fn access_log() -> Setting<AccessLog> {
    let schema = json!({ "enum": [true, false, "combined", "json"] });
    let show = |access: &AccessLog| match access {
        AccessLog::Off => json!(false),
        AccessLog::Lines => json!(true),
        AccessLog::Combined => json!("combined"),
        AccessLog::Json => json!("json"),
    };
    let choices = AccessLog::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
    kinds::value("form", schema, AccessLog::read, show).choices(choices)
}

/// Checks the path of a log file. Whether it can be written to is found out at the start.
pub(crate) fn file(path: PathBuf) -> Result<PathBuf, Flaw> {
    if path.file_name().is_none() || path.is_dir() {
        return Err(Flaw::new("is a folder", "name a file, such as \"/var/log/nano-supervisor/nano.log\""));
    }
    // The file is reopened while the supervisor runs, whatever its working directory is by then.
    std::path::absolute(path).map_err(|error| Flaw::new(error.to_string(), "write an absolute path"))
}
