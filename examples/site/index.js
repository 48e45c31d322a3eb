// Answers what is no file in public/: an API for its page.
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/time") return Response.json({ time: new Date().toISOString() });
    return Response.json({ error: "there is no such path" }, { status: 404 });
  },
};
