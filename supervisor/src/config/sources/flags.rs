//! The flags of the supervisor's own settings. Each setting that declares a flag has one; flags take precedence over the file.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command as CommandLine, FromArgMatches};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::document::section::{Document, Section};
use crate::config::errors::Problems;
use crate::config::schema::server::{self, ServerDraft, ServerSettings};
use crate::config::setting::{About, ByDefault, Flag, SettingGroup as _};

/// The supervisor's own settings as given on the command line: names and values.
#[derive(Debug, Clone, Default)]
pub struct ServerFlags(Vec<GivenFlag>);

#[derive(Debug, Clone)]
struct GivenFlag {
    /// The setting.
    name: &'static str,
    value: Value,
    /// The flag, for people.
    shown: String,
}

#[derive(Debug, Clone)]
enum Value {
    Switch(bool),
    Text(String),
}

impl ServerFlags {
    /// Adds the flag of this setting, as if it was given.
    #[must_use]
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        if let Some((about, _)) = declared().find(|(about, _)| about.name == name) {
            self.0.push(GivenFlag::of(about, value.to_owned()));
        }
        self
    }

    /// Reads the flags into the settings.
    pub(crate) fn read(&self, server: &mut ServerSettings, draft: &mut ServerDraft, problems: &mut Problems) {
        for GivenFlag { name, value, shown } in &self.0 {
            let value = match value {
                Value::Switch(yes) => DeValue::Boolean(*yes),
                Value::Text(text) => as_given(name, text),
            };
            let table = DeTable::from_iter([(Spanned::new(0..0, (*name).into()), Spanned::new(0..0, value))]);
            let section = Section::top(Document::flag(shown), &table);
            server.read(&section, problems);
            draft.read(&section, problems);
        }
    }
}

/// Converts a flag's text to a number or a boolean if the setting accepts one, and to text otherwise.
fn as_given<'a>(name: &str, text: &'a str) -> DeValue<'a> {
    let is_text = server::all().any(|about| about.name == name && has_texts(&about.schema));
    let literal = DeValue::parse(text).ok().filter(|_| !is_text).map(Spanned::into_inner);
    literal
        .filter(|value| matches!(value, DeValue::Integer(_) | DeValue::Boolean(_)))
        .unwrap_or_else(|| DeValue::String(text.into()))
}

/// Returns whether the schema accepts any text.
fn has_texts(schema: &Json) -> bool {
    let is_one = |schema: &Json| schema["type"] == "string";
    is_one(schema) || schema["anyOf"].as_array().is_some_and(|any| any.iter().any(is_one))
}

impl GivenFlag {
    fn of(about: &About, value: String) -> Self {
        Self { name: about.name, shown: format!("--{} {value}", about.flag_name), value: Value::Text(value) }
    }
}

/// Returns the settings that have flags.
fn declared() -> impl Iterator<Item = (&'static About, &'static Flag)> {
    server::all().filter_map(|about| Some((about, about.flag.as_ref()?)))
}

impl Args for ServerFlags {
    fn augment_args(command: CommandLine) -> CommandLine {
        // Deferred, because a worker does not need these flags to start.
        command.defer(|command| declared().fold(command, with_flag))
    }

    fn augment_args_for_update(command: CommandLine) -> CommandLine {
        Self::augment_args(command)
    }
}

fn with_flag(command: CommandLine, (about, flag): (&'static About, &'static Flag)) -> CommandLine {
    let command = command.arg(argument(about, flag));
    let Some((name, help)) = flag.off else { return command };
    let off = Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    command.arg(off.conflicts_with(about.name))
}

fn argument(about: &'static About, flag: &Flag) -> Arg {
    let default = match &about.by_default {
        _ if flag.value.is_none() => String::new(),
        ByDefault::Told(text) => format!(" [default: {text}]"),
        ByDefault::Value(Json::String(text)) => format!(" [default: {text}]"),
        ByDefault::Value(value) => format!(" [default: {value}]"),
    };
    let argument = Arg::new(about.name)
        .long(about.flag_name.as_str())
        .help(format!("{}{default}", about.summary()))
        .long_help(format!("{}{default}", about.plain()));
    let Some(value) = flag.value else { return argument.action(ArgAction::SetTrue) };
    let mut argument = argument.value_name(value);
    if !about.choices.is_empty() {
        argument = argument.value_parser(PossibleValuesParser::new(about.choices.clone()));
    }
    if let Some(bare) = flag.bare {
        argument = argument.num_args(0..=1).require_equals(true).default_missing_value(bare);
    }
    match flag.variable {
        Some(variable) => argument.env(variable).hide_env_values(true),
        None => argument,
    }
}

impl FromArgMatches for ServerFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for (about, flag) in declared() {
            let switch = |value| GivenFlag {
                name: about.name,
                value: Value::Switch(value),
                shown: format!("--{}", about.flag_name),
            };
            if flag.value.is_none() {
                given.extend(matches.get_flag(about.name).then(|| switch(true)));
                continue;
            }
            // An empty environment variable counts as not set.
            let text = matches.get_one::<String>(about.name);
            let text = text.filter(|text| flag.variable.is_none() || !text.is_empty());
            given.extend(text.map(|text| GivenFlag::of(about, text.clone())));
            given.extend(flag.off.filter(|(off, _)| matches.get_flag(off)).map(|_| switch(false)));
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::*;
    use crate::config::types::control::ControlPath;
    use crate::config::types::forwarded::ForwardedPolicy;
    use crate::config::types::log::{AccessLog, LogFormat, LogLevel};
    use crate::config::types::own_folder::OwnFolder;

