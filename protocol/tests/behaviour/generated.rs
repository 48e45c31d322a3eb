//! Generates frames and their contents for property tests.

use std::net::{IpAddr, SocketAddr};

use nano_protocol::Handlers;
use nano_protocol::frame::MAX_STREAM_ID;
use nano_protocol::limits::MAX_BODY_CHUNK;
use nano_protocol::message::{
    BindingKind, Blob, Control, Hello, Load, Loaded, LogLevel, LogRecord, ModuleKind, ModuleOptions,
    ModuleRule, NetHost, NetRule, NetRules, RequestId, Role, Stats, StreamError, StreamErrorKind, Thrown,
    Version, Welcome, WorkerLimits,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::frames::{Fields, Line, Sent};

pub(crate) fn fields() -> impl Strategy<Value = Fields> {
    vec((vec(any::<u8>(), 0..24), vec(any::<u8>(), 0..200)), 0..12)
}

fn line() -> impl Strategy<Value = Line> {
    let text = || any::<String>();
    (any::<u128>(), text(), text(), text(), any::<u8>(), any::<Option<(String, bool)>>()).prop_map(
        |(id, method, origin, target, depth, entrypoint)| Line {
            id,
            method,
            origin,
            target,
            depth,
            entrypoint,
        },
    )
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
    any::<([u64; 4], u32, [u64; 11], [u32; 2])>().prop_map(
        |([heap_used, heap_limit, external, requests], in_flight, counts, [outbound, blocking])| {
            let [
                late_background,
                outbound_refused,
                no_descriptor,
                blocking_refused,
                unread_over,
                unread_room,
                fetches_refused,
                tmp_refused,
                session_calls,
                session_stubs,
                session_bytes,
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
                fetches_refused,
                tmp_refused,
                session_calls,
                session_stubs,
                session_bytes,
            }
        },
    )
}

fn load() -> impl Strategy<Value = Load> {
    let env = (
        vec(any::<(String, String)>(), 0..40),
        vec((any::<String>(), binding_kind()), 0..3),
        vec(blob(), 0..3),
        any::<Option<String>>(),
    );
    let limits = any::<([u64; 6], [u32; 2], bool)>().prop_map(
        |(
            [watchdog_ms, cpu_ms, wait_until_ms, max_tmp, max_socket_message, max_socket_bytes],
            [max_outbound, max_blocking],
            fatal_uncaught,
        )| WorkerLimits {
            watchdog_ms,
            cpu_ms,
            wait_until_ms,
            max_outbound,
            max_blocking,
            max_tmp,
            max_socket_message,
            max_socket_bytes,
            fatal_uncaught,
        },
    );
    let texts = any::<(String, String, String, String, Option<String>)>();
    let missing = vec(any::<(String, String)>(), 0..3);
    let net = (net_rules(), vec(any::<(IpAddr, u16)>().prop_map(SocketAddr::from), 0..3));
    let variables = (modules(), missing, env);
    (texts, limits, variables, net, any::<[bool; 2]>()).prop_map(
        |(texts, limits, variables, (net, closed), [has_colours, development])| {
            let (app, root, entry, props, emit_cache) = texts;
            let (modules, missing, (env, bindings, blobs, site_manifest)) = variables;
            Load {
                app,
                limits,
                root,
                entry,
                modules,
                missing,
                env,
                bindings,
                blobs,
                site_manifest,
                props,
                net,
                closed,
                emit_cache,
                has_colours,
                development,
            }
        },
    )
}

fn binding_kind() -> impl Strategy<Value = BindingKind> {
    prop_oneof![
        Just(BindingKind::Fetcher),
        Just(BindingKind::Bucket),
        Just(BindingKind::RateLimit),
        Just(BindingKind::Secret),
        Just(BindingKind::Hyperdrive),
        any::<String>().prop_map(BindingKind::Dataset),
        any::<(String, String)>().prop_map(|(id, timestamp)| BindingKind::Version(Version { id, timestamp })),
    ]
}

fn module_kind() -> impl Strategy<Value = ModuleKind> {
    prop_oneof![
        Just(ModuleKind::Code),
        Just(ModuleKind::Text),
        Just(ModuleKind::Data),
        Just(ModuleKind::Wasm),
    ]
}

fn blob() -> impl Strategy<Value = Blob> {
    (any::<(String, String)>(), module_kind()).prop_map(|((name, path), kind)| Blob { name, path, kind })
}

fn modules() -> impl Strategy<Value = ModuleOptions> {
    let kind = module_kind();
    let rules = vec((any::<String>(), kind).prop_map(|(glob, kind)| ModuleRule { glob, kind }), 0..3);
    let pairs = || vec(any::<(String, String)>(), 0..3);
    (rules, pairs(), any::<String>(), pairs()).prop_map(|(rules, alias, file, define)| ModuleOptions {
        rules,
        alias,
        file,
        define,
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

/// Generates every message of the connection itself.
pub(crate) fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        hello().prop_map(Control::Hello),
        any::<(u32, u32)>().prop_map(|(version, pid)| Control::Welcome(Welcome { version, pid })),
        load().prop_map(|load| Control::Load(Box::new(load))),
        any::<u8>().prop_map(|bits| Control::Loaded(Loaded::Ready(Handlers::of_bits(bits), Vec::new()))),
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
    let thrown = any::<(String, String, String, Vec<u8>)>()
        .prop_map(|(class, name, message, value)| Box::new(Thrown { class, name, message, value }));
    (kind, any::<String>(), option::of(thrown)).prop_map(|(kind, message, thrown)| StreamError {
        kind,
        message,
        thrown,
    })
}

/// Generates every frame. Only a few streams are used, so that frames of the same stream sometimes follow each other.
pub(crate) fn frame() -> impl Strategy<Value = Sent> {
    let stream = || prop_oneof![4 => 1..4_u64, 1 => 1..=MAX_STREAM_ID];
    // Lengths close to those at which a payload is copied, kept, or cut.
    let length = prop_oneof![8 => 0..64_usize, 4 => 1000..1100_usize, 2 => 4000..4200_usize, 1 => Just(MAX_BODY_CHUNK)];
    let data = (length, any::<u8>())
        .prop_map(|(length, first)| (0..length).map(|at| (at as u8).wrapping_add(first)).collect());
    prop_oneof![
        4 => control().prop_map(Sent::Control),
        2 => (stream(), any::<bool>(), line(), fields())
            .prop_map(|(stream, end, line, fields)| Sent::Request { stream, end, line, fields }),
        1 => (stream(), any::<bool>(), any::<u128>(), any::<String>())
            .prop_map(|(stream, end, id, path)| Sent::Health { stream, end, id, path }),
        1 => (stream(), any::<bool>(), any::<u128>(), any::<String>(), any::<i64>())
            .prop_map(|(stream, end, id, cron, time)| Sent::Scheduled { stream, end, id, cron, time }),
        1 => (stream(), any::<bool>(), any::<u128>())
            .prop_map(|(stream, end, name)| Sent::Keep { stream, end, name }),
        1 => (stream(), any::<bool>()).prop_map(|(stream, end)| Sent::Stay { stream, end }),
        1 => (stream(), any::<bool>(), any::<String>(), line(), fields())
            .prop_map(|(stream, end, binding, line, fields)| {
                let entrypoint = line.entrypoint.filter(|(_, is_call)| *is_call).map(|_| (String::new(), true));
                let line = Line { entrypoint, ..line };
                Sent::Fetch { stream, end, binding, line, fields }
            }),
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
