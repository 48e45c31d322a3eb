//! `deploy`, `rollback`, `deploys` and `remove`.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap_complete::ArgValueCandidates;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ask::{Which, ask_with};
use super::names;
use super::output::{FAILED, complain, print, print_json};
use crate::api::deploys::{DeployOrder, DeployRow, Removed, RollbackOrder, Switched};
use crate::config::{AppName, Host};

/// Digits of a digest that are displayed: enough to tell the deploys of an app apart.
const SHOWN_DIGITS: usize = 12;

/// The arguments of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    #[command(flatten)]
    app: DeployedArgs,
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Port of an app that the configuration does not have; 0 lets the kernel pick one.
    #[arg(long, short, value_name = "PORT")]
    port: Option<u16>,
    /// Address on which such an app listens [default: all, IPv6 and IPv4].
    #[arg(long, value_name = "ADDRESS")]
    host: Option<Host>,
    /// Hosts that such an app serves, by which apps share a port [default: all].
    #[arg(long, value_name = "HOST,...", value_delimiter = ',')]
    hosts: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The arguments of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    app: DeployedArgs,
    /// How the digest of the deploy begins [default: the one before the current].
    #[arg(long, value_name = "DIGEST")]
    to: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An app that is deployed, or is to be.
#[derive(Debug, Args)]
pub struct DeployedArgs {
    /// Name of the app.
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(names::apps))]
    name: AppName,
    /// Which supervisor.
    #[command(flatten)]
    which: Which,
}

/// The response about an app's deploys.
#[derive(Serialize, Deserialize)]
pub(super) struct Listed {
    app: String,
    pub(super) deploys: Vec<DeployRow>,
}

impl DeployedArgs {
    /// A path below the app's route.
    fn path(&self, end: &str) -> String {
        format!("/v1/apps/{}{end}", self.name)
    }
}

/// `deploy`.
pub(super) fn deploy(DeployArgs { app, folder, port, host, hosts, json }: &DeployArgs) -> ExitCode {
    // The supervisor has another working directory.
    let asked = std::path::absolute(folder).and_then(|path| {
        let host = host.map(|Host(host)| host);
        let order = DeployOrder { path, port: *port, host, hosts: hosts.clone() };
        let body = serde_json::to_value(order).map_err(io::Error::other)?;
        ask_with::<Switched>(&app.which, Method::POST, &app.path("/deploy"), Some(&body))
    });
    show_switched(asked, "deployed", *json)
}

/// `rollback`.
pub(super) fn rollback(RollbackArgs { app, to, json }: &RollbackArgs) -> ExitCode {
    let body = json!(RollbackOrder { to: to.clone() });
    let asked = ask_with(&app.which, Method::POST, &app.path("/rollback"), Some(&body));
    show_switched(asked, "rolled back to", *json)
}

fn show_switched(asked: io::Result<Switched>, what: &str, json: bool) -> ExitCode {
    let switched = match asked {
        Ok(switched) => switched,
        Err(error) => return complain(&error, FAILED),
    };
    if json {
        print_json(&switched);
        return ExitCode::SUCCESS;
    }
    let Switched { app, digest, copied, .. } = &switched;
    let size = copied.as_ref().map(|copied| {
        let (files, bytes) = (copied.files, bytesize::ByteSize(copied.bytes));
        let same = if copied.is_new { "" } else { ", the same as in an earlier deploy" };
        format!(" ({files} files, {bytes}{same})")
    });
    print(&format!("{app}: {what} {}{}", short(digest), size.unwrap_or_default()));
    ExitCode::SUCCESS
}

/// `deploys`.
pub(super) fn list(app: &DeployedArgs, json: bool) -> ExitCode {
    match ask_with::<Listed>(&app.which, Method::GET, &app.path("/deploys"), None) {
        Ok(listed) if json => print_json(&listed),
        Ok(Listed { app, deploys }) if deploys.is_empty() => print(&format!("{app} was never deployed")),
        Ok(Listed { deploys, .. }) => {
            for DeployRow { digest, deployed_at, is_current } in &deploys {
                let mark = if *is_current { "  current" } else { "" };
                print(&format!("{}  {deployed_at}{mark}", short(digest)));
            }
        }
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// `remove`.
pub(super) fn remove(app: &DeployedArgs) -> ExitCode {
    match ask_with::<Removed>(&app.which, Method::DELETE, &app.path(""), None) {
        Ok(Removed { app, folder: None }) => print(&format!("{app}: removed")),
        Ok(Removed { app, folder: Some(folder) }) => {
            print(&format!("{app}: served from {} again", folder.display()));
        }
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}

/// The digits of a digest that are displayed.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..SHOWN_DIGITS).unwrap_or(digest)
}
