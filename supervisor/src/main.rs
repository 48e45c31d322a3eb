//! The one executable: the supervisor for people, and the worker that the supervisor starts from it.

use clap::Parser as _;
use nano_supervisor::cli::{self, Cli, WorkerFlags};
use nano_worker::WorkerArgs;

fn main() -> std::process::ExitCode {
    cli::complete();
    // The only place that names the worker crate: the supervisor process itself never touches V8.
    cli::run(Cli::parse(), |flags| {
        let WorkerFlags { connections, cgroup } = flags;
        nano_worker::run(WorkerArgs { connections, cgroup })
    })
}
