//! A worker process whose supervisor is the test. So a test sends it what the worker of another app might send: the supervisor passes
//! on what apps tell each other without a look at it.

use std::future::poll_fn;
use std::iter::empty;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use bytes::Bytes;
use command_fds::{CommandFdExt as _, FdMapping};
use nano_protocol::limits::PROTOCOL_VERSION;
use nano_protocol::message::{
    BindingKind, Control, Hello, Load, Loaded, ModuleOptions, NetRules, RequestLine, Role, WorkerLimits,
};
use nano_protocol::{
    Connection, Handle, Head, HeadKind, Incoming, Receiver, Sender, Side, Witness, descriptors,
};
use tempfile::TempDir;

use super::executable;

/// The worker. It is killed when dropped, and an uncaught error of it ends it.
pub(crate) struct LoneWorker {
    process: Child,
    requests: Handle,
    _folder: TempDir,
}

impl LoneWorker {
    /// Starts the worker of an app with this code, which has the binding `OTHER`. `fetched` gets the streams that it opens for that.
    /// Must be called in a `LocalSet`.
    pub(crate) async fn start(code: &str, fetched: impl Fn(Sender, Receiver) + 'static) -> Self {
        let folder = super::folder(&[("index.js", code)]);
        let (mut ours, mut mappings) = (Vec::new(), Vec::new());
        for child_fd in descriptors::FIRST..descriptors::witness(1) {
            let (our, theirs) = UnixStream::pair().unwrap();
            our.set_nonblocking(true).unwrap();
            ours.push(Connection::new(tokio::net::UnixStream::from_std(our).unwrap(), Side::Supervisor));
            mappings.push(FdMapping { parent_fd: theirs.into(), child_fd });
        }
        let (_witness, theirs) = Witness::create().unwrap();
        mappings.push(FdMapping { parent_fd: theirs, child_fd: descriptors::witness(1) });
        let mut command = executable();
        command.args(["worker", "--connections", "1"]).env_clear().current_dir("/").stdout(Stdio::null());
        let process = command.fd_mappings(mappings).unwrap().spawn().unwrap();
        drop(command);
        let [(mut control, orders), (mut connection, requests)] =
            ours.try_into().unwrap_or_else(|_| panic!());
        for (connection, handle, role) in
            [(&mut control, &orders, Role::Control), (&mut connection, &requests, Role::Requests)]
        {
            let hello = Hello { version: PROTOCOL_VERSION, role, heap: 128 << 20 };
            handle.control(&Control::Hello(hello)).unwrap();
            let answer = connection.next().await.unwrap();
            assert!(matches!(answer, Some(Incoming::Control(Control::Welcome(_)))), "{answer:?}");
        }
        let root = std::fs::canonicalize(folder.path()).unwrap();
        orders.control(&Control::Load(Box::new(load(root.to_str().unwrap())))).unwrap();
        loop {
            match control.next().await.unwrap() {
                Some(Incoming::Control(Control::Loaded(Loaded::Ready(..)))) => break,
                Some(Incoming::Control(Control::Log(record))) => eprintln!("{}", record.message),
                other => panic!("{other:?}"),
            }
        }
        tokio::task::spawn_local(async move {
            let _orders = orders;
            while let Ok(Some(_)) = control.next().await {}
        });
        tokio::task::spawn_local(async move {
            let mut kept = Vec::new();
            while let Ok(Some(incoming)) = connection.next().await {
                let Incoming::Stream { head, sender, receiver } = incoming else { continue };
                if head.kind == HeadKind::Fetch {
                    fetched(sender, receiver);
                } else {
                    sender.respond(200, 0, empty(), false).unwrap();
                    kept.push((sender, receiver));
                }
            }
        });
        Self { process, requests, _folder: folder }
    }

    /// Sends the head of a request.
    pub(crate) fn open(&self, line: RequestLine<'_>, end: bool) -> (Sender, Receiver) {
        self.requests.open(&Head::Request(line), 0, empty(), end).unwrap()
    }
}

impl Drop for LoneWorker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn load(root: &str) -> Load {
    Load {
        app: "app".into(),
        limits: WorkerLimits {
            watchdog_ms: 60_000,
            cpu_ms: 60_000,
            wait_until_ms: 60_000,
            max_outbound: 16,
            max_blocking: 16,
            max_tmp: 1 << 20,
            max_socket_message: 1 << 20,
            max_socket_bytes: 1 << 20,
            fatal_uncaught: true,
        },
        root: root.into(),
        entry: "index.js".into(),
        modules: ModuleOptions::default(),
        missing: Vec::new(),
        env: Vec::new(),
        bindings: vec![("OTHER".into(), BindingKind::Fetcher)],
        blobs: Vec::new(),
        site_manifest: None,
        props: "{}".into(),
        net: NetRules::default(),
        closed: Vec::new(),
        emit_cache: None,
        has_colours: false,
        development: false,
    }
}

/// Sends bytes of a body as far as the worker takes them.
pub(crate) async fn send(sender: &Sender, bytes: Vec<u8>) {
    let mut bytes = Bytes::from(bytes);
    let _ = poll_fn(|cx| sender.poll_send(cx, &mut bytes, false)).await;
}

/// Returns the body of an answer, or why there is none.
pub(crate) async fn answer(receiver: &Receiver) -> Result<Vec<u8>, String> {
    let why = |failure: nano_protocol::Failure| failure.to_string();
    poll_fn(|cx| receiver.poll_head(cx)).await.map_err(why)?;
    let mut body = Vec::new();
    while let Some(chunk) = poll_fn(|cx| receiver.poll_chunk(cx)).await {
        body.extend_from_slice(&chunk.map_err(why)?);
    }
    Ok(body)
}
