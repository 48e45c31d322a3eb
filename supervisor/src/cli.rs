//! The command line: subcommands, flags, help texts and output.
//!
//! One file for each command or group of commands. `ask`: the client of the control socket; `output`: printing and exit
//! codes; `terminal`: terminal size and text layout; `names`: app names for completions.

mod ask;
mod check;
mod complete;
mod crashes;
mod deploys;
mod dev;
mod init;
mod logs;
mod names;
mod output;
mod reload;
mod restart;
mod runtime;
mod schema;
mod serve;
mod status;
mod terminal;
mod trigger;
mod upgrade;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::ArgValueCandidates;

use crate::config::sources::DEFAULT_PORT;
use crate::config::{Host, ServerFlags, Sources};
use ask::{AppArgs, Which};
use complete::Shell;
use deploys::{DeployArgs, DeployedArgs, RollbackArgs};
use init::{Template, init_app};
use logs::LogsArgs;
use output::NAME;
use status::ListArgs;

/// Self-hosted, crash-isolated hosting for Workers-style JavaScript apps.
///
/// An app is a folder with an index.js whose default export has a fetch handler:
///
///   export default { async fetch(request, env, ctx) { return new Response("hi") } }
///
/// Each app runs in a process of its own. One that crashes, hangs or runs out
/// of memory answers errors for itself and is restarted; no other app notices.
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    version,
    propagate_version = true,
    verbatim_doc_comment,
    max_term_width = 110
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve apps until SIGTERM or Ctrl-C
    ///
    /// The first signal drains: nothing new is accepted, and what is in flight is finished up to --drain-timeout. A
    /// second signal ends at once.
    #[command(after_long_help = SERVE_EXAMPLES)]
    Serve {
        /// What to serve, and how.
        #[command(flatten)]
        what: What,
        /// Settings of the supervisor; each comes before the same field of `[server]` in the configuration file.
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Validate the configuration, load every app once and ask its `health_path`, without serving
    ///
    /// Takes what `serve` takes. Exit code 0 if all is well, 1 if an app does not load or, with --strict, lacks a binding of
    /// its wrangler file, 2 if the configuration is wrong.
    Check {
        /// What to check.
        #[command(flatten)]
        what: What,
        /// Settings of the supervisor; each comes before the same field of `[server]` in the configuration file.
        #[command(flatten)]
        server: ServerFlags,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show every app of a running supervisor, those with problems first, or all that is known of one
    Status {
        /// Only this app, in detail.
        #[arg(value_name = "APP", add = ArgValueCandidates::new(names::apps))]
        app: Option<String>,
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Show it again and again until Ctrl-C, every so many seconds [default: 1].
        #[arg(long, short, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1",
              value_parser = clap::value_parser!(u64).range(1..=3600))]
        watch: Option<u64>,
    },
    /// List the apps of a running supervisor: name, state, address
    List(ListArgs),
    /// Exit with 0 if a running supervisor serves, for container health checks, and name the apps that are not ready
    Health {
        /// Exit with 0 if these apps are ready, or were stopped.
        #[arg(value_name = "APP", add = ArgValueCandidates::new(names::apps))]
        apps: Vec<String>,
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
    },
    /// Show how apps have crashed: why, their last lines, and the requests that were lost
    Crashes {
        /// Only those of this app.
        #[arg(value_name = "APP", add = ArgValueCandidates::new(names::apps))]
        app: Option<String>,
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show which requests of an app are suspected of making it crash, and which are refused for it
    Quarantine(crashes::QuarantineArgs),
    /// Have a running supervisor read its configuration again
    ///
    /// Adds, removes and replaces what has changed, without dropping a request, and touches nothing else. An invalid
    /// configuration changes nothing, and neither does an app that does not load. SIGHUP does the same.
    Reload {
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have a running supervisor hand over to its executable as it is now, such as a new version
    ///
    /// The successor takes over every listening socket, and the old supervisor drains once every app that was ready is
    /// ready there. If that does not happen, the old one goes on. SIGUSR2 does the same.
    Upgrade {
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
    },
    /// Start an app that was stopped or has failed, and wait until it is ready
    Start(AppArgs),
    /// Stop an app, after what is in flight; its clients get 503
    Stop(AppArgs),
    /// Restart an app, and wait until it is ready
    ///
    /// Requests that come meanwhile wait. With --rolling the new worker is ready before the old one goes, and if it does
    /// not become ready, the old one stays.
    Restart {
        /// Its name.
        #[arg(value_name = "APP", required_unless_present = "all", add = ArgValueCandidates::new(names::apps))]
        app: Option<String>,
        /// Every app but those that were stopped, one after the other.
        #[arg(long, conflicts_with = "app")]
        all: bool,
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
        /// Start the new worker before the old one ends.
        #[arg(long)]
        rolling: bool,
    },
    /// Have an app's scheduled handler run now, and say how that ended
    ///
    /// Exit code 0 if it ran without an exception. A cron that is run by hand counts as one of its runs.
    Trigger {
        /// Which app.
        #[command(flatten)]
        app: AppArgs,
        /// The cron expression that the handler gets [default: the app's, if it has only one].
        #[arg(long, value_name = "TEXT")]
        cron: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of nano.toml, by which editors complete and check it
    ///
    /// Write it to a file:
    ///
    ///   nano-supervisor schema > nano.schema.json
    ///
    /// and name that in the first line of nano.toml:
    ///
    ///   #:schema ./nano.schema.json
    #[command(verbatim_doc_comment)]
    Schema,
    /// Print completions for a shell
    ///
    /// They know the names of the apps that run. Such as:
    /// nano-supervisor completions bash > /etc/bash_completion.d/nano-supervisor
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print a manual page, or write all of them
    ///
    /// There is one of the whole and one of each subcommand, with every option. Such as:
    /// nano-supervisor man --dir /usr/local/share/man/man1
    Man {
        /// Of this subcommand.
        #[arg(value_name = "COMMAND", conflicts_with = "dir")]
        command: Option<String>,
        /// Write every page into this folder.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Show the latest lines of an app, or of all apps and the supervisor itself
    ///
    /// They are kept in memory (`log_memory`), so this works wherever the log goes. The access log is not among them.
    Logs {
        /// Which app.
        #[arg(value_name = "APP", add = ArgValueCandidates::new(names::apps))]
        app: Option<String>,
        /// Which lines, and how.
        #[command(flatten)]
        lines: LogsArgs,
        /// Which supervisor.
        #[command(flatten)]
        which: Which,
    },
    /// Have a running supervisor serve an app from a copy of a folder
    ///
    /// The folder is copied as it is, packages included, and the app is switched to the copy without losing a request: a new
    /// app, one that was deployed before, or one of the configuration, of which everything else stays as it says there. If it
    /// does not become ready, what there was goes on. Deploys outlive a restart of the supervisor.
    Deploy(DeployArgs),
    /// Switch an app back to an earlier deploy
    Rollback(RollbackArgs),
    /// Show the deploys of an app, the current one first
    Deploys {
        /// Which app.
        #[command(flatten)]
        app: DeployedArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove an app that was deployed, after what is in flight
    ///
    /// An app of the configuration goes back to the folder that stands there.
    Remove(DeployedArgs),
    /// Write a small app to start from
    Init {
        /// The folder, which is made.
        #[arg(value_name = "NAME")]
        folder: PathBuf,
        /// What to start from.
        #[arg(long, short, value_enum, default_value_t = Template::Hello)]
        template: Template,
    },
    /// Serve a folder on this machine, and follow changes of its files
    ///
    /// In development mode, on 127.0.0.1. After each save the new code is loaded; if it does not load, the terminal
    /// and every answer say why until a save that does. What is in node_modules and .git does not count.
    Dev {
        /// Folder of the app.
        #[arg(value_name = "FOLDER", default_value = ".")]
        folder: PathBuf,
        /// Its port; 0 lets the kernel pick one.
        #[arg(long, short, value_name = "PORT", default_value_t = DEFAULT_PORT)]
        port: u16,
        /// Environment of its wrangler file, such as `staging` for `[env.staging]`.
        #[arg(long = "env", value_name = "NAME")]
        environment: Option<String>,
        /// Listen on this Unix-domain socket for `status`, `reload` and the like [default: see `status --help`].
        #[arg(long, value_name = "SOCKET")]
        control: Option<PathBuf>,
    },
    /// What the supervisor starts for each app; not for people.
    #[command(hide = true)]
    Worker(WorkerFlags),
}

/// How the supervisor starts a worker.
#[derive(Debug, Args)]
pub struct WorkerFlags {
    /// How many request connections it inherits.
    #[arg(long)]
    pub connections: u16,
    /// How the name of its control group begins; the folder that is to be in follows the connections.
    #[arg(long)]
    pub cgroup: Option<String>,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  One app on port 8080:
    nano-supervisor serve ./my-app --port 8080

  Several apps, each on its own port:
    nano-supervisor serve --app blog=./blog:8081 --app shop=./shop:8082

  Every folder in ./apps, on one port, told apart by host (http://blog.localhost:8080):
    nano-supervisor serve --apps-dir ./apps

  From a file, which can also set env, hosts and limits:
    nano-supervisor serve --config nano.toml

    # nano.toml
    [apps.blog]
    path = \"./blog\"
    port = 8081
    env = { GREETING = \"hello\" }
    heap = \"256MiB\"
";

/// Which apps.
#[derive(Debug, Args)]
pub struct What {
    /// Folder of an app, served on --port.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// An app with its own port; may be repeated.
    #[arg(long = "app", value_name = "NAME=PATH:PORT")]
    apps: Vec<String>,
    /// A folder of apps: every folder in it is served on --port under its name as host.
    ///
    /// `blog` is served as blog and blog.localhost (and blog.DOMAIN with --domain), `blog.example.com` as just that,
    /// `default` as every other host.
    #[arg(long, value_name = "DIR")]
    apps_dir: Option<PathBuf>,
    /// Also serve each app of --apps-dir as NAME.DOMAIN.
    #[arg(long, value_name = "DOMAIN", requires = "apps_dir")]
    domain: Option<String>,
    /// A configuration file with [apps.NAME] sections.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Port of FOLDER or --apps-dir; 0 lets the kernel pick one.
    #[arg(long, short, value_name = "PORT", help = format!("Port of FOLDER or --apps-dir [default: {DEFAULT_PORT}]"))]
    port: Option<u16>,
    /// Address to listen on, for the apps named on the command line [default: all, IPv6 and IPv4].
    #[arg(long, value_name = "ADDRESS")]
    host: Option<Host>,
    /// Environment of the wrangler files, such as `staging` for `[env.staging]`.
    ///
    /// It counts for every app whose section in the configuration file has no `environment` of its own.
    #[arg(long = "env", value_name = "NAME")]
    environment: Option<String>,
    /// Show each app's errors to its clients: a page for browsers, a field `detail` in JSON.
    ///
    /// For developing on your own machine, best with --host 127.0.0.1: everyone who reaches an app sees its source.
    #[arg(long, visible_alias = "dev")]
    development: bool,
}

impl What {
    fn sources(self, server: ServerFlags) -> Sources {
        Sources {
            config: self.config,
            folder: self.folder,
            apps_dir: self.apps_dir,
            domain: self.domain,
            apps: self.apps,
            host: self.host,
            port: self.port,
            environment: self.environment,
            development: self.development,
            for_developers: false,
            server,
        }
    }
}

/// Answers a completion request of a shell and exits the process. Returns at once if this is no such request.
pub fn complete() {
    complete::answer(Cli::command);
}

/// Runs a command, and returns the exit code. `worker` is the main function of a worker process, which this crate does not
/// depend on.
pub fn run(cli: Cli, worker: impl FnOnce(WorkerFlags) -> ExitCode) -> ExitCode {
    match cli.command {
        Command::Serve { what, server } => serve::serve_apps(what.sources(server)),
        Command::Check { what, server, json } => check::check_apps(&what.sources(server), json),
        Command::Status { app, which, json, watch: None } => status::status(app.as_deref(), &which, json),
        Command::Status { app, which, json, watch: Some(seconds) } => {
            status::watch(app.as_deref(), &which, json, Duration::from_secs(seconds))
        }
        Command::List(list) => status::list(&list),
        Command::Schema => schema::print_schema(),
        Command::Completions { shell } => complete::script(shell),
        Command::Man { command, dir } => {
            complete::manual(&Cli::command(), command.as_deref(), dir.as_deref())
        }
        Command::Health { apps, which } => status::health(&apps, &which),
        Command::Crashes { app, which, json } => crashes::crashes(app.as_deref(), &which, json),
        Command::Quarantine(suspects) => crashes::quarantine(&suspects),
        Command::Reload { which, json } => reload::reload(&which, json),
        Command::Upgrade { which } => upgrade::upgrade(&which),
        Command::Start(AppArgs { app, which }) => restart::tell(&app, &which, "start"),
        Command::Stop(AppArgs { app, which }) => restart::tell(&app, &which, "stop"),
        Command::Restart { app, which, rolling, .. } => restart::restart(app.as_deref(), &which, rolling),
        Command::Trigger { app, cron, json } => trigger::trigger(&app, cron.as_deref(), json),
        Command::Logs { app, lines, which } => logs::logs(app.as_deref(), &lines, &which),
        Command::Deploy(deploy) => deploys::deploy(&deploy),
        Command::Rollback(rollback) => deploys::rollback(&rollback),
        Command::Deploys { app, json } => deploys::list(&app, json),
        Command::Remove(app) => deploys::remove(&app),
        Command::Init { folder, template } => init_app(&folder, template),
        Command::Dev { folder, port, environment, control } => {
            dev::develop(folder, port, environment, control)
        }
        Command::Worker(flags) => worker(flags),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
