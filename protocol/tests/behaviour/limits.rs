//! One byte over a limit is refused both where it is sent and where it arrives. So is every invalid header.

use bytes::BytesMut;
use nano_protocol::codec::{self, HeaderBlock};
use nano_protocol::frame::{END, FrameHeader, HEADER_LEN, Kind, MAX_STREAM_ID};
use nano_protocol::limits::{
    MAX_ENTRYPOINT, MAX_ENTRYPOINTS, MAX_ERROR, MAX_HEADERS, MAX_LOAD, MAX_LOG_MESSAGE, MAX_LOG_PATH,
    MAX_REPORT,
};
use nano_protocol::message::{
    Control, Hello, Load, Loaded, LogLevel, LogRecord, ModuleOptions, NetRules, RequestId, RequestName, Role,
    Stats, Welcome, WorkerLimits,
};
use nano_protocol::outbox::Outbox;
use nano_protocol::{Handlers, ProtocolError, Side};
use strum::VariantArray as _;

use crate::frames::{Sent, arrive, drain, wire};

fn header(kind: Kind, length: usize) -> [u8; HEADER_LEN] {
    FrameHeader { length, kind, end: false, stream: u64::from(kind.is_stream()) }.to_bytes()
}

#[test]
fn a_byte_that_is_no_kind_is_refused() {
    for byte in (0..=u8::MAX).filter(|byte| Kind::VARIANTS.iter().all(|kind| *kind as u8 != *byte)) {
        let mut bytes = header(Kind::Drain, 0);
        bytes[4] = byte;
        assert!(matches!(FrameHeader::decode(&bytes), Err(ProtocolError::UnknownKind(kind)) if kind == byte));
    }
}

#[test]
fn a_payload_one_byte_over_the_limit_is_refused_on_arrival() {
    for &kind in Kind::VARIANTS {
        assert_eq!(FrameHeader::decode(&header(kind, kind.limit())).unwrap().length, kind.limit());
        let refused = FrameHeader::decode(&header(kind, kind.limit() + 1)).unwrap_err();
        assert!(
            matches!(refused, ProtocolError::TooLong { kind: name, length, limit }
                if name == kind.name() && length == limit + 1 && limit == kind.limit()),
            "{kind:?}: {refused}"
        );
        assert!(FrameHeader::decode(&header(kind, u32::MAX as usize)).is_err());
    }
}

#[test]
fn a_payload_one_byte_over_the_limit_is_not_queued() {
    let mut outbox = Outbox::default();
    for &kind in Kind::VARIANTS {
        let stream = u64::from(kind.is_stream());
        let mut queue = |length| {
            outbox.frame(kind, false, stream, |out| {
                out.resize(out.len() + length, 0);
                Ok(())
            })
        };
        queue(kind.limit()).unwrap();
        let refused = queue(kind.limit() + 1).unwrap_err();
        assert!(matches!(refused, ProtocolError::TooLong { .. }), "{kind:?}: {refused}");
        assert_eq!(outbox.len(), HEADER_LEN + kind.limit(), "nothing of it is queued");
        assert_eq!(drain(&mut outbox, &[])[..HEADER_LEN], header(kind, kind.limit()));
    }
}

#[test]
fn a_frame_that_cannot_be_encoded_leaves_no_trace() {
    let mut outbox = Outbox::default();
    outbox.control(&Control::Ping(1)).unwrap();
    let before = (outbox.len(), outbox.position());
    let failing = outbox.frame(Kind::RequestHead, false, 1, |out| {
        out.extend_from_slice(b"half a head");
        Err(ProtocolError::Unexpected("end"))
    });
    assert!(matches!(failing, Err(ProtocolError::Unexpected("end"))));
    assert_eq!((outbox.len(), outbox.position()), before);
    outbox.control(&Control::Ping(2)).unwrap();
    let sent = [Sent::Control(Control::Ping(1)), Sent::Control(Control::Ping(2))];
    assert_eq!(drain(&mut outbox, &[]), wire(&sent));
}

