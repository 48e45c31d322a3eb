//! Every module of Node can be imported, and has the names that it has on Workers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::TestSupervisor;
use crate::harness::free_address;
use crate::harness::workerd::Both;

/// Tells the names of every module of Node that Workers have, as an import sees them. The list is that of workerd, whose
/// `node:module` leaves out the two modules that have no other name.
const PROGRAM: &str = r"
  import { constants } from 'node:http2';
  import { builtinModules, isBuiltin } from 'node:module';
  import { types } from 'node:util';
  export default { async fetch() {
    const modules = { 'util.types': Object.keys(types), 'http2.constants': Object.entries(constants).map(String) };
    for (const name of [...builtinModules, 'sqlite', 'test']) {
      modules[name] = Object.keys(await import(`node:${name}`));
    }
    const bare = [];
    for (const name of builtinModules) {
      const [plain, prefixed] = [await import(name), await import(`node:${name}`)];
      if (plain.default !== prefixed.default || !isBuiltin(name) || !isBuiltin(`node:${name}`)) bare.push(name);
    }
    return Response.json({ modules, bare });
  } };
";

/// Names that workerd has and workers lack, with the reasons.
const LACKING: &[(&str, &str)] = &[
    // Internals of Node's process, in no documentation.
    (
        "process",
        "_channel _debugEnd _debugProcess _disconnect _events _eventsCount _exiting _fatalException _getActiveHandles \
         _getActiveRequests _handleQueue _kill _linkedBinding _maxListeners _pendingMessage _preload_modules _rawDebug \
         _send _startProfilerIdleNotifier _stopProfilerIdleNotifier _tickCallback",
    ),
    // Apple's, and in no documentation of Node on Linux.
    ("constants", "O_SYMLINK SIGINFO"),
    // That of OpenSSL, which is not used here.
    ("constants", "defaultCipherList"),
    // The module itself, which Node does not export from it.
    ("stream/promises", "promises"),
];

fn names(modules: &Value) -> BTreeMap<String, Vec<String>> {
    serde_json::from_value(modules.clone()).unwrap()
}

#[tokio::test]
async fn every_module_has_the_names_that_it_has_on_workers() {
    let Some(both) = Both::serve(PROGRAM, free_address()).await else { return };
    let [ours, theirs] = both.send("GET", "/", &[], "").await.map(|reply| reply.unwrap().json());
    assert_eq!(ours["bare"], json!([]));
    let (ours, theirs) = (names(&ours["modules"]), names(&theirs["modules"]));
    assert!(theirs.len() >= 70, "{}", theirs.len());
    let lacking = |module: &str| -> Vec<&'static str> {
        LACKING.iter().filter(|(at, _)| *at == module).flat_map(|(_, names)| names.split(' ')).collect()
    };
    let mut missing = Vec::new();
    let mut listed = Vec::new();
    for (module, names) in &theirs {
        let Some(found) = ours.get(module) else {
            missing.push(module.clone());
            continue;
        };
        let is_missing = |name: &str| !found.iter().any(|found| found == name);
        let lost = names.iter().filter(|name| is_missing(name) && !lacking(module).contains(&name.as_str()));
        missing.extend(lost.map(|name| format!("{module}.{name}")));
        listed.extend(
            lacking(module).iter().filter(|name| !is_missing(name)).map(|name| format!("{module}.{name}")),
        );
    }
    assert!(missing.is_empty(), "missing: {}", missing.join(" "));
    assert!(listed.is_empty(), "there after all: {}", listed.join(" "));
}

#[tokio::test]
async fn what_needs_a_host_says_so_when_it_is_used() {
    let supervisor = TestSupervisor::with(
        r"
        import child_process, { spawn } from 'child_process';
        import cluster from 'node:cluster';
        import http, { Agent } from 'http';
        import net from 'net';
        import { createSocket } from 'dgram';
        import { connect } from 'http2';
        import v8 from 'v8';
        import { Worker, isMainThread } from 'worker_threads';
        import { DatabaseSync } from 'node:sqlite';
        import process, { stdout } from 'node:process';
        import test from 'node:test';
        class Tunnel extends Agent {}
        function Old() { v8.Serializer.call(this); }
        Old.prototype = Object.create(v8.Serializer.prototype);
        const told = async (act) => { try { return await act() ?? null; } catch (error) { return [error.message, error.code]; } };
        export default { fetch: async () => Response.json({
          function: await told(() => spawn('ls')),
          class: await told(() => new v8.Serializer()),
          'class without new': await told(() => new Old()),
          subclass: await told(() => new (class extends v8.Serializer {})()),
          method: await told(() => child_process.execSync('ls')),
          datagrams: await told(() => createSocket('udp4')),
          session: await told(() => connect('http://localhost/')),
          agent: [new Tunnel({ keepAlive: true }).keepAlive, http.globalAgent instanceof Agent, http.STATUS_CODES[404], http.METHODS.length],
          thread: await told(() => new Worker('a.js')),
          main: [isMainThread, cluster.isPrimary, cluster.isWorker],
          database: await told(() => new DatabaseSync(':memory:')),
          test: await told(() => test('a', () => {})),
          process: await told(() => process.kill(1)),
          user: await told(() => process.setuid(1)),
          addresses: [net.isIP('127.0.0.1'), net.isIP('::1'), net.isIP('a')],
          stdout: [stdout === process.stdout, stdout.fd, typeof stdout.write],
        }) };
        ",
    )
    .await;
    let error = |text: &str, why: &str| {
        json!([format!("{text} is not available in a worker: {why}"), "ERR_METHOD_NOT_IMPLEMENTED"])
    };
    let processes = "an app cannot start processes or threads";
    let sockets = "an app opens connections with fetch(), or with connect() of node:net";
    let engine = "an app cannot reach into the engine that runs it";
    let expected = json!({
        "function": error("child_process.spawn()", processes),
        "class": error("v8.Serializer", engine),
        "class without new": error("v8.Serializer", engine),
        "subclass": error("v8.Serializer", engine),
        "method": error("child_process.execSync()", processes),
        "datagrams": error("dgram.createSocket()", sockets),
        "session": error(
            "http2.connect()",
            "requests come to the fetch handler of `export default { fetch }`, and go out with fetch()",
        ),
        "agent": [true, true, "Not Found", 35],
        "thread": error("worker_threads.Worker", processes),
        "main": [true, true, false],
        "database": error("sqlite.DatabaseSync", "an app has no files on a disk"),
        "test": error("test.test()", "tests run in Node, beside the app"),
        "process": error("process.kill()", "the process belongs to the supervisor"),
        "user": ["operation not permitted", "EPERM"],
        "addresses": [4, 6, 0],
        "stdout": [true, 1, "function"],
    });
    let found = supervisor.get("app", "/").await.json();
    for (name, expected) in expected.as_object().unwrap() {
        assert_eq!(found[name], *expected, "{name}");
    }
}

