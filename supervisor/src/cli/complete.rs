//! `completions` and `man`. The completion scripts call this executable, which asks the running supervisor for app names.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command as CommandLine, ValueEnum};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Zsh};

use super::output::{FAILED, NAME, complain, print};

/// The environment variable with which a completion script asks for candidates.
const ASKED: &str = "NANO_SUPERVISOR_COMPLETE";

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

/// If a completion script has started this process, answers it and exits. `whole` is the command line.
pub(super) fn answer(whole: fn() -> CommandLine) {
    CompleteEnv::with_factory(|| visible(&whole())).var(ASKED).complete();
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

/// `man`: prints the page of the executable or of one subcommand, or writes all pages into a folder.
pub(super) fn manual(whole: &CommandLine, command: Option<&str>, folder: Option<&Path>) -> ExitCode {
    let mut whole = visible(whole).disable_help_subcommand(true);
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
        // The reader, such as a pager, has closed the pipe.
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

/// The command line without hidden subcommands.
fn visible(whole: &CommandLine) -> CommandLine {
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
