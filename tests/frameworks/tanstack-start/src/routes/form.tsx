import { createFileRoute } from "@tanstack/react-router";
import { env } from "cloudflare:workers";

export const Route = createFileRoute("/form")({
  validateSearch: ({ greeting }) => ({ greeting: greeting as string | undefined }),
  component: Greeter,
  server: {
    handlers: {
      POST: async ({ request }) => {
        const name = (await request.formData()).get("name");
        const greeting = encodeURIComponent(`${env.GREETING} ${name}`);
        return new Response(null, { status: 303, headers: { location: `/form?greeting=${greeting}` } });
      },
    },
  },
});

function Greeter() {
  const { greeting } = Route.useSearch();
  return (
    <form method="post">
      <input id="name" name="name" />
      <button id="send">send</button>
      {greeting && <p id="greeting">{greeting}</p>}
    </form>
  );
}
