//! Every frame of the protocol as an owned value: sent through an [`Outbox`], read back from a [`Frame`].

use bytes::{Bytes, BytesMut};
use nano_protocol::codec::{self, HeaderBlock};
use nano_protocol::decoder::Decoder;
use nano_protocol::frame::{Frame, Kind};
use nano_protocol::limits::STREAM_WINDOW;
use nano_protocol::message::{
    BindingKind, Blob, Control, Entrypoint, Hello, HttpVersion, Load, Loaded, LogLevel, LogRecord,
    ModuleKind, ModuleOptions, ModuleRule, NetRules, RequestId, RequestLine, RequestName, Role, Stats,
    StatusLine, StreamError, StreamErrorKind, Welcome, WorkerLimits,
};
use nano_protocol::outbox::Outbox;
use nano_protocol::{Call, Event, Fetch, Handlers, Head, ProtocolError};

/// Header fields. Names and values are arbitrary bytes, including those that HTTP does not allow.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A frame before it is sent, and after it has arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    Control(Control),
    Request { stream: u64, end: bool, line: Line, fields: Fields },
    Health { stream: u64, end: bool, id: u128, path: String },
    Scheduled { stream: u64, end: bool, id: u128, cron: String, time: i64 },
    Keep { stream: u64, end: bool, name: u128 },
    Stay { stream: u64, end: bool },
    Fetch { stream: u64, end: bool, binding: String, line: Line, fields: Fields },
    Response { stream: u64, end: bool, status: u16, fields: Fields },
    Body { stream: u64, end: bool, data: Vec<u8> },
    End { stream: u64, trailers: Fields },
    Credit { stream: u64, bytes: u32 },
    Cancel { stream: u64 },
    Error { stream: u64, error: StreamError },
}

/// A [`RequestLine`] that owns its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) id: u128,
    pub(crate) method: String,
    pub(crate) origin: String,
    pub(crate) target: String,
    pub(crate) depth: u8,
    /// Name and props of an entrypoint, and whether it is called. Of a fetch, only the latter.
    pub(crate) entrypoint: Option<(String, bool)>,
}

impl Line {
    fn of(line: &RequestLine<'_>) -> Self {
        Self {
            id: line.id.0,
            method: line.method.to_owned(),
            origin: line.origin.to_owned(),
            target: line.target.to_owned(),
            depth: line.depth,
            entrypoint: line.entrypoint.map(|entrypoint| (entrypoint.name.to_owned(), entrypoint.is_call)),
        }
    }

    fn of_fetch(fetch: &Fetch<'_>) -> Self {
        let Fetch { request: id, depth, method, origin, target, is_call, .. } = *fetch;
        let entrypoint = is_call.then_some(Entrypoint { name: "", props: "", is_call });
        Self::of(&RequestLine { id, method, origin, target, version: HttpVersion::Http2, depth, entrypoint })
    }

    pub(crate) fn borrow(&self) -> RequestLine<'_> {
        RequestLine {
            id: RequestId(self.id),
            method: &self.method,
            origin: &self.origin,
            target: &self.target,
            version: HttpVersion::Http2,
            depth: self.depth,
            entrypoint: self.entrypoint.as_ref().map(|(text, is_call)| Entrypoint {
                name: text,
                props: text,
                is_call: *is_call,
            }),
        }
    }

    fn fetch<'a>(&'a self, binding: &'a str) -> Fetch<'a> {
        let RequestLine { id: request, method, origin, target, depth, entrypoint, .. } = self.borrow();
        let is_call = entrypoint.is_some_and(|entrypoint| entrypoint.is_call);
        Fetch { binding, request, depth, method, origin, target, is_call }
    }
}

