// A site of files that are imported: each is read once, when the app starts.
import page from "./index.html";
import style from "./style.css" with { type: "text" };

const files = {
  "/": ["text/html; charset=utf-8", page],
  "/style.css": ["text/css; charset=utf-8", style],
};

export default {
  fetch(request) {
    const found = files[new URL(request.url).pathname];
    if (!found) return new Response("There is no such page.\n", { status: 404 });
    const [type, body] = found;
    return new Response(body, { headers: { "content-type": type, "cache-control": "max-age=60" } });
  },
};