    /// Returns the settings of the file with these arguments over them, and the problems.
    fn server(file: &str, arguments: &[&str]) -> (ServerSettings, ServerDraft, Vec<String>) {
        let command = ServerFlags::augment_args(CommandLine::new("serve").no_binary_name(true));
        let flags = ServerFlags::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap();
        let (mut server, mut draft) = (ServerSettings::default(), ServerDraft::default());
        let mut problems = Problems::default();
        let table = DeTable::parse(file).unwrap();
        let section =
            Section::top(Document::config("nano.toml", file).within(Path::new("/etc")), table.get_ref());
        server.read(&section, &mut problems);
        draft.read(&section, &mut problems);
        flags.read(&mut server, &mut draft, &mut problems);
        (server, draft, problems.texts())
    }

    #[test]
    fn flags_come_before_the_file() {
        let file = "control = 'x.sock'\ndrain_timeout = '1s'\nlog_file = 'a.log'\nadmin = '127.0.0.1:1'\ncache_dir = 'c'\n\
                    otlp_endpoint = 'http://file'";
        let (server_, draft, problems) = server(
            file,
            &[
                "--io-threads=2",
                "--log-format=json",
                "--log-level=debug",
                "--access-log",
                "--control=/c.sock",
                "--drain-timeout=7s",
                "--forwarded=append",
                "--log-file=/c.log",
                "--admin=[::1]:2",
                "--admin-token-file=t",
                "--no-cache",
                "--state-dir=s",
                "--otlp-endpoint=http://flag:1",
                "--strict",
            ],
        );
        assert_eq!(problems, [""; 0]);
        let expected = ServerSettings {
            io_threads: 2,
            log_format: LogFormat::Json,
            log_level: LogLevel::Debug,
            access_log: AccessLog::Lines,
            log_file: Some("/c.log".into()),
            control: ControlPath::At("/c.sock".into()),
            drain_timeout: Duration::from_secs(7),
            forwarded: ForwardedPolicy::Append,
            strict: true,
            ..ServerSettings::default()
        };
        assert_eq!(server_, expected);
        let (address, place) = draft.admin.unwrap();
        assert_eq!(
            (address, place.to_string()),
            ("[::1]:2".parse::<SocketAddr>().unwrap(), "--admin [::1]:2".into())
        );
        assert_eq!(draft.admin_token_file.unwrap().0, PathBuf::from("t"));
        assert_eq!(draft.cache_dir, OwnFolder::Off);
        assert!(matches!(draft.state_dir, OwnFolder::At(path, _) if path == Path::new("s")));
        assert_eq!(draft.otlp_endpoint.unwrap(), "http://flag:1".parse().unwrap());
        let forms = [("--access-log=false", AccessLog::Off), ("--access-log=combined", AccessLog::Combined)];
        for (flag, form) in forms {
            assert_eq!(server("access_log = 'json'", &[flag]).0.access_log, form);
        }
        // The environment variable may be empty.
        let (_, draft, problems) = server("otlp_endpoint = 'http://file'", &["--otlp-endpoint="]);
        assert_eq!((draft.otlp_endpoint, problems), (Some("http://file".parse().unwrap()), vec![]));
        // A path is never read as a boolean.
        assert!(
            matches!(server("", &["--cache-dir=false"]).1.cache_dir, OwnFolder::At(path, _) if path == Path::new("false"))
        );
    }

    #[test]
    fn wrong_flags_are_reported_as_they_were_given_and_leave_the_file() {
        let arguments =
            ["--io-threads=0", "--drain-timeout=5", "--access-log-file=/", "--forwarded=x", "--admin=x"];
        let (server, draft, problems) = server("io_threads = 3\nadmin = '127.0.0.1:1'", &arguments);
        assert_eq!((server.io_threads, draft.admin.unwrap().0.port()), (3, 1));
        for (problem, expected) in problems.iter().zip([
            "--io-threads 0: 0 is too small; fix: choose a value from 1 to 256",
            "--access-log-file /: is a folder; fix: name a file, such as \"/var/log/nano-supervisor/nano.log\"",
            "--forwarded x: \"x\" is neither a word nor an address; fix: ",
            "--drain-timeout 5: 5 has no unit; fix: write \"5s\" for seconds or \"5ms\"",
            "--admin x: \"x\" is not an address with a port; fix: write address and port,",
        ]) {
            assert!(problem.starts_with(expected), "{problem}");
        }
        assert_eq!(problems.len(), arguments.len());
    }

    #[test]
    fn the_help_is_what_is_documented() {
        let mut command = ServerFlags::augment_args(CommandLine::new("serve").term_width(1000));
        let short = command.render_help().to_string();
        for part in [
            "Threads that serve connections [default: half the cores]\n",
            "How long what is in flight may take to finish at the end [default: 25s]\n",
            "Form of log lines [default: text]",
            "--access-log[=<FORM>]",
            "Translate modules anew at each start\n",
            "Serve no app at all if one of them cannot be run\n",
            "[env: OTEL_EXPORTER_OTLP_ENDPOINT]",
        ] {
            assert!(short.contains(part), "{part:?} in {short}");
        }
        // The whole documentation, without its links.
        let long = command.render_long_help().to_string();
        for part in [
            "Otherwise that app alone has failed.",
            "`\"combined\"` as nginx does",
            "With it there need be no app to start with.",
            "It is required if other machines can reach the listener",
        ] {
            assert!(long.contains(part) && !long.contains("]("), "{part:?} in {long}");
        }
    }
}
