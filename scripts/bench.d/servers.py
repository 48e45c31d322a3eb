"""The servers: which binaries each needs and the commands that serve an app on some ports."""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import typing

from running import Running, free_port

INSTALL = "run scripts/bench --install-peers"


@dataclasses.dataclass(frozen=True)
class Tools:
    """Where the binaries are, and the settings that only one server has."""
    nano: pathlib.Path
    peers: pathlib.Path
    io_threads: int | None

    def path(self, binary):
        """The path of a server's binary, or None."""
        if binary == "nano":
            return self.nano if self.nano.is_file() else None
        # The installed binaries themselves: the packages' own launchers start node first.
        patterns = {"deno": "node_modules/@deno/*/deno", "workerd": "node_modules/@cloudflare/*/bin/workerd",
                    "bun": "node_modules/@oven/*/bin/bun", "nginx": "nginx/usr/sbin/nginx"}
        found = next(iter(sorted(self.peers.glob(patterns[binary]))), None)
        if not found and binary == "nginx":
            found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        return found


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    binaries: list[str]
    commands: typing.Callable  # (tools, folder with index.js, ports) -> command lines that serve an app on each port
    splits: bool = False       # has worker processes to tell apart from the supervisor
    kinds: tuple = ("app",)    # the kinds of workloads that it serves

    def missing(self, tools):
        """One line for a person when a binary is missing, else None."""
        for binary in self.binaries:
            if not tools.path(binary):
                if binary == "nano":
                    return f"{tools.nano} is missing: run cargo build --release, or leave it out: --only deno,bun,..."
                user = "" if binary == self.name else f" (for {self.name})"
                return f"{binary}{user} is not installed: {INSTALL}"
        return None

    def version(self, tools):
        def ask(binary):
            flag = "-v" if binary == "nginx" else "--version"
            try:
                done = subprocess.run([tools.path(binary), flag], capture_output=True, text=True, timeout=20)
            except subprocess.TimeoutExpired:
                return f"{binary} (version unknown)"
            lines = (done.stdout or done.stderr).strip().splitlines()
            return (lines[0] if lines and done.returncode == 0 else "version unknown").removeprefix("nginx version: ")
        return " + ".join(ask(binary) for binary in self.binaries)

    def start(self, tools, workload, folder, apps=1):
        """Starts the server with `apps` copies of the workload's app, each on a fresh port; it is not yet ready."""
        folder = folder / workload.kind
        workload.lay_out(folder)
        ports = [free_port() for _ in range(apps)]
        return Running(self, self.commands(tools, folder, ports), ports, folder)


def nano(tools, folder, ports):
    command = [tools.nano, "serve", "--control", folder / "control.sock"]
    for number, port in enumerate(ports, 1):
        command += ["--app", f"app{number}={folder}:{port}"]
    return [command + (["--io-threads", str(tools.io_threads)] if tools.io_threads else [])]


def deno(tools, folder, ports):
    return [[tools.path("deno"), "serve", "--quiet", "--no-config", "--no-lock", "--host", "127.0.0.1",
             "--port", str(port), folder / "index.js"] for port in ports]


def workerd(tools, folder, ports):
    commands = []
    for port in ports:
        config = folder / f"workerd-{port}.capnp"
        config.write_text(f"""\
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "app", worker = .app)],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "app")],
);
const app :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js")],
  compatibilityDate = "2026-01-01",
);
""")
        commands.append([tools.path("workerd"), "serve", config])
    return commands


def bun(tools, folder, ports):
    commands = []
    for port in ports:
        # The default export is what Bun serves; the port and the address are part of it.
        entry = folder / f"bun-{port}.js"
        entry.write_text(f'import app from "./index.js";\n'
                         f'export default {{ hostname: "127.0.0.1", port: {port}, fetch: app.fetch }};\n')
        commands.append([tools.path("bun"), "run", entry])
    return commands


def nginx_deno(tools, folder, ports):
    """One nginx in front of a deno for each app, with kept connections and buffers that hold 64 KiB in memory."""
    upstreams = [free_port() for _ in ports]
    sites = "".join(f"""
  upstream app{port} {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://app{port}; }} }}"""
                    for port, upstream in zip(ports, upstreams))
    return deno(tools, folder, upstreams) + [nginx(tools, folder, f"""\
  client_body_buffer_size 128k;
  proxy_buffers 8 32k;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;{sites}""")]


def nginx_files(tools, folder, ports):
    """nginx as Debian configures it for files, and with the files kept open, as ours are kept in memory."""
    sites = "".join(f"\n  server {{ listen 127.0.0.1:{port}; root {folder}/public; }}" for port in ports)
    return [nginx(tools, folder, f"""\
  types {{ text/html html; text/plain txt; }}
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  etag on;{sites}""")]


def nginx(tools, folder, http):
    """The command that runs one nginx, with a worker process per core and these lines in `http`."""
    temporary = "\n".join(f"  {kind}_temp_path {folder}/nginx-{kind};"
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = folder / "nginx.conf"
    config.write_text(f"""\
{"user root;" if os.geteuid() == 0 else ""}
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
{temporary}
  access_log off;
  keepalive_requests 1000000000;
{http}
}}
""")
    return [tools.path("nginx"), "-e", "stderr", "-p", folder, "-c", config, "-g", "daemon off;"]


SERVERS = {server.name: server for server in [
    Server("nano", ["nano"], nano, splits=True, kinds=("app", "file")),
    Server("deno", ["deno"], deno),
    Server("workerd", ["workerd"], workerd),
    Server("bun", ["bun"], bun),
    Server("nginx-deno", ["nginx", "deno"], nginx_deno),
    Server("nginx", ["nginx"], nginx_files, kinds=("file",)),
]}
