"""The apps under test and the requests that load them: one module, the same text for every server."""
import dataclasses

KIB = 1024
HELLO = b"Hello World"


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    source: str              # index.js
    body: bytes = b""        # the request's; empty means GET

    @property
    def answer(self):
        return self.body or HELLO

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
]}
