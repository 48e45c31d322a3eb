//! `EventSource` against a real server: events, their ids across connections, and how a connection ends.

use std::sync::{Arc, Mutex};

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Request, Response};
use serde_json::json;

use crate::harness::Origin;
use crate::harness::origin::{Answer, whole};
use crate::outbound::{checks, results};

/// Answers the nth request to a path with the nth of its streams. After the last one, tells the client to stop.
async fn serve(request: Request<Incoming>, seen: Arc<Mutex<Vec<String>>>) -> Answer {
    let value =
        |name: &str| request.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let path = request.uri().path().to_owned();
    let turn = {
        let mut seen = seen.lock().unwrap();
        let turn = seen.iter().filter(|line| line.starts_with(&format!("{path} "))).count();
        let id = request
            .headers()
            .get("last-event-id")
            .map_or("-".into(), |id| String::from_utf8_lossy(id.as_bytes()));
        seen.push(format!("{path} {} {} {id} {}", value("accept"), value("cache-control"), value("x-own")));
        turn
    };
    let streams: &[&str] = match path.as_str() {
        "/syntax" => {
            &["\u{feff}: a comment\ndata: one\n\ndata\n\ndata:two\ndata: three\r\ndata:  spaced\r\r\
            event: named\ndata: four\nid: 7 ü\n\nid\ndata: five\n\nid: bad\0\ndata: six\nunknown: x\n\n\
            event: empty\n\n\nretry: 1\nretry: nonsense\ndata: never ended"]
        }
        "/again" => &["retry: 1\nid: first\ndata: 1\n\n", "data: 2\n\n", "id\ndata: 3\n\n", "data: 4\n\n"],
        "/close" => &["retry: 1\ndata: 1\n\ndata: 2\n\n"],
        _ => &[],
    };
    let Some(stream) = streams.get(turn) else {
        let mut response = Response::new(whole("data: no\n\n"));
        match path.as_str() {
            "/type" => response.headers_mut().insert("content-type", HeaderValue::from_static("text/plain")),
            _ => {
                *response.status_mut() = hyper::StatusCode::NO_CONTENT;
                None
            }
        };
        return response;
    };
    let mut response = Response::new(whole(*stream));
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert("content-type", kind);
    response
}

#[tokio::test]
async fn events_come_as_the_standard_says() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = seen.clone();
    let origin = Origin::http(move |request| serve(request, heard.clone())).await;
    let functions = "
      _() {
        // Everything that happens until it is closed for good.
        globalThis.story = (url, act = () => {}, init) => new Promise((resolve) => {
          const source = new EventSource(url, init), events = [];
          for (const type of ['open', 'message', 'named', 'empty', 'error']) {
            source.addEventListener(type, (event) => {
              const { data, lastEventId, message } = event;
              events.push(data === undefined ? `${type} ${source.readyState}${message ? ` ${message}` : ''}` : `${type} ${data} (${lastEventId})`);
              act(event, source);
              if (source.readyState === EventSource.CLOSED) resolve(events);
            });
          }
        });
      },
      async syntax(origin) { return story(`${origin}/syntax`) },
      async again(origin) { return story(`${origin}/again`) },
      async close(origin) {
        return story(`${origin}/close`, ({ data }, source) => data === '1' && source.close());
      },
      async closeInError(origin) {
        return story(`${origin}/again`, ({ type }, source) => type === 'error' && source.close(), { headers: { 'x-own': 'own' } });
      },
      async type(origin) { return story(`${origin}/type`) },
      async refused() { return story('http://169.254.169.254/events') },
      async nobody() { return story('http://no-such-host.invalid/', ({ type }, source) => source.close()) },
      async properties(origin) {
        const source = new EventSource(`${origin}/close`, { withCredentials: true });
        const before = [source.readyState, source.url === `${origin}/close`, source.withCredentials, source.onmessage];
        source.close();
        source.close();
        return [...before, source.readyState, new EventSource(origin).close()];
      },
      async message(origin) {
        const source = new EventSource(`${origin}/message`);
        return [source instanceof EventTarget, Object.prototype.toString.call(source), source.close()];
      },
      idl() {
        const failures = [];
        for (const bad of [() => EventSource('http://x'), () => new EventSource(), () => EventSource.prototype.url,
          () => EventSource.prototype.close.call({}), () => new EventSource('path')]) {
          try { bad(); failures.push('none') } catch (error) { failures.push(error.name) }
        }
        return [EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED, EventSource.prototype.CLOSED, failures,
          EventSource.length, EventSource.name, Object.keys(EventSource.prototype).sort().join()];
      }";
    let found = results(checks(&format!("http://{}", origin.address), functions)).await;
    assert_eq!(
        found,
        json!({
            "syntax": [
                "open 1", "message one ()", "message  ()", "message two\nthree\n spaced ()", "named four (7 ü)",
                "message five ()", "message six ()", "error 0", "error 2 the server answered 204"
            ],
            "again": [
                "open 1", "message 1 (first)", "error 0", "open 1", "message 2 (first)", "error 0",
                "open 1", "message 3 ()", "error 0", "open 1", "message 4 ()", "error 0", "error 2 the server answered 204"
            ],
            "close": ["open 1", "message 1 ()"],
            "closeInError": ["error 2 the server answered 204"],
            "type": ["error 2 the server's answer is not text/event-stream"],
            "refused": ["error 2 fetch to http://169.254.169.254 was refused: 169.254.169.254 is link-local, which apps may \
                not reach; allow it with allow_net"],
            "nobody": ["error 0"],
            "properties": [0, true, true, null, 2, null],
            "message": [true, "[object EventSource]", null],
            "idl": [
                0, 1, 2, 2, ["TypeError", "TypeError", "TypeError", "TypeError", "SyntaxError"], 1, "EventSource",
                "CLOSED,CONNECTING,OPEN,close,onerror,onmessage,onopen,readyState,url,withCredentials"
            ],
        })
    );
    let seen = seen.lock().unwrap();
    let again: Vec<_> = seen.iter().filter(|line| line.starts_with("/again")).collect();
    assert_eq!(
        again,
        [
            "/again text/event-stream no-cache - -",
            "/again text/event-stream no-cache first -",
            "/again text/event-stream no-cache first -",
            "/again text/event-stream no-cache - -",
            "/again text/event-stream no-cache - -",
            "/again text/event-stream no-cache - own",
        ]
    );
}
