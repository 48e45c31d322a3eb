//! WebSockets that clients open: messages both ways, how they close, what limits them, and what becomes of them when their worker
//! ends.
//!
//! - [`beside_workerd`]: the same program under workerd.
//! - [`rules`]: every rule of RFC 6455, for clients that keep it and for those that do not.
//! - [`endings`]: workers that crash or are replaced, apps that are stopped, supervisors that end.
//! - [`bounds`]: how many, how long, how much. [`compression`]: compressed messages.
//! - [`fetched`]: those that apps open with `fetch`. [`opened`]: what limits these, and others that apps open. [`http2`]: streams of HTTP/2. [`browser`]: a Chromium.

mod beside_workerd;
mod bounds;
mod browser;
mod compression;
mod endings;
mod fetched;
mod http2;
mod opened;
mod rules;

/// An app that sends every message back. `close CODE REASON` closes; `spin` never returns; `throw` throws.
const ECHO: &str = r"export default { fetch(request) {
  const { pathname } = new URL(request.url);
  if (request.headers.get('upgrade') !== 'websocket') return new Response('plain');
  if (pathname === '/refused') return new Response('no', { status: 403 });
  const [client, server] = Object.values(new WebSocketPair());
  server.binaryType = 'arraybuffer';
  server.accept();
  server.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string') return server.send(data);
    const [what, code, reason] = data.split(' ');
    if (what === 'close') server.close(Number(code), reason);
    else if (what === 'spin') for (;;);
    else if (what === 'work') { const end = performance.now() + Number(code); while (performance.now() < end) Math.sqrt(end); server.send('done'); }
    else if (what === 'exit') process.exit(3);
    else server.send(data);
  });
  server.addEventListener('close', ({ code, reason, wasClean }) => console.log(`closed ${code} ${reason} ${wasClean}`));
  server.addEventListener('error', ({ message }) => console.log(`failed ${message}`));
  return new Response(null, { status: 101, webSocket: client });
} }";
