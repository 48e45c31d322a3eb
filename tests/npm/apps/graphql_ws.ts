// graphql-ws: subscriptions over a WebSocket, as its server and, under /ask, as its client.
import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import { createClient, GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols, makeServer } from "graphql-ws";

interface Opened {
  request: Request;
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: "Query",
    fields: {
      path: { type: GraphQLString, resolve: (_root, _args, { extra }) => new URL(extra.request.url).pathname },
    },
  }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: {
      countdown: {
        type: GraphQLInt,
        args: { from: { type: new GraphQLNonNull(GraphQLInt) } },
        async *subscribe(_root, { from }: { from: number }) {
          try {
            for (let left = from; left >= 0; left--) {
              await scheduler.wait(1);
              yield { countdown: left };
            }
          } finally {
            console.log("counted from", from);
          }
        },
      },
    },
  }),
});

const server = makeServer<{ token?: string }, Opened>({
  schema,
  context: (ctx) => ({ extra: ctx.extra }),
  onConnect: ({ connectionParams }) => connectionParams?.token !== "wrong",
});

function take(request: Request): Response {
  const { 0: client, 1: socket } = new WebSocketPair();
  const asked = request.headers.get("sec-websocket-protocol") ?? "";
  const protocol = handleProtocols(new Set(asked.split(",").map((name) => name.trim())));
  socket.accept();
  const closed = server.opened(
    {
      protocol: protocol || "",
      send: (data) => socket.send(data),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (take) =>
        socket.addEventListener("message", async ({ data }) => {
          try {
            await take(String(data));
          } catch (error) {
            socket.close(4500, (error as Error).message);
          }
        }),
    },
    { request },
  );
  socket.addEventListener("close", ({ code, reason }) => closed(code, reason));
  return new Response(null, {
    status: 101,
    webSocket: client,
    headers: { "sec-websocket-protocol": GRAPHQL_TRANSPORT_WS_PROTOCOL },
  });
}

async function ask(url: string, token: string): Promise<Response> {
  const client = createClient({ url, lazy: true, retryAttempts: 0, connectionParams: { token } });
  const heard: unknown[] = [];
  try {
    for await (const { data } of client.iterate({ query: "subscription { countdown(from: 3) }" })) {
      heard.push(data);
    }
  } catch (error) {
    const { code, reason } = error as CloseEvent;
    return Response.json({ code, reason });
  }
  await client.dispose();
  return Response.json(heard);
}

export default {
  fetch(request: Request): Response | Promise<Response> {
    if (request.headers.get("upgrade") === "websocket") return take(request);
    const { searchParams } = new URL(request.url);
    return ask(searchParams.get("at") ?? "", searchParams.get("token") ?? "");
  },
};
