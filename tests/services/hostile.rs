//! Apps whose workers send anything in the sessions that they have with another one: that app goes on, and whoever waits is told.

use std::cell::RefCell;
use std::rc::Rc;

use nano_protocol::codec::HeaderBlock;
use nano_protocol::message::{Entrypoint, HttpVersion, RequestId, RequestLine};
use nano_protocol::{Receiver, Sender};
use tokio::task::LocalSet;

use crate::harness::lone_worker::{LoneWorker, answer, send};

/// What an app says of a message that follows no rule.
const UNREADABLE: &str = "the other app has sent a value that cannot be read";

/// The app: it is called, and calls `OTHER` when it is asked for `/`.
const APP: &str = "import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers';
class Counter extends RpcTarget { increment() { return 1; } }
export default class extends WorkerEntrypoint {
  async fetch() {
    try {
      const { type } = await this.env.OTHER.call((value) => value, new Counter());
      return new Response(`got ${typeof type}`);
    } catch (error) {
      return new Response(`failed: ${typeof error?.message === 'string' ? error.message : ''}`);
    }
  }
  echo(...values) { return values; }
  counter() { return new Counter(); }
  async use(callback) { return await callback(1); }
  wait() { return new Promise(() => {}); }
}";

// Values as V8 writes them.

fn number(value: i32) -> Vec<u8> {
    [vec![b'I'], varint((value << 1) ^ (value >> 31))].concat()
}

