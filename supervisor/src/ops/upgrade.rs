//! Upgrade: hands over to a new supervisor process, such as a new version, while clients connect. The successor inherits
//! every listening socket, starts its own workers and reports when it is ready; then this process drains and exits. If the
//! successor fails apps that are ready here, it is killed instead.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::time::Duration;

use command_fds::CommandFdExt as _;
use command_fds::FdMapping;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::apps::fleet::Fleet;
use crate::apps::inherited::{HANDOVER, Handover};
use crate::model::change_error::ChangeError;
use crate::model::state::AppState;

/// How long a successor may take to try every app. App starts have timeouts of their own.
const TRY_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Timeout for a message or an exit that is imminent.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Prefix of the line that lets a successor take over. The state that it inherits follows, as JSON.
const GO: &str = "go";

/// The one message of a successor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum SuccessorMessage {
    /// It has tried every app.
    Tried {
        /// Each app that is not ready, with the reason.
        unready: BTreeMap<String, String>,
    },
    /// It exits. A predecessor of a version that does not know this message waits for the exit.
    Ends {
        /// Why, for people.
        why: String,
    },
}

/// The result of an upgrade.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Upgraded {
    /// The successor's process id.
    pub pid: u32,
    /// Apps that are ready here but failed in the successor, as they would here by now; each with the reason.
    #[serde(default)]
    pub failed: Vec<(String, String)>,
}

/// The command line of this process, with which a successor is started.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    executable: PathBuf,
    arguments: Vec<OsString>,
}

impl Invocation {
    /// That of this process. Call early: the file may be replaced later.
    ///
    /// # Errors
    /// If the system does not report the executable.
    pub(crate) fn own() -> io::Result<Self> {
        Ok(Self { executable: std::env::current_exe()?, arguments: std::env::args_os().skip(1).collect() })
    }
}

/// Why a successor would serve its clients worse than this supervisor does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Worse {
    /// Apps that are ready here are not ready there, and that is not their own fault.
    #[error("not ready there: {apps}; {why}")]
    Unready {
        /// The apps, with their states there.
        apps: String,
        /// Why the successor is to blame, or the fix.
        why: String,
    },
    /// It ended, or did not say that it is ready.
    #[error("{0}")]
    Ended(String),
    /// It did not try every app in time.
    #[error("it took too long")]
    TooLong,
}

/// Starts a successor, and hands over if every app that is ready here is ready there, except those that `excuse` confirms
/// would fail here as well. The caller drains then.
///
/// # Errors
/// Why there was no hand-over. The successor has been killed then.
pub(crate) async fn upgrade(
    fleet: &Fleet,
    admin: Option<TcpListener>,
    invocation: &Invocation,
    excuse: impl AsyncFnOnce(Vec<(String, String)>) -> Result<Vec<(String, String)>, Worse>,
) -> Result<Upgraded, ChangeError> {
    if std::process::id() == 1 {
        return Err(ChangeError::Conflict(
            "this is the first process of a container, which ends with it; fix: start another container"
                .into(),
        ));
    }
    let (mut child, ours) = start(fleet, admin, invocation).map_err(|error| {
        ChangeError::System(format!("cannot start {}: {error}", invocation.executable.display()))
    })?;
    let pid = child.id().unwrap_or_default();
    info!(pid, executable = %invocation.executable.display(), "successor started");
    let message = match timeout(TRY_TIMEOUT, read_message(ours)).await {
        Ok(Ok((SuccessorMessage::Tried { unready }, talk))) => Ok((unready, talk)),
        Ok(Ok((SuccessorMessage::Ends { why }, _))) => Err(Worse::Ended(ended(&mut child, Some(why)).await)),
        Ok(Err(_)) => Err(Worse::Ended(ended(&mut child, None).await)),
        Err(_) => Err(Worse::TooLong),
    };
    let worse = match message {
        Ok((unready, talk)) => match excuse(missing(fleet, &unready)).await {
            Ok(failed) => {
                for (app, why) in &failed {
                    warn!(
                        app,
                        why,
                        "the app is ready here, and has failed in the successor, as it would here by now"
                    );
                }
                return send_go(fleet, talk, pid).await.map(|pid| Upgraded { pid, failed });
            }
            Err(worse) => worse,
        },
        Err(why) => why,
    };
    let _ = child.start_kill();
    let _ = child.wait().await;
    warn!(pid, why = %worse, "the successor was ended; everything goes on as before");
    Err(ChangeError::Conflict(format!("the successor was ended: {worse}")))
}

