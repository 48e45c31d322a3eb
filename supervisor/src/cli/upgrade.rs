//! `upgrade`: has a running supervisor hand over to its executable as it is now.

use std::process::ExitCode;

use hyper::Method;

use super::ask::{Which, ask};
use super::output::{FAILED, complain, print};
use crate::ops::upgrade::Upgraded;

/// `upgrade`.
pub(super) fn upgrade(which: &Which) -> ExitCode {
    match ask::<Upgraded>(which, Method::POST, "/v1/upgrade") {
        Ok(Upgraded { pid, failed }) => {
            print(&format!("handed over to pid {pid}"));
            for (app, why) in &failed {
                print(&format!(
                    "{app}: was ready, and has failed there, as it would have at any other start: {why}"
                ));
            }
        }
        Err(error) => return complain(&error, FAILED),
    }
    ExitCode::SUCCESS
}
