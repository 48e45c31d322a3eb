//! Every frame there is, as an owned value: made by proptest, sent through an [`Outbox`], read back from a [`Frame`].

use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use nano_protocol::codec::{self, HeaderBlock};
use nano_protocol::decoder::Decoder;
use nano_protocol::frame::{Frame, Kind, MAX_STREAM_ID};
use nano_protocol::limits::{MAX_BODY_CHUNK, STREAM_WINDOW};
use nano_protocol::message::{
    Control, Hello, HttpVersion, Load, Loaded, LogLevel, LogRecord, NetHost, NetRule, NetRules, RequestId,
    RequestLine, RequestName, Role, Stats, StatusLine, StreamError, StreamErrorKind, Welcome, WorkerLimits,
};
use nano_protocol::outbox::Outbox;
use nano_protocol::{Call, Event, Head, ProtocolError};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Header fields: names and values are bytes, whatever HTTP says of them.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A frame before it is sent, and after it has arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    Control(Control),
    Request { stream: u64, end: bool, line: Line, fields: Fields },
    Health { stream: u64, end: bool, id: u128, path: String },
    Keep { stream: u64, end: bool, name: u128 },
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
}

impl Line {
    fn of(line: &RequestLine<'_>) -> Self {
        Self {
            id: line.id.0,
            method: line.method.to_owned(),
            origin: line.origin.to_owned(),
            target: line.target.to_owned(),
        }
    }

    pub(crate) fn borrow(&self) -> RequestLine<'_> {
        RequestLine {
            id: RequestId(self.id),
            method: &self.method,
            origin: &self.origin,
            target: &self.target,
            version: HttpVersion::Http2,
        }
    }
}

impl Sent {
    /// Queues the frame, as `Connection` and its streams do.
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
            Self::Keep { stream, end, name } => {
                put_head(outbox, Head::Call(Call::Keep { name: *name }), *stream, *end, &vec![])
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

    /// Takes everything out of a frame.
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
                    Head::Call(Call::Keep { name }) => Self::Keep { stream, end, name },
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

/// The fields of a header block.
pub(crate) fn take_fields(block: &HeaderBlock) -> Result<Fields, ProtocolError> {
    block.iter()?.map(|field| field.map(|(name, value)| (name.to_vec(), value.to_vec()))).collect()
}

/// A header block of these fields.
pub(crate) fn block(fields: &Fields) -> HeaderBlock {
    let mut out = BytesMut::new();
    put_fields(fields, &mut out).expect("fields within the limits");
    HeaderBlock::new(out.freeze())
}

/// The bytes of these frames.
pub(crate) fn wire(frames: &[Sent]) -> Vec<u8> {
    let mut outbox = Outbox::default();
    for frame in frames {
        frame.put(&mut outbox).expect("a frame within the limits");
    }
    drain(&mut outbox, &[])
}

/// Everything queued, taken as a kernel would that accepts these many bytes at each write, and then all there is.
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

/// What arrives when `bytes` come in pieces of these lengths, the rest in one.
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
    if decoder.is_between_frames() && buffer.is_empty() { Ok(arrived) } else { Err(ProtocolError::Torn) }
}

/// Body frames of a stream that follow each other, as one: where they are cut is nobody's business.
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

pub(crate) fn fields() -> impl Strategy<Value = Fields> {
    vec((vec(any::<u8>(), 0..24), vec(any::<u8>(), 0..200)), 0..12)
}

fn line() -> impl Strategy<Value = Line> {
    let text = || any::<String>();
    (any::<u128>(), text(), text(), text()).prop_map(|(id, method, origin, target)| Line {
        id,
        method,
        origin,
        target,
    })
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    let level =
        prop_oneof![Just(LogLevel::Debug), Just(LogLevel::Info), Just(LogLevel::Warn), Just(LogLevel::Error)];
    let long = "[a-zß]{0,20000}";
    (level, any::<Option<u128>>(), prop_oneof![4 => any::<String>().boxed(), 1 => long.boxed()]).prop_map(
        |(level, id, message)| LogRecord { level, request_id: id.map(RequestId), request: None, message },
    )
}

fn hello() -> impl Strategy<Value = Hello> {
    let role = prop_oneof![Just(Role::Control), Just(Role::Requests)];
    (any::<u32>(), role, any::<u64>()).prop_map(|(version, role, heap)| Hello { version, role, heap })
}

fn stats() -> impl Strategy<Value = Stats> {
    any::<([u64; 4], u32, [u64; 6], [u32; 2])>().prop_map(
        |([heap_used, heap_limit, external, requests], in_flight, counts, [outbound, blocking])| {
            let [
                late_background,
                outbound_refused,
                no_descriptor,
                blocking_refused,
                unread_over,
                unread_room,
            ] = counts;
            Stats {
                heap_used,
                heap_limit,
                external,
                in_flight,
                requests,
                late_background,
                outbound,
                outbound_refused,
                no_descriptor,
                unread_over,
                unread_room,
                blocking,
                blocking_refused,
            }
        },
    )
}

fn load() -> impl Strategy<Value = Load> {
    let env = vec(any::<(String, String)>(), 0..40);
    let limits = any::<([u64; 3], [u32; 2], bool)>().prop_map(
        |([watchdog_ms, cpu_ms, wait_until_ms], [max_outbound, max_blocking], fatal_uncaught)| WorkerLimits {
            watchdog_ms,
            cpu_ms,
            wait_until_ms,
            max_outbound,
            max_blocking,
            fatal_uncaught,
        },
    );
    let texts = any::<(String, String, String, String, Option<String>)>();
    let net = (net_rules(), vec(any::<(IpAddr, u16)>().prop_map(SocketAddr::from), 0..3));
    (texts, limits, env, net, any::<bool>()).prop_map(|(texts, limits, env, (net, closed), has_colours)| {
        let (app, root, entry, props, emit_cache) = texts;
        Load { app, limits, root, entry, env, props, net, closed, emit_cache, has_colours }
    })
}

fn net_rules() -> impl Strategy<Value = NetRules> {
    let host = prop_oneof![
        Just(NetHost::Any),
        any::<String>().prop_map(NetHost::Name),
        any::<String>().prop_map(NetHost::Below),
        any::<(IpAddr, u8)>().prop_map(|(address, prefix)| NetHost::Network { address, prefix }),
    ];
    let rules =
        || vec((host.clone(), any::<Option<u16>>()).prop_map(|(host, port)| NetRule { host, port }), 0..8);
    (option::of(rules()), rules()).prop_map(|(allow, deny)| NetRules { allow, deny })
}

/// Every message of the connection itself.
pub(crate) fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        hello().prop_map(Control::Hello),
        any::<(u32, u32)>().prop_map(|(version, pid)| Control::Welcome(Welcome { version, pid })),
        load().prop_map(|load| Control::Load(Box::new(load))),
        Just(Control::Loaded(Loaded::Ready)),
        any::<String>().prop_map(|why| Control::Loaded(Loaded::Failed(why))),
        any::<u64>().prop_map(Control::Ping),
        any::<u64>().prop_map(Control::Pong),
        log_record().prop_map(Control::Log),
        stats().prop_map(Control::Stats),
        Just(Control::Drain),
        Just(Control::Shutdown),
    ]
}