fn varint(value: i32) -> Vec<u8> {
    let mut rest = value.cast_unsigned();
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn length(of: usize) -> Vec<u8> {
    varint(i32::try_from(of).unwrap())
}

fn text(value: &str) -> Vec<u8> {
    [vec![b'"'], length(value.len()), value.into()].concat()
}

fn list(parts: &[Vec<u8>]) -> Vec<u8> {
    let count = length(parts.len());
    [vec![b'A'], count.clone(), parts.concat(), vec![b'$', 0], count].concat()
}

/// An object without members.
fn empty() -> Vec<u8> {
    vec![b'o', b'{', 0]
}

/// The object that has begun after so many others.
fn earlier(id: usize) -> Vec<u8> {
    [vec![b'^'], length(id)].concat()
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [vec![b'B'], length(value.len()), value.into(), vec![b'V', b'B', 0], length(value.len()), vec![0]]
        .concat()
}

const TRUE: &[u8] = b"T";
const NULL: &[u8] = b"0";

/// A message: its parts, a value and a table.
fn message(parts: &[Vec<u8>]) -> Vec<u8> {
    let body = [vec![0xff, 16], list(parts)].concat();
    [&u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
}

/// A call of a method of the entrypoint, with arguments and the table for them.
fn call(name: &str, args: &[Vec<u8>], table: &[Vec<u8>]) -> Vec<u8> {
    message(&[number(0), number(0), list(&[text(name)]), TRUE.into(), list(args), list(table)])
}

/// A call of `echo` with as many objects as the table has entries, which says what they are.
fn echo(entries: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let (args, table) = described(entries, 3);
    call("echo", &args, &table)
}

/// Empty objects, of which the first has the number `first`, and the table that says what each is.
fn described(entries: &[Vec<Vec<u8>>], first: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let table = entries.iter().enumerate();
    let table = table.map(|(at, entry)| list(&[vec![earlier(first + at)], entry.clone()].concat()));
    (vec![empty(); entries.len()], table.collect())
}

/// Entries of tables that no script writes. `first` is the number of the first object.
fn broken_entries(first: usize) -> Vec<Vec<Vec<Vec<u8>>>> {
    let lists = || list(&[list(&[text("a")])]);
    let fields = |count| list(&vec![list(&[text("a"), text("b")]); count]);
    let error = |kind, name, message| vec![number(0), kind, name, message, empty()];
    let name = || text("Error");
    let request =
        |method, url, redirect| vec![number(6), list(&[method, url, redirect, list(&[])]), NULL.into()];
    let url = || text("http://a/");
    let response = |body| vec![number(7), list(&[number(200), text(""), list(&[])]), body];
    vec![
        vec![error(lists(), name(), name())],
        vec![error(name(), lists(), name())],
        vec![error(name(), name(), lists())],
        // Two that have the same members: behind both objects and the table, each entry is a list.
        vec![error(name(), name(), name()), vec![number(0), name(), name(), name(), earlier(first + 4)]],
        vec![vec![number(1), lists(), name()]],
        vec![vec![number(1), name(), lists()]],
        vec![vec![number(2), list(&[list(&[lists(), text("a")])])]],
        vec![vec![number(2), list(&[list(&[text("a"), lists()])])]],
        vec![vec![number(2), empty()]],
        vec![vec![number(2), fields(257)]],
        vec![vec![number(2), fields(1)], vec![number(2), earlier(first + 4)]],
        vec![vec![number(3), empty()]],
        vec![vec![number(3), number(-9)]],
        vec![vec![number(3), lists()]],
        vec![vec![lists(), number(1)]],
        vec![request(lists(), url(), text("follow"))],
        vec![request(text("GET"), lists(), text("follow"))],
        vec![request(text("GET"), url(), lists())],
        vec![vec![number(7), list(&[lists(), text(""), list(&[])]), NULL.into()]],
        vec![vec![number(7), list(&[number(200), lists(), list(&[])]), NULL.into()]],
        vec![response(empty())],
        // The bytes are behind the list of the response and that of its fields.
        vec![response(bytes(b"a")), response([earlier(first + 6), b"VB\0\x01\0".into()].concat())],
        vec![vec![number(99)]],
    ]
}

fn line(entrypoint: Option<Entrypoint<'_>>) -> RequestLine<'_> {
    RequestLine {
        id: RequestId(1),
        method: "GET",
        origin: "http://app",
        target: "/",
        version: HttpVersion::Http11,
        depth: 0,
        entrypoint,
    }
}

/// Calls the app with these bytes, and returns what it answers.
async fn called(worker: &LoneWorker, bytes: Vec<u8>, ends: bool) -> Result<Vec<u8>, String> {
    let entrypoint = Entrypoint { name: "", props: "", is_call: true };
    let (sender, receiver) = worker.open(line(Some(entrypoint)), false);
    send(&sender, bytes).await;
    if ends {
        let _ = sender.end(&HeaderBlock::default());
    }
    answer(&receiver).await
}

async fn works(worker: &LoneWorker) {
    let answer = called(worker, call("echo", &[text("hello")], &[]), false).await.unwrap();
    assert!(answer.windows(5).any(|part| part == b"hello"), "{answer:?}");
}

/// Changes some bytes of messages, behind their lengths.
fn mutated(random: &mut fastrand::Rng, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(4..message.len());
        message[at] = match random.u8(0..3) {
            0 => random.u8(..),
            1 => message[at] ^ (1 << random.u8(0..8)),
            _ => message[random.usize(4..message.len())],
        };
    }
    message
}

#[tokio::test]
async fn what_a_caller_sends_ends_its_call_and_nothing_else() {
    let run = async {
        let worker = LoneWorker::start(APP, |_, _| {}).await;
        let wait = || call("wait", &[], &[]);
        let mut hostile: Vec<Vec<u8>> = broken_entries(3).iter().map(|entries| echo(entries)).collect();
        let target = |target| {
            message(&[number(0), number(target), list(&[text("x")]), TRUE.into(), list(&[]), list(&[])])
        };
        hostile.extend([
            // Nothing, no list, no table, no kind.
            vec![0; 4],
            [&3_u32.to_le_bytes()[..], &[0xff, 16, b'_']].concat(),
            message(&[number(0)]),
            message(&[number(9), number(0), list(&[])]),
            // What is not there, what is to come, and the call itself.
            target(1),
            target(-1),
            target(-7),
            // A path and arguments that are none.
            message(&[number(0), number(0), list(&[]), TRUE.into(), list(&[]), list(&[])]),
            message(&[number(0), number(0), list(&[number(1)]), TRUE.into(), list(&[]), list(&[])]),
            message(&[number(0), number(0), list(&[text("echo")]), TRUE.into(), empty(), list(&[])]),
            // A second first call, answers of calls that nobody has made, and what was never held.
            [wait(), wait()].concat(),
            [wait(), message(&[number(1), number(1), number(0), text(""), list(&[])])].concat(),
            [wait(), message(&[number(2), number(1), number(0), text(""), list(&[])])].concat(),
            [wait(), message(&[number(3), list(&[number(1)]), list(&[])])].concat(),
            [wait(), message(&[number(3), number(1), list(&[])])].concat(),
            // One that is not answered goes on.
            [wait(), message(&[number(4), number(1), list(&[])])].concat(),
            [wait(), message(&[number(4), number(2), list(&[])])].concat(),
        ]);
        for (at, bytes) in hostile.into_iter().enumerate() {
            let answer = called(&worker, bytes, false).await;
            assert!(answer.as_ref().is_err_and(|why| why.contains(UNREADABLE)), "{at}: {answer:?}");
        }
        works(&worker).await;
        // Whatever comes of a message, the app goes on.
        let (args, table) = described(&[vec![number(3), number(1)]], 3);
        let seeds = [
            echo(&[vec![number(0), text("TypeError"), text("TypeError"), text("no"), empty()]]),
            echo(&[vec![
                number(7),
                list(&[number(200), text(""), list(&[list(&[text("a"), text("b")])])]),
                bytes(b"abc"),
            ]]),
            echo(&[vec![number(4), number(1)], vec![number(8), number(2)]]),
            call("use", &args, &table),
            call("counter", &[], &[]),
        ];
        let mut random = fastrand::Rng::with_seed(14);
        for _ in 0..400 {
            let mut bytes = random.choice(&seeds).unwrap().clone();
            for _ in 0..random.usize(1..4) {
                let seed = random.choice(&seeds).unwrap();
                bytes.extend(mutated(&mut random, seed));
            }
            let _ = called(&worker, bytes, true).await;
        }
        works(&worker).await;
    };
    LocalSet::new().run_until(run).await;
}

/// Has every stream of the worker answered with the bytes that are there then, and ended.
fn answering(bytes: &Rc<RefCell<Vec<u8>>>) -> impl Fn(Sender, Receiver) + 'static {
    let bytes = bytes.clone();
    move |sender, receiver| {
        let bytes = bytes.take();
        tokio::task::spawn_local(async move {
            let _ = sender.respond(200, 0, std::iter::empty(), false);
            send(&sender, bytes).await;
            let _ = sender.end(&HeaderBlock::default());
            // Until the worker has nothing more to say.
            while let Some(Ok(_)) = std::future::poll_fn(|cx| receiver.poll_chunk(cx)).await {}
        });
    }
}

#[tokio::test]
async fn what_is_answered_to_a_call_fails_it_and_nothing_else() {
    let run = async {
        let next = Rc::<RefCell<Vec<u8>>>::default();
        let worker = LoneWorker::start(APP, answering(&next)).await;
        let asked = async |bytes: Vec<u8>| {
            next.replace(bytes);
            let (_sender, receiver) = worker.open(line(None), true);
            String::from_utf8(answer(&receiver).await.unwrap()).unwrap()
        };
        let result = |kind: i32, call: i32, value: Vec<u8>, table: &[Vec<u8>]| {
            message(&[number(kind), number(call), number(0), value, list(table)])
        };
        let plain = [vec![b'o'], text("type"), text("a"), vec![b'{', 1]].concat();
        assert_eq!(asked(result(1, 1, plain.clone(), &[])).await, "got string");
        let gone = "failed: the answer of env.OTHER did not come: the other app has ended the call";
        assert_eq!(asked(Vec::new()).await, gone);
        let mut hostile = vec![
            result(1, 2, plain.clone(), &[]),
            result(1, -1, plain.clone(), &[]),
            result(5, 1, plain, &[]),
        ];
        // In a list, and as what was thrown.
        for entries in broken_entries(2) {
            let (objects, table) = described(&entries, 2);
            hostile.push(result(1, 1, list(&objects), &table));
            hostile.push(result(2, 1, list(&objects), &table));
        }
        for (at, bytes) in hostile.into_iter().enumerate() {
            assert_eq!(asked(bytes).await, format!("failed: {UNREADABLE}"), "{at}");
        }
        let (objects, table) = described(&[vec![number(3), number(1)], vec![number(4), number(2)]], 2);
        let seeds = [
            result(1, 1, list(&objects), &table),
            result(2, 1, list(&objects), &table),
            message(&[number(0), number(1), list(&[]), TRUE.into(), list(&[text("a")]), list(&[])]),
            message(&[number(3), list(&[number(1), number(2)]), list(&[])]),
            message(&[number(4), number(1), list(&[])]),
        ];
        let mut random = fastrand::Rng::with_seed(14);
        for _ in 0..400 {
            let mut bytes = Vec::new();
            for _ in 0..random.usize(1..4) {
                let seed = random.choice(&seeds).unwrap();
                bytes.extend(if random.bool() { seed.clone() } else { mutated(&mut random, seed) });
            }
            // Whatever has come, the app is told.
            asked(bytes).await;
        }
        assert_eq!(asked(Vec::new()).await, gone);
        works(&worker).await;
    };
    LocalSet::new().run_until(run).await;
}