#[tokio::test]
async fn what_needs_no_host_works_in_modules_about_one() {
    let supervisor = TestSupervisor::with(
        r#"
        import readline from "node:readline";
        import { createInterface } from "node:readline/promises";
        import { PassThrough, Readable, Duplex, Writable } from "node:stream";
        import { Duplex as OldDuplex } from "_stream_duplex";
        import domain from "node:domain";
        import sys from "node:sys";
        import util, { parseEnv } from "node:util";
        import v8 from "node:v8";
        import http2 from "node:http2";
        import { MessageChannel, getEnvironmentData, setEnvironmentData } from "node:worker_threads";
        import { tracingChannel, TracingChannel } from "node:diagnostics_channel";
        import { wrap, builtinModules, isBuiltin } from "node:module";
        import constants from "node:constants";
        import { validateHeaderName, validateHeaderValue } from "node:http";
        import { EventEmitter } from "node:events";
        export default { async fetch() {
          const lines = [];
          for await (const line of readline.createInterface({ input: Readable.from(["a\nb", "c\n", "d"]) })) lines.push(line);
          const input = new PassThrough();
          const output = new PassThrough();
          const asked = createInterface({ input, output });
          const answer = asked.question("who? ");
          input.write("me\n");
          const answered = [await answer, String(output.read())];
          asked.close();
          const errors = [];
          const safe = domain.create();
          safe.on("error", (error) => errors.push(error.message));
          safe.run(() => { throw new Error("thrown"); });
          const emitter = new EventEmitter();
          safe.add(emitter);
          emitter.emit("error", new Error("emitted"));
          safe.bind((text) => { throw new Error(text); })("bound");
          setEnvironmentData("a", 1);
          const name = (act) => { try { act(); return null; } catch (error) { return error.code; } };
          return Response.json({
            lines,
            answered,
            errors,
            data: getEnvironmentData("a"),
            channel: MessageChannel === globalThis.MessageChannel,
            old: OldDuplex === Duplex && sys === util,
            traced: tracingChannel("x") instanceof TracingChannel,
            variables: parseEnv("A=1\n#B=2\n  export C = 'x # y' # z\nD=\"a\\nb\"\nE=\nF=a b # c\nnot a line\nG=`'\"`"),
            heap: v8.getHeapStatistics().used_heap_size > 0,
            constants: [http2.constants.HTTP2_HEADER_PATH, constants.O_RDWR, constants.S_IFDIR],
            headers: [name(() => validateHeaderName("a b")), name(() => validateHeaderValue("a", "\n")), name(() => validateHeaderName("a"))],
            wrapped: wrap("1"),
            builtin: [builtinModules.includes("fs"), builtinModules.includes("test"), isBuiltin("test"), isBuiltin("node:test")],
          });
        } };
        "#,
    )
    .await;
    let expected = json!({
        "lines": ["a", "bc", "d"],
        "answered": ["me", "who? "],
        "errors": ["thrown", "emitted", "bound"],
        "data": 1,
        "channel": true,
        "old": true,
        "traced": true,
        "variables": { "A": "1", "C": "x # y", "D": "a\nb", "E": "", "F": "a b", "G": "'\"" },
        "heap": true,
        "constants": [":path", 2, 16384],
        "headers": ["ERR_INVALID_HTTP_TOKEN", "ERR_INVALID_CHAR", null],
        "wrapped": "(function (exports, require, module, __filename, __dirname) { 1\n});",
        "builtin": [true, false, false, true],
    });
    assert_eq!(supervisor.get("app", "/").await.json(), expected);
}
