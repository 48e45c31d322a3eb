// A JSON API: routes by method and path, notes kept in memory (each worker has its own), a setting from .env.
const notes = new Map();

const routes = [
  ["GET", new URLPattern({ pathname: "/" }), (request, params, env) => Response.json({ name: env.NAME, notes: notes.size })],
  ["GET", new URLPattern({ pathname: "/notes" }), () => Response.json([...notes.values()])],
  ["POST", new URLPattern({ pathname: "/notes" }), create],
  ["GET", new URLPattern({ pathname: "/notes/:id" }), (request, { id }) => found(notes.get(id))],
  ["DELETE", new URLPattern({ pathname: "/notes/:id" }), (request, { id }) =>
    notes.delete(id) ? new Response(null, { status: 204 }) : failed(404, "there is no such note")],
];

async function create(request) {
  const input = await request.json().catch(() => null);
  if (typeof input?.text !== "string") return failed(400, 'send JSON such as {"text": "milk"}');
  const note = { id: crypto.randomUUID(), text: input.text };
  notes.set(note.id, note);
  return Response.json(note, { status: 201, headers: { location: `/notes/${note.id}` } });
}

const found = (note) => (note ? Response.json(note) : failed(404, "there is no such note"));

const failed = (status, error) => Response.json({ error }, { status });

export default {
  async fetch(request, env) {
    const matching = routes.filter(([, pattern]) => pattern.test(request.url));
    const route = matching.find(([method]) => method === request.method);
    if (route) {
      const [, pattern, handle] = route;
      return handle(request, pattern.exec(request.url).pathname.groups, env);
    }
    return matching.length ? failed(405, "no such method here") : failed(404, "there is no such path");
  },
};
