// WebSockets by Hono's helper for Workers.
import { Hono } from "hono";
import { upgradeWebSocket } from "hono/cloudflare-workers";

const app = new Hono();

app.get(
  "/rooms/:room",
  upgradeWebSocket((c) => {
    const room = c.req.param("room");
    return {
      onMessage(event, ws) {
        ws.send(`${room}: ${event.data}`);
        if (event.data === "bye") ws.close(4000, "as asked");
      },
      onClose(event) {
        console.log(`left ${room} ${event.code}`);
      },
    };
  }),
);
app.get("/rooms/:room", (c) => c.text("a room"));

export default app;
