"""The apps and the static files under test, and the requests that load them: the same for every server."""
import dataclasses
import json

KIB = 1024
HELLO = b"Hello World"


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    source: str = ""         # index.js
    body: bytes = b""        # the request's; empty means GET
    size: int = 0            # of the static file that answers; 0 means that an app answers

    @property
    def kind(self):
        return "file" if self.size else "app"

    @property
    def path(self):
        return f"/{self.name}.txt" if self.size else "/"

    @property
    def answer(self):
        return b"x" * self.size or self.body or HELLO

    def lay_out(self, folder):
        """Writes what the server is to serve: an app, or the folder `public` with all static files."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.size:
            (folder / "index.js").write_text(self.source)
            return
        (folder / "wrangler.json").write_text(json.dumps({"assets": {"directory": "public"}}))
        (folder / "public").mkdir(exist_ok=True)
        (folder / "public/index.html").write_text("ready")
        for workload in WORKLOADS.values():
            if workload.size:
                (folder / f"public{workload.path}").write_bytes(workload.answer)

    def wrk_script(self):
        """The request as Lua for wrk, and a line of numbers at the end that is easier to read than wrk's own report."""
        request = f'wrk.method = "POST"\nwrk.body = string.rep("x", {len(self.body)})\n' if self.body else ""
        return request + """
done = function(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("NUMBERS %d %d %d %d %d %d\\n", summary.requests, summary.duration, summary.bytes, failed,
                         latency:percentile(50), latency:percentile(99)))
end
"""


WORKLOADS = {workload.name: workload for workload in [
    Workload("hello", "hello: GET, 11-byte answer", """\
export default {
  fetch(request) {
    return new Response("Hello World", { headers: { "content-type": "text/plain" } });
  },
};
"""),
    Workload("echo", "echo: POST 64 KiB, answered as a stream", """\
export default {
  fetch(request) {
    return new Response(request.body);
  },
};
""", b"x" * 64 * KIB),
    Workload("echo-buffered", "echo-buffered: POST 64 KiB, read whole, then answered", """\
export default {
  async fetch(request) {
    return new Response(await request.arrayBuffer());
  },
};
""", b"x" * 64 * KIB),
    Workload("file-1k", "file-1k: GET, a static file of 1 KiB", size=KIB),
    Workload("file-64k", "file-64k: GET, a static file of 64 KiB", size=64 * KIB),
    Workload("file-10m", "file-10m: GET, a static file of 10 MiB", size=10 * KIB * KIB),
]}