fn stream_error() -> impl Strategy<Value = StreamError> {
    let kind = prop_oneof![
        Just(StreamErrorKind::HandlerFailed),
        Just(StreamErrorKind::NotAResponse),
        Just(StreamErrorKind::Watchdog),
        Just(StreamErrorKind::OutOfMemory),
        Just(StreamErrorKind::BodyFailed),
        Just(StreamErrorKind::CpuTime),
    ];
    (kind, any::<String>()).prop_map(|(kind, message)| StreamError { kind, message })
}

/// Every frame. Few streams, so that frames of one stream follow each other now and then.
pub(crate) fn frame() -> impl Strategy<Value = Sent> {
    let stream = || prop_oneof![4 => 1..4_u64, 1 => 1..=MAX_STREAM_ID];
    // Around the lengths at which a payload is copied, kept, or cut.
    let length = prop_oneof![8 => 0..64_usize, 4 => 1000..1100_usize, 2 => 4000..4200_usize, 1 => Just(MAX_BODY_CHUNK)];
    let data = (length, any::<u8>())
        .prop_map(|(length, first)| (0..length).map(|at| (at as u8).wrapping_add(first)).collect());
    prop_oneof![
        4 => control().prop_map(Sent::Control),
        2 => (stream(), any::<bool>(), line(), fields())
            .prop_map(|(stream, end, line, fields)| Sent::Request { stream, end, line, fields }),
        1 => (stream(), any::<bool>(), any::<u128>(), any::<String>())
            .prop_map(|(stream, end, id, path)| Sent::Health { stream, end, id, path }),
        1 => (stream(), any::<bool>(), any::<u128>())
            .prop_map(|(stream, end, name)| Sent::Keep { stream, end, name }),
        2 => (stream(), any::<bool>(), any::<u16>(), fields())
            .prop_map(|(stream, end, status, fields)| Sent::Response { stream, end, status, fields }),
        4 => (stream(), any::<bool>(), data)
            .prop_map(|(stream, end, data)| Sent::Body { stream, end, data }),
        1 => (stream(), fields()).prop_map(|(stream, trailers)| Sent::End { stream, trailers }),
        1 => (stream(), any::<u32>()).prop_map(|(stream, bytes)| Sent::Credit { stream, bytes }),
        1 => stream().prop_map(|stream| Sent::Cancel { stream }),
        1 => (stream(), stream_error()).prop_map(|(stream, error)| Sent::Error { stream, error }),
    ]
}

/// The frame with which the peer whose streams have such ids opens one that has a body.
pub(crate) fn opening(stream: u64) -> Sent {
    let text = String::from;
    let line = Line { id: 0, method: text("PUT"), origin: text("http://localhost"), target: text("/") };
    match stream % 2 {
        1 => Sent::Request { stream, end: false, line, fields: vec![] },
        _ => Sent::Keep { stream, end: false, name: 0 },
    }
}

/// One short frame of each kind.
pub(crate) fn one_of_each() -> Vec<Sent> {
    let text = String::from;
    let field = || vec![(b"name".to_vec(), b"value".to_vec()), (b"empty".to_vec(), Vec::new())];
    let line =
        Line { id: 7, method: text("POST"), origin: text("http://localhost"), target: text("/path?query") };
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
                fatal_uncaught: true,
            },
            root: text("/apps/app"),
            entry: text("main.js"),
            env: vec![(text("KEY"), text("\"value\""))],
            props: text("{}"),
            net: NetRules::default(),
            closed: vec!["127.0.0.1:9100".parse().expect("an address")],
            emit_cache: Some(text("/var/cache/app")),
            has_colours: true,
        })),
        Control::Loaded(Loaded::Ready),
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
        Sent::Error {
            stream: 1,
            error: StreamError { kind: StreamErrorKind::Watchdog, message: text("too long") },
        },
        Sent::Health { stream: 3, end: true, id: 8, path: text("/up") },
        Sent::Keep { stream: 2, end: false, name: 9 },
    ])
    .collect()
}