impl Sent {
    /// Queues the frame in the way of `Connection` and its streams.
    pub(crate) fn put(&self, outbox: &mut Outbox) -> Result<(), ProtocolError> {
        match self {
            Self::Control(message) => outbox.control(message),
            Self::Request { stream, end, line, fields } => {
                put_head(outbox, Head::Request(line.borrow()), *stream, *end, fields)
            }
            Self::Health { stream, end, id, path } => {
                let event = Event::Health { id: RequestId(*id), path };
                put_head(outbox, Head::Event(event), *stream, *end, &vec![])
            }
            Self::Scheduled { stream, end, id, cron, time } => {
                let event = Event::Scheduled { id: RequestId(*id), cron, time: *time };
                put_head(outbox, Head::Event(event), *stream, *end, &vec![])
            }
            Self::Keep { stream, end, name } => {
                put_head(outbox, Head::Call(Call::Keep { name: *name }), *stream, *end, &vec![])
            }
            Self::Stay { stream, end } => put_head(outbox, Head::Call(Call::Stay), *stream, *end, &vec![]),
            Self::Fetch { stream, end, binding, line, fields } => {
                put_head(outbox, Head::Fetch(line.fetch(binding)), *stream, *end, fields)
            }
            Self::Response { stream, end, status, fields } => {
                outbox.frame(Kind::ResponseHead, *end, *stream, |out| {
                    codec::encode(&StatusLine { status: *status }, out)?;
                    put_fields(fields, out)
                })
            }
            Self::Body { stream, end, data } => {
                outbox.chunk(*stream, *end, Bytes::copy_from_slice(data));
                Ok(())
            }
            Self::End { stream, trailers } => {
                outbox.frame(Kind::BodyEnd, false, *stream, |out| put_fields(trailers, out))
            }
            Self::Credit { stream, bytes } => {
                outbox.frame(Kind::Credit, false, *stream, |out| codec::encode(bytes, out))
            }
            Self::Cancel { stream } => outbox.frame(Kind::Cancel, false, *stream, |_| Ok(())),
            Self::Error { stream, error } => {
                outbox.frame(Kind::Error, false, *stream, |out| codec::encode(error, out))
            }
        }
    }

    /// Copies the contents of a frame.
    pub(crate) fn from_frame(frame: Frame) -> Result<Self, ProtocolError> {
        Ok(match frame {
            Frame::Control(message) => Self::Control(message),
            Frame::Head { stream, end, head } => {
                let (head, block) = head.decode()?;
                let fields = take_fields(&block)?;
                match head {
                    Head::Request(line) => Self::Request { stream, end, line: Line::of(&line), fields },
                    Head::Event(Event::Health { id: RequestId(id), path }) => {
                        Self::Health { stream, end, id, path: path.to_owned() }
                    }
                    Head::Event(Event::Scheduled { id: RequestId(id), cron, time }) => {
                        Self::Scheduled { stream, end, id, cron: cron.to_owned(), time }
                    }
                    Head::Call(Call::Keep { name }) => Self::Keep { stream, end, name },
                    Head::Call(Call::Stay) => Self::Stay { stream, end },
                    Head::Fetch(fetch) => {
                        let (binding, line) = (fetch.binding.to_owned(), Line::of_fetch(&fetch));
                        Self::Fetch { stream, end, binding, line, fields }
                    }
                }
            }
            Frame::ResponseHead { stream, end, payload } => {
                let (StatusLine { status }, used) = codec::decode_prefix("response head", &payload)?;
                let fields = take_fields(&HeaderBlock::new(payload.slice(used..)))?;
                Self::Response { stream, end, status, fields }
            }
            Frame::BodyChunk { stream, end, data } => Self::Body { stream, end, data: data.to_vec() },
            Frame::BodyEnd { stream, trailers } => Self::End { stream, trailers: take_fields(&trailers)? },
            Frame::Credit { stream, bytes } => Self::Credit { stream, bytes },
            Frame::Cancel { stream } => Self::Cancel { stream },
            Frame::Error { stream, error } => Self::Error { stream, error },
        })
    }
}