/// Checks that a message which fits into the outbox does not end the connection on the other side. Both must measure alike.
fn fits_on_both_sides_or_on_neither(message: Control) -> bool {
    let mut outbox = Outbox::default();
    match outbox.control(&message) {
        Ok(()) => {
            let arrived = arrive(&drain(&mut outbox, &[]), &[]);
            assert_eq!(arrived.expect("what was queued is accepted"), [Sent::Control(message)]);
            true
        }
        Err(error) => {
            assert!(matches!(error, ProtocolError::TooLong { .. }), "{error}");
            assert!(outbox.is_empty());
            false
        }
    }
}

#[test]
fn a_long_message_that_is_queued_is_also_accepted() {
    let failed = |length| Control::Loaded(Loaded::Failed("x".repeat(length)));
    let lengths: Vec<bool> =
        (MAX_REPORT - 64..=MAX_REPORT + 1).map(|n| fits_on_both_sides_or_on_neither(failed(n))).collect();
    assert!(lengths[0] && !lengths[65], "the limit lies between");
    assert!(lengths.is_sorted_by(|before, after| before >= after), "and is one limit");
}

#[test]
fn a_message_of_many_small_parts_that_is_queued_is_also_accepted() {
    let load = |pairs| {
        let env = vec![(String::new(), String::new()); pairs];
        Control::Load(Box::new(Load {
            app: String::new(),
            limits: WorkerLimits {
                watchdog_ms: 0,
                cpu_ms: 0,
                wait_until_ms: 0,
                max_outbound: 0,
                max_blocking: 0,
                max_tmp: 0,
                max_socket_message: 0,
                max_socket_bytes: 0,
                fatal_uncaught: false,
            },
            root: String::new(),
            entry: String::new(),
            modules: ModuleOptions::default(),
            missing: Vec::new(),
            env,
            bindings: Vec::new(),
            blobs: Vec::new(),
            site_manifest: None,
            props: String::new(),
            net: NetRules::default(),
            closed: Vec::new(),
            emit_cache: None,
            has_colours: false,
            development: false,
        }))
    };
    assert!(fits_on_both_sides_or_on_neither(load(100_000)));
    assert!(!fits_on_both_sides_or_on_neither(load(200_000)));
    assert!(!fits_on_both_sides_or_on_neither(load(MAX_LOAD)));
}

#[test]
fn a_list_of_many_empty_names_that_is_queued_is_also_accepted() {
    let ready = |names| Control::Loaded(Loaded::Ready(Handlers::default(), vec![String::new(); names]));
    assert!(fits_on_both_sides_or_on_neither(ready(MAX_REPORT / 8 - 8)));
    // Its encoding is short enough, what it claims in memory is not.
    assert!(!fits_on_both_sides_or_on_neither(ready(MAX_REPORT / 8)));
}

#[test]
fn the_longest_that_a_worker_says_of_itself_is_accepted() {
    let stats = Stats {
        heap_used: u64::MAX,
        heap_limit: u64::MAX,
        external: u64::MAX,
        in_flight: u32::MAX,
        requests: u64::MAX,
        late_background: u64::MAX,
        outbound: u32::MAX,
        outbound_refused: u64::MAX,
        no_descriptor: u64::MAX,
        unread_over: u64::MAX,
        unread_room: u64::MAX,
        blocking: u32::MAX,
        blocking_refused: u64::MAX,
        fetches_refused: u64::MAX,
        tmp_refused: u64::MAX,
        session_calls: u64::MAX,
        session_stubs: u64::MAX,
        session_bytes: u64::MAX,
    };
    let names = vec!["x".repeat(MAX_ENTRYPOINT); MAX_ENTRYPOINTS];
    let record = LogRecord {
        level: LogLevel::Error,
        request_id: Some(RequestId(u128::MAX)),
        request: Some(RequestName { method: "M".repeat(MAX_LOG_PATH), path: "/".repeat(MAX_LOG_PATH) }),
        message: "x".repeat(MAX_LOG_MESSAGE),
    };
    for message in [
        Control::Hello(Hello { version: u32::MAX, role: Role::Requests, heap: u64::MAX }),
        Control::Welcome(Welcome { version: u32::MAX, pid: u32::MAX }),
        Control::Pong(u64::MAX),
        Control::Stats(stats),
        Control::Log(record),
        Control::Loaded(Loaded::Ready(Handlers::default(), names)),
        Control::Loaded(Loaded::Failed("x".repeat(MAX_ERROR))),
    ] {
        assert!(fits_on_both_sides_or_on_neither(message));
    }
}

