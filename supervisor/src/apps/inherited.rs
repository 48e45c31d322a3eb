//! Listening sockets that were bound before this process started: by systemd (socket activation, see sd_listen_fds(3)), or by
//! the predecessor of this supervisor ([`crate::ops::upgrade`]).

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{FromRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use nix::sys::socket::{getsockopt, sockopt};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::Listen;

/// The environment variable for what the predecessor hands over: JSON of a [`Handover`].
pub(crate) const HANDOVER: &str = "NANO_SUPERVISOR_HANDOVER";

/// The first descriptor that systemd passes.
const FIRST: RawFd = 3;

/// What a supervisor hands over to its successor.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The descriptor of a connected Unix-domain socket. Over it, the successor says when it is ready, and is told whether to
    /// go on.
    pub talk: RawFd,
    pub sockets: Vec<HandedSocket>,
    /// The socket of the admin listener.
    pub admin: Option<RawFd>,
    /// The apps that are stopped, and stay so until a command starts them.
    #[serde(default)]
    pub stopped: Vec<String>,
}

/// The sockets of one listening address, one per I/O thread.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HandedSocket {
    /// The address as configured.
    pub listen: String,
    /// The apps that share it. With port 0, several sets of apps may have the same configured address.
    pub apps: Vec<String>,
    pub descriptors: Vec<RawFd>,
}

/// What this supervisor has inherited and not used yet.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    found: RefCell<Vec<InheritedSocket>>,
    admin: RefCell<Option<TcpListener>>,
    predecessor: RefCell<Option<UnixStream>>,
    last_words: LastWords,
    stopped: RefCell<Vec<String>>,
}

#[derive(Debug)]
struct InheritedSocket {
    /// The address as configured in the predecessor, and its apps. `None` for a socket of systemd, which knows no apps.
    by: Option<(String, Vec<String>)>,
    address: SocketAddr,
    sockets: Vec<TcpListener>,
}

/// The connection to the predecessor, as long as it waits for this supervisor.
pub(crate) type LastWords = Rc<RefCell<Option<UnixStream>>>;

impl Inherited {
    /// Takes over what the environment of this process names. Must only be called once.
    ///
    /// # Errors
    /// Fails if the environment is invalid. The text is for people.
    pub(crate) fn take(variable: impl Fn(&str) -> Option<String>) -> io::Result<Self> {
        let inherited = Self::default();
        if let Some(json) = variable(HANDOVER) {
            let handover: Handover = serde_json::from_str(&json).map_err(|error| wrong(HANDOVER, &error))?;
            let talk = talk(handover.talk)?;
            *inherited.last_words.borrow_mut() = Some(talk.try_clone()?);
            *inherited.predecessor.borrow_mut() = Some(talk);
            *inherited.stopped.borrow_mut() = handover.stopped;
            *inherited.admin.borrow_mut() = handover.admin.map(listener).transpose()?;
            for HandedSocket { listen, apps, descriptors } in handover.sockets {
                let sockets = descriptors.into_iter().map(listener).collect::<io::Result<Vec<_>>>()?;
                let Some(first) = sockets.first() else { continue };
                let address = first.local_addr()?;
                inherited.found.borrow_mut().push(InheritedSocket {
                    by: Some((listen, apps)),
                    address,
                    sockets,
                });
            }
        } else if variable("LISTEN_PID").and_then(|pid| pid.parse().ok()) == Some(std::process::id())
            && let Some(count) = variable("LISTEN_FDS")
        {
            let count: RawFd = count.parse().map_err(|error| wrong("LISTEN_FDS", &error))?;
            for descriptor in FIRST..FIRST.saturating_add(count) {
                let socket = listener(descriptor)?;
                let address = socket.local_addr()?;
                inherited.found.borrow_mut().push(InheritedSocket {
                    by: None,
                    address,
                    sockets: vec![socket],
                });
            }
        }
        Ok(inherited)
    }

    /// Returns the sockets for an address that these apps share, one per I/O thread. Returns `None` if none was inherited.
    ///
    /// # Errors
    /// Fails if the process has no descriptors left.
    pub(crate) fn claim(
        &self,
        listen: &Listen,
        apps: &[&str],
        io_threads: usize,
    ) -> io::Result<Option<Vec<TcpListener>>> {
        let mut found = self.found.borrow_mut();
        let Some(at) = found.iter().position(|found| found.is_for(listen, apps)) else { return Ok(None) };
        let mut sockets = found.swap_remove(at).sockets;
        if sockets.len() > io_threads {
            warn!(%listen, "there are fewer I/O threads than before: connections that wait to be accepted may be lost");
            sockets.truncate(io_threads);
        }
        // Threads that share a socket take turns at it.
        let count = sockets.len();
        for number in count..io_threads {
            sockets.push(sockets[number % count].try_clone()?);
        }
        Ok(Some(sockets))
    }