fn put_head(
    outbox: &mut Outbox,
    head: Head<'_>,
    stream: u64,
    end: bool,
    fields: &Fields,
) -> Result<(), ProtocolError> {
    outbox.frame(head.kind().into(), end, stream, |out| {
        head.encode(STREAM_WINDOW as u32, out)?;
        put_fields(fields, out)
    })
}

fn put_fields(fields: &Fields, out: &mut BytesMut) -> Result<(), ProtocolError> {
    codec::encode_headers(fields.len(), fields.iter().map(|(name, value)| (&name[..], &value[..])), out)
}

/// Returns the fields of a header block.
pub(crate) fn take_fields(block: &HeaderBlock) -> Result<Fields, ProtocolError> {
    block.iter()?.map(|field| field.map(|(name, value)| (name.to_vec(), value.to_vec()))).collect()
}

/// Returns a header block with these fields.
pub(crate) fn block(fields: &Fields) -> HeaderBlock {
    let mut out = BytesMut::new();
    put_fields(fields, &mut out).expect("fields within the limits");
    HeaderBlock::new(out.freeze())
}

/// Returns the encoded bytes of these frames.
pub(crate) fn wire(frames: &[Sent]) -> Vec<u8> {
    let mut outbox = Outbox::default();
    for frame in frames {
        frame.put(&mut outbox).expect("a frame within the limits");
    }
    drain(&mut outbox, &[])
}

/// Takes everything that is queued, in writes of the given sizes and then the rest at once, as a kernel might.
pub(crate) fn drain(outbox: &mut Outbox, writes: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writes = writes.iter().copied();
    while !outbox.is_empty() {
        let mut slices = Outbox::empty_slices();
        let used = outbox.slices(&mut slices);
        let offered = slices[..used].concat_slices();
        let taken = offered.len().min(writes.next().unwrap_or(usize::MAX));
        bytes.extend_from_slice(&offered[..taken]);
        outbox.advance(taken);
    }
    bytes
}

trait ConcatSlices {
    fn concat_slices(&self) -> Vec<u8>;
}

impl ConcatSlices for [std::io::IoSlice<'_>] {
    fn concat_slices(&self) -> Vec<u8> {
        self.iter().flat_map(|slice| slice.iter().copied()).collect()
    }
}

/// Decodes `bytes` that arrive in pieces of the given lengths, and then the rest at once.
pub(crate) fn arrive(bytes: &[u8], pieces: &[usize]) -> Result<Vec<Sent>, ProtocolError> {
    let mut decoder = Decoder::default();
    let mut buffer = BytesMut::new();
    let mut arrived = Vec::new();
    let mut rest = bytes;
    let mut pieces = pieces.iter().copied();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.len().min(pieces.next().unwrap_or(usize::MAX)));
        rest = later;
        buffer.extend_from_slice(piece);
        while let Some(frame) = decoder.next(&mut buffer)? {
            arrived.push(Sent::from_frame(frame)?);
        }
    }
    if decoder.is_between_frames() && buffer.is_empty() {
        Ok(arrived)
    } else {
        Err(ProtocolError::Disconnected)
    }
}

/// Joins adjacent body frames of one stream, because where a body is cut does not matter.
pub(crate) fn joined(frames: Vec<Sent>) -> Vec<Sent> {
    let mut all: Vec<Sent> = Vec::new();
    for frame in frames {
        match (all.last_mut(), &frame) {
            (
                Some(Sent::Body { stream: before, end, data }),
                Sent::Body { stream, end: last, data: more },
            ) if before == stream && !*end => {
                data.extend_from_slice(more);
                *end = *last;
            }
            _ => all.push(frame),
        }
    }
    all
}

/// Returns the frame with which a peer opens the stream of this id, with a body to follow.
pub(crate) fn opening(stream: u64) -> Sent {
    let text = String::from;
    let (method, origin, target) = (text("PUT"), text("http://localhost"), text("/"));
    let line = Line { id: 0, method, origin, target, depth: 0, entrypoint: None };
    match stream % 2 {
        1 => Sent::Request { stream, end: false, line, fields: vec![] },
        _ => Sent::Keep { stream, end: false, name: 0 },
    }
}

