//! Completions for shells, and manual pages: the script of `completions` asks the executable, which knows the names of the
//! apps that run.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Command as CommandLine, CommandFactory as _, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Zsh};

use super::{Cli, FAILED, NAME, complain, print, runtime};
use crate::api::client;
use crate::config::found_control_path;

/// The variable by which the script of a shell asks for candidates.
const ASKED: &str = "NANO_SUPERVISOR_COMPLETE";

/// How long a supervisor may take to name its apps: somebody waits at a prompt.
const PATIENCE: Duration = Duration::from_millis(300);

/// A shell with completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash.
    Bash,
    /// Elvish.
    Elvish,
    /// Fish.
    Fish,
    /// Zsh.
    Zsh,
}

/// Answers the script of a shell, if that has started this process, and ends it then.
pub fn answer() {
    CompleteEnv::with_factory(visible).var(ASKED).complete();
}

/// `completions`.
pub(super) fn script(shell: Shell) -> ExitCode {
    let shell: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Zsh => &Zsh,
    };
    let mut script = Vec::new();
    match shell.write_registration(ASKED, NAME, NAME, NAME, &mut script) {
        Ok(()) => {
            let _ = io::stdout().write_all(&script);
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error, FAILED),
    }
}

/// `man`: the page of the whole or of one subcommand, or all of them into a folder.
pub(super) fn manual(command: Option<&str>, folder: Option<&Path>) -> ExitCode {
    let mut whole = visible().disable_help_subcommand(true);
    whole.build();
    let done = match (folder, command) {
        (Some(folder), _) => write_pages(whole, folder),
        (None, None) => clap_mangen::Man::new(whole).render(&mut io::stdout()),
        (None, Some(name)) => match whole.find_subcommand(name) {
            Some(found) => clap_mangen::Man::new(found.clone()).render(&mut io::stdout()),
            None => {
                Err(io::Error::other(format!("there is no subcommand {name}; see nano-supervisor --help")))
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => complain(&error, FAILED),
    }
}

fn write_pages(whole: CommandLine, folder: &Path) -> io::Result<()> {
    let uncreated =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot make {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(uncreated)?;
    let subcommands: Vec<_> = whole.get_subcommands().cloned().collect();
    for command in subcommands.into_iter().chain([whole]) {
        let page = clap_mangen::Man::new(command);
        let written = page.generate_to(folder).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot write {}: {error}", folder.join(page.get_filename()).display()),
            )
        })?;
        print(&format!("wrote {}", written.display()));
    }
    Ok(())
}

/// The command line without what is not for people.
fn visible() -> CommandLine {
    let whole = Cli::command();
    let subcommands: Vec<_> =
        whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    let mut command = CommandLine::new(NAME).version(env!("CARGO_PKG_VERSION")).propagate_version(true);
    command = command.subcommands(subcommands).subcommand_required(true);
    if let Some(about) = whole.get_about() {
        command = command.about(about.clone());
    }
    match whole.get_long_about() {
        Some(about) => command.long_about(about.clone()),
        None => command,
    }
}

/// The names of the apps of the supervisor that the command line so far is about.
pub(super) fn apps() -> Vec<CompletionCandidate> {
    let socket = named_socket(std::env::args_os())
        .unwrap_or_else(|| found_control_path(|name| std::env::var_os(name)));
    let asked = runtime().map(|runtime| {
        runtime.block_on(async { tokio::time::timeout(PATIENCE, client::status(&socket)).await })
    });
    let Ok(Ok(Ok(status))) = asked else { return Vec::new() };
    status
        .apps
        .into_iter()
        .map(|app| CompletionCandidate::new(app.app).help(Some(app.state.into())))
        .collect()
}

/// What the command line says of `--control`.
fn named_socket(words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut words = words.skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "--control" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--control=")) {
            return Some(path.into());
        }
    }
    None
}