#[test]
fn nothing_but_the_order_to_load_an_app_is_long() {
    for &kind in Kind::VARIANTS.iter().filter(|kind| !kind.is_stream() && **kind != Kind::Load) {
        assert!(kind.limit() <= MAX_REPORT, "{kind:?}");
    }
    assert_eq!(Kind::Load.sender(), Some(Side::Supervisor));
}

#[test]
fn one_header_field_more_than_allowed_is_refused_on_both_sides() {
    let mut out = BytesMut::new();
    let fields = std::iter::repeat_n((&b"a"[..], &b"b"[..]), MAX_HEADERS + 1);
    let refused = codec::encode_headers(MAX_HEADERS + 1, fields, &mut out).unwrap_err();
    assert!(matches!(refused, ProtocolError::Malformed { what: "headers", .. }));
    assert!(out.is_empty());
    for count in [MAX_HEADERS as u64 + 1, u64::MAX] {
        let mut out = BytesMut::new();
        codec::encode(&count, &mut out).unwrap();
        let refused = HeaderBlock::new(out.freeze()).iter().unwrap_err();
        assert!(matches!(refused, ProtocolError::Malformed { what: "headers", .. }));
    }
}

#[test]
fn a_header_block_with_fewer_fields_than_it_says_ends_with_one_error() {
    let mut out = BytesMut::new();
    codec::encode(&3_u64, &mut out).unwrap();
    codec::encode(&(&b"name"[..], &b"value"[..]), &mut out).unwrap();
    let block = HeaderBlock::new(out.freeze());
    let walked: Vec<bool> = block.iter().unwrap().map(|field| field.is_ok()).collect();
    assert_eq!(walked, [true, false]);
}

#[test]
fn reserved_bits_are_refused() {
    for &kind in Kind::VARIANTS {
        let may_end = kind.may_end();
        for bit in 0..8 {
            let mut bytes = header(kind, 0);
            bytes[5] = 1 << bit;
            let allowed = may_end && bytes[5] == END;
            match FrameHeader::decode(&bytes) {
                Ok(header) => assert!(allowed && header.end, "{kind:?}, flag {bit}"),
                Err(error) => assert!(!allowed && matches!(error, ProtocolError::Reserved), "{kind:?}"),
            }
        }
    }
}

#[test]
fn a_stream_id_belongs_to_frames_of_streams_and_to_no_others() {
    for &kind in Kind::VARIANTS {
        for stream in [0, 1, u64::from(u32::MAX), MAX_STREAM_ID] {
            let bytes = FrameHeader { length: 0, kind, end: false, stream }.to_bytes();
            match FrameHeader::decode(&bytes) {
                Ok(header) => assert_eq!((header.stream, header.kind.is_stream()), (stream, stream != 0)),
                Err(error) => {
                    assert!(matches!(error, ProtocolError::Unexpected("stream id")), "{kind:?}: {error}");
                    assert_ne!(kind.is_stream(), stream != 0, "{kind:?} with stream {stream}");
                }
            }
        }
    }
}

#[test]
fn bytes_after_a_message_are_refused() {
    for &kind in Kind::VARIANTS {
        // Heads end with a header block that is parsed later. Bodies and ends are accepted as they are.
        let open = kind.may_end() || kind == Kind::BodyEnd;
        let Some(mut message) = example(kind).filter(|_| !open) else { continue };
        message.push(0);
        let length = message.len() - HEADER_LEN;
        message[..4].copy_from_slice(&(length as u32).to_le_bytes());
        let refused = arrive(&message, &[]).unwrap_err();
        assert!(
            matches!(refused, ProtocolError::Malformed { .. } | ProtocolError::TooLong { limit: 0, .. }),
            "{kind:?}: {refused}"
        );
    }
}

/// Returns the bytes of a frame of this kind whose payload is all zeros, if there is one.
fn example(kind: Kind) -> Option<Vec<u8>> {
    (0..16).find_map(|length| {
        let bytes = [&header(kind, length)[..], &vec![0; length]].concat();
        arrive(&bytes, &[]).is_ok().then_some(bytes)
    })
}