    /// Returns the socket for the admin listener, if one with this address was inherited. Port 0 matches any port.
    pub(crate) fn claim_admin(&self, address: SocketAddr) -> Option<TcpListener> {
        let is_for = |found: SocketAddr| {
            found.ip() == address.ip() && (address.port() == 0 || found.port() == address.port())
        };
        self.admin.take().filter(|socket| socket.local_addr().is_ok_and(is_for))
    }

    /// Returns the address of the predecessor's admin listener.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.borrow().as_ref().and_then(|socket| socket.local_addr().ok())
    }

    /// Returns whether an app must not be started because it was stopped in the predecessor.
    pub(crate) fn is_stopped(&self, app: &str) -> bool {
        self.stopped.borrow().iter().any(|stopped| stopped == app)
    }

    /// Closes sockets that no app has claimed, and forgets which apps were stopped. An app added later is a different one, even
    /// with the same name.
    pub(crate) fn close_rest(&self) {
        self.stopped.take();
        for InheritedSocket { by, address, .. } in self.found.take() {
            if by.is_none() {
                warn!(%address, "no app listens on this socket of systemd's; fix: give an app this address");
            }
        }
    }

    /// Takes the connection to the predecessor, if there is one.
    pub(crate) fn predecessor(&self) -> Option<UnixStream> {
        self.predecessor.take()
    }

    /// Returns a handle to the connection for telling the predecessor why this supervisor ends. It is empty once this one has
    /// taken over.
    pub(crate) fn last_words(&self) -> LastWords {
        self.last_words.clone()
    }

    /// Drops the connection to the predecessor, because this supervisor has taken over.
    pub(crate) fn forget_predecessor(&self) {
        self.last_words.take();
    }

    /// Returns whether this supervisor has a predecessor that it has not taken over from yet.
    pub(crate) fn is_successor(&self) -> bool {
        self.predecessor.borrow().is_some()
    }
}

impl InheritedSocket {
    fn is_for(&self, listen: &Listen, apps: &[&str]) -> bool {
        match &self.by {
            Some((known, shared)) => {
                *known == listen.to_string()
                    && (listen.port != 0 || shared.iter().any(|app| apps.contains(&app.as_str())))
            }
            None => {
                let host = listen.host.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
                let is_all = host.is_unspecified() && self.address.ip().is_unspecified();
                self.address.port() == listen.port && (is_all || self.address.ip() == host)
            }
        }
    }
}

fn wrong(name: &str, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!(
        "{name} in the environment: {error}; fix: it is set by systemd or by a supervisor, not by hand"
    ))
}

#[allow(unsafe_code, reason = "descriptors arrive as numbers")]
fn listener(descriptor: RawFd) -> io::Result<TcpListener> {
    check(descriptor)?;
    // SAFETY: whoever started this process passed the descriptor to it, and each one is taken only once.
    let socket = unsafe { TcpListener::from_raw_fd(descriptor) };
    if !getsockopt(&socket, sockopt::AcceptConn)? {
        return Err(io::Error::other(format!(
            "the inherited descriptor {descriptor} is no listening socket"
        )));
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[allow(unsafe_code, reason = "descriptors arrive as numbers")]
fn talk(descriptor: RawFd) -> io::Result<UnixStream> {
    check(descriptor)?;
    // SAFETY: whoever started this process passed the descriptor to it, and each one is taken only once.
    let socket = unsafe { UnixStream::from_raw_fd(descriptor) };
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Checks that the descriptor is open, and makes sure that no child process inherits it.
#[allow(unsafe_code, reason = "descriptors arrive as numbers")]
fn check(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: fcntl with F_SETFD changes a flag of a descriptor, or says that there is no such descriptor.
    let done = unsafe { nix::libc::fcntl(descriptor, nix::libc::F_SETFD, nix::libc::FD_CLOEXEC) };
    nix::errno::Errno::result(done)
        .map(|_| ())
        .map_err(|error| io::Error::other(format!("the inherited descriptor {descriptor}: {error}")))
}
