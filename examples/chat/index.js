// A chat room: what one client says, all clients of the page hear.
const clients = new Set();

const PAGE = `<!doctype html><meta charset="utf-8"><title>chat</title>
<form><input name="text" autofocus placeholder="say something"></form><ul></ul>
<script>
  function connect() {
    const socket = new WebSocket(location.href.replace("http", "ws"));
    socket.onmessage = ({ data }) => document.querySelector("ul").prepend(Object.assign(document.createElement("li"), { textContent: data }));
    // A worker that is replaced closes its WebSockets with 1012. Each client waits a different time, so that not all come at once.
    socket.onclose = () => setTimeout(connect, 500 + 2000 * Math.random());
    document.forms[0].onsubmit = (event) => {
      event.preventDefault();
      socket.send(event.target.elements.text.value);
      event.target.reset();
    };
  }
  connect();
</script>`;

function say(text) {
  for (const client of clients) client.send(text);
}

export default {
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") {
      return new Response(PAGE, { headers: { "content-type": "text/html;charset=utf-8" } });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    clients.add(server);
    server.addEventListener("message", ({ data }) => say(data));
    server.addEventListener("close", () => clients.delete(server));
    server.addEventListener("error", () => clients.delete(server));
    server.send(`${clients.size} here`);
    return new Response(null, { status: 101, webSocket: client });
  },
};