/// Returns one short frame of each kind.
pub(crate) fn one_of_each() -> Vec<Sent> {
    let text = String::from;
    let field = || vec![(b"name".to_vec(), b"value".to_vec()), (b"empty".to_vec(), Vec::new())];
    let (method, origin, target) = (text("POST"), text("http://localhost"), text("/path?query"));
    let line = Line { id: 7, method, origin, target, depth: 0, entrypoint: Some((text("Admin"), true)) };
    let fetch = Line { entrypoint: Some((String::new(), true)), ..line.clone() };
    let record = LogRecord {
        level: LogLevel::Warn,
        request_id: Some(RequestId(7)),
        request: Some(RequestName { method: text("GET"), path: text("/") }),
        message: text("said the app"),
    };
    [
        Control::Hello(Hello { version: 1, role: Role::Requests, heap: 1 << 30 }),
        Control::Welcome(Welcome { version: 1, pid: 4711 }),
        Control::Load(Box::new(Load {
            app: text("app"),
            limits: WorkerLimits {
                watchdog_ms: 5000,
                cpu_ms: 30_000,
                wait_until_ms: 30_000,
                max_outbound: 256,
                max_blocking: 1024,
                max_tmp: 1 << 27,
                max_socket_message: 32 << 20,
                max_socket_bytes: 64 << 20,
                fatal_uncaught: true,
            },
            root: text("/apps/app"),
            entry: text("main.js"),
            modules: ModuleOptions {
                rules: vec![ModuleRule { glob: text("**/*.md"), kind: ModuleKind::Text }],
                alias: vec![(text("a"), text("./b.js"))],
                file: text("wrangler.toml"),
                define: Vec::new(),
            },
            missing: vec![(text("KV"), text("env.KV is missing"))],
            env: vec![(text("KEY"), text("\"value\""))],
            bindings: vec![(text("ASSETS"), BindingKind::Fetcher)],
            blobs: vec![Blob { name: text("NOTE"), path: text("note.txt"), kind: ModuleKind::Text }],
            site_manifest: Some(text("{}")),
            props: text("{}"),
            net: NetRules::default(),
            closed: vec!["127.0.0.1:9100".parse().expect("an address")],
            emit_cache: Some(text("/var/cache/app")),
            has_colours: true,
            development: true,
        })),
        Control::Loaded(Loaded::Ready(Handlers::of_bits(3), vec![text("Admin")])),
        Control::Loaded(Loaded::Failed(text("main.js:1:1: no default export"))),
        Control::Ping(300),
        Control::Pong(300),
        Control::Log(record),
        Control::Stats(Stats { heap_used: 1 << 20, requests: 3, ..Stats::default() }),
        Control::Drain,
        Control::Shutdown,
    ]
    .into_iter()
    .map(Sent::Control)
    .chain([
        Sent::Request { stream: 1, end: false, line, fields: field() },
        Sent::Response { stream: 1, end: false, status: 200, fields: field() },
        Sent::Body { stream: 1, end: false, data: b"some of the body".to_vec() },
        Sent::End { stream: 1, trailers: field() },
        Sent::Credit { stream: 1, bytes: 65536 },
        Sent::Cancel { stream: 1 },
        Sent::Error { stream: 1, error: StreamError::new(StreamErrorKind::Watchdog, "too long") },
        Sent::Health { stream: 3, end: true, id: 8, path: text("/up") },
        Sent::Scheduled { stream: 5, end: true, id: 9, cron: text("*/5 * * * *"), time: 1_800_000_000_000 },
        Sent::Keep { stream: 2, end: false, name: 9 },
        Sent::Stay { stream: 4, end: false },
        Sent::Fetch { stream: 6, end: true, binding: text("ASSETS"), line: fetch, fields: field() },
    ])
    .collect()
}
