//! Listening sockets that were bound before this process began: by systemd (socket activation, sd_listen_fds(3)), or by the
//! supervisor that it takes over from ([`crate::ops::upgrade`]).

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

/// Names what the supervisor before this one hands over; JSON of a [`Handover`].
pub(crate) const HANDOVER: &str = "NANO_SUPERVISOR_HANDOVER";

/// The first descriptor that systemd passes.
const FIRST: RawFd = 3;

/// What a supervisor hands over to its successor.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// A connected Unix-domain socket, for word of when the successor is ready and whether it is to go on.
    pub talk: RawFd,
    /// Its listening sockets.
    pub sockets: Vec<HandedSocket>,
    /// The socket of its admin listener.
    pub admin: Option<RawFd>,
    /// The apps that are to have no worker until they are told to.
    #[serde(default)]
    pub stopped: Vec<String>,
}

/// The sockets of one listening address, one per I/O thread.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HandedSocket {
    /// The address as configured.
    pub listen: String,
    /// The apps that share it: with port 0, more than one may have the same address.
    pub apps: Vec<String>,
    /// Its descriptors.
    pub descriptors: Vec<RawFd>,
}

/// What there is of all that.
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
    /// As configured there, and the apps; none from systemd, which knows nothing of them.
    by: Option<(String, Vec<String>)>,
    address: SocketAddr,
    sockets: Vec<TcpListener>,
}

/// The way to the supervisor before this one, for as long as that waits for this one.
pub(crate) type LastWords = Rc<RefCell<Option<UnixStream>>>;

impl Inherited {
    /// What the environment of this process says that it inherits. To be called once.
    ///
    /// # Errors
    /// What is wrong with that, for people.
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

    /// The sockets for an address that these apps share, as many as there are I/O threads; none if there are none.
    ///
    /// # Errors
    /// If there are no descriptors left.
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

    /// The socket for the admin listener, if there is one with this address; port 0 is any port.
    pub(crate) fn claim_admin(&self, address: SocketAddr) -> Option<TcpListener> {
        let is_for = |found: SocketAddr| {
            found.ip() == address.ip() && (address.port() == 0 || found.port() == address.port())
        };
        self.admin.take().filter(|socket| socket.local_addr().is_ok_and(is_for))
    }

    /// Where the admin listener of the supervisor before this one is.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.borrow().as_ref().and_then(|socket| socket.local_addr().ok())
    }

    /// Whether an app is not to be started, since it was stopped there.
    pub(crate) fn is_stopped(&self, app: &str) -> bool {
        self.stopped.borrow().iter().any(|stopped| stopped == app)
    }

    /// Closes what nobody has claimed, and forgets what was there: an app that comes later is another one.
    pub(crate) fn close_rest(&self) {
        self.stopped.take();
        for InheritedSocket { by, address, .. } in self.found.take() {
            if by.is_none() {
                warn!(%address, "no app listens on this socket of systemd's; fix: give an app this address");
            }
        }
    }

    /// The way to talk to the supervisor that this one takes over from, if it does.
    pub(crate) fn predecessor(&self) -> Option<UnixStream> {
        self.predecessor.take()
    }

    /// The way to tell that supervisor why this one ends; nowhere as soon as it has taken over.
    pub(crate) fn last_words(&self) -> LastWords {
        self.last_words.clone()
    }

    /// This supervisor has taken over: there is nobody to talk to any more.
    pub(crate) fn forget_predecessor(&self) {
        self.last_words.take();
    }

    /// Whether this supervisor takes over from another one, and has not yet.
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
    // SAFETY: whoever started this process passed the descriptor to it, and each is taken once.
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
    // SAFETY: as above.
    let socket = unsafe { UnixStream::from_raw_fd(descriptor) };
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Sees to it that the descriptor is one, and that no process of ours inherits it in turn.
#[allow(unsafe_code, reason = "descriptors arrive as numbers")]
fn check(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: fcntl with F_SETFD changes a flag of a descriptor, or says that there is no such descriptor.
    let done = unsafe { nix::libc::fcntl(descriptor, nix::libc::F_SETFD, nix::libc::FD_CLOEXEC) };
    nix::errno::Errno::result(done)
        .map(|_| ())
        .map_err(|error| io::Error::other(format!("the inherited descriptor {descriptor}: {error}")))
}
