// itty-router: AutoRouter with parameters, middleware, status errors.
import { AutoRouter, cors, error, json, withParams } from "itty-router";

const { preflight, corsify } = cors({ origin: "https://example.com" });
const router = AutoRouter({ before: [preflight, withParams], finally: [corsify] });
const todos = new Map([["1", { id: "1", text: "write" }]]);

router
  .get("/todos", () => [...todos.values()])
  .get("/todos/:id", ({ id }) => todos.get(id) ?? error(404, `no todo ${id}`))
  .post("/todos", async (request) => {
    const todo = await request.json();
    todos.set(todo.id, todo);
    return json(todo, { status: 201 });
  })
  .get("/query", ({ query }) => query)
  .get("/fail", () => {
    throw new Error("failed on purpose");
  });

export default { ...router };