fn start(
    fleet: &Fleet,
    admin: Option<TcpListener>,
    invocation: &Invocation,
) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut mappings = Vec::new();
    let mut hand = |parent_fd: std::os::fd::OwnedFd| {
        let child_fd = 3 + i32::try_from(mappings.len()).unwrap_or(i32::MAX);
        mappings.push(FdMapping { parent_fd, child_fd });
        child_fd
    };
    let talk = hand(theirs.into());
    let sockets = fleet.hand_over(&mut hand)?;
    let admin = admin.map(|socket| hand(socket.into()));
    let handover = serde_json::to_string(&Handover { talk, sockets, admin, stopped: fleet.stopped() })
        .map_err(io::Error::other)?;
    #[expect(clippy::disallowed_methods, reason = "it is no worker, and outlives this process")]
    let mut command = Command::new(&invocation.executable);
    command
        .args(&invocation.arguments)
        .env(HANDOVER, handover)
        .env_remove("LISTEN_FDS")
        .env_remove("LISTEN_PID");
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    Ok((command.spawn()?, UnixStream::from_std(ours)?))
}

async fn read_message(talk: UnixStream) -> io::Result<(SuccessorMessage, BufReader<UnixStream>)> {
    let mut reader = BufReader::new(talk);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    Ok((serde_json::from_str(&line)?, reader))
}

/// Describes how the successor has ended; `why` is its message, if it sent one.
async fn ended(child: &mut Child, why: Option<String>) -> String {
    let ended = match timeout(MESSAGE_TIMEOUT, child.wait()).await {
        Ok(Ok(status)) => format!("it ended ({status})"),
        Ok(Err(_)) | Err(_) => "it did not say that it is ready".to_owned(),
    };
    match why {
        Some(why) => format!("{ended}: {why}"),
        None => format!("{ended}; it had no time to say why: see what it has printed or logged"),
    }
}

/// The apps that are ready here and not in the successor, with their state there.
fn missing(fleet: &Fleet, unready: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let ready = fleet.registry().gauges().into_iter().filter(|app| app.state == AppState::Ready);
    ready.filter_map(|app| unready.get(&app.name).map(|why| (app.name, why.clone()))).collect()
}

/// Lets the successor take over, and waits until it serves the control socket.
async fn send_go(fleet: &Fleet, mut talk: BufReader<UnixStream>, pid: u32) -> Result<u32, ChangeError> {
    let legacy = serde_json::to_string(&fleet.legacy()).unwrap_or_default();
    if let Err(error) = talk.write_all(format!("{GO} {legacy}\n").as_bytes()).await {
        fleet.schedule().turn(true);
        return Err(ChangeError::Conflict(format!("the successor has ended: {error}")));
    }
    info!(pid, "the successor takes over");
    let _ = timeout(MESSAGE_TIMEOUT, talk.read_line(&mut String::new())).await;
    Ok(pid)
}

/// The previous supervisor, which waits for the message that this one serves the control socket.
#[derive(Debug)]
pub(crate) struct Predecessor(UnixStream);

impl Predecessor {
    /// Sends that message.
    pub(crate) fn confirm(self) {
        // It may have exited already.
        let _ = self.0.try_write(b"taken\n");
    }
}

/// The successor's side if it cannot start: reports the reason to its predecessor, if there is one.
pub(crate) fn report_failure(talk: Option<StdUnixStream>, why: &dyn std::fmt::Display) {
    let Some(mut talk) = talk else { return };
    let word = serde_json::to_string(&SuccessorMessage::Ends { why: why.to_string() }).unwrap_or_default();
    // The predecessor waits for this message or for our exit.
    let _ = talk.set_nonblocking(false).and_then(|()| writeln!(talk, "{word}"));
}

/// The successor's side: waits until every app has been tried, reports that, and waits for the message to take over.
///
/// # Errors
/// If the predecessor refused the hand-over or has exited.
pub(crate) async fn take_over(fleet: &Fleet, talk: StdUnixStream) -> io::Result<Predecessor> {
    fleet.tried().await;
    let unready = fleet.statuses().into_iter().filter(|app| app.state != AppState::Ready);
    let unready = unready.map(|app| {
        let why = app.last_exit.map_or_else(String::new, |why| format!(": {why}"));
        (app.app, format!("is {}{why}", app.state))
    });
    let mut word = serde_json::to_string(&SuccessorMessage::Tried { unready: unready.collect() })
        .map_err(io::Error::other)?;
    word.push('\n');
    let mut talk = BufReader::new(UnixStream::from_std(talk)?);
    talk.write_all(word.as_bytes()).await?;
    let mut line = String::new();
    if talk.read_line(&mut line).await? == 0 {
        return Err(io::Error::other("the supervisor before this one did not let it go on"));
    }
    // Another version may send less, or another format. Losing that state is better than failing the upgrade.
    match serde_json::from_str(line.trim_start_matches(GO)) {
        Ok(legacy) => fleet.inherit(legacy).await,
        Err(error) => warn!(%error, "what the supervisor before this one knew of crashes is lost"),
    }
    Ok(Predecessor(talk.into_inner()))
}
