"""A started server: waits until it answers, tells its processes, stops exactly the processes that it started."""
import http.client
import os
import signal
import socket
import subprocess
import time

import procfs
from errors import BenchError

READY_SECONDS = 20
STOP_SECONDS = 10
# What a worker process is called once it has an app; a spare has none.
WORKER_NAME = "nano:app"
_next_port = 20000 + os.getpid() % 8000


def free_port():
    """A port that nothing uses, from below the ephemeral range: a client polling a closed ephemeral port can connect to
    itself and so take the port from the server."""
    global _next_port
    for _ in range(4000):
        _next_port = _next_port + 1 if _next_port < 32000 else 20000
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", _next_port))
            except OSError:
                continue
            return _next_port
    raise BenchError("no free port between 20000 and 32000 on 127.0.0.1")


def answers(port, timeout=5):
    """Whether a GET on a new connection is answered 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


class Running:
    """Use as a context manager: leaving it stops the server."""

    def __init__(self, server, commands, ports, folder):
        self.server, self.ports, self.folder = server, ports, folder
        self.log = folder / "server.log"
        # The same environment for all, and no caches or settings of the person who runs this.
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "DENO_DIR": str(folder / "deno"),
                       "DENO_NO_UPDATE_CHECK": "1", "DO_NOT_TRACK": "1", "NODE_ENV": "production", "NO_COLOR": "1"}
        self.processes = []
        self.started = time.perf_counter()
        with self.log.open("wb") as log:
            try:
                for command in commands:
                    self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                           cwd=folder, env=environment, start_new_session=True))
            except OSError as error:
                self.stop()
                raise BenchError(f"{server.name} does not start: {error}") from error
            except BaseException:
                self.stop()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_ready(self):
        """Polls every millisecond until each app answers 200; returns the seconds from start."""
        for port in self.ports:
            self._poll(lambda: answers(port), "does not answer 200")
        return time.perf_counter() - self.started

    def _poll(self, condition, complaint):
        deadline = time.perf_counter() + READY_SECONDS
        while not condition():
            ended = any(process.poll() is not None for process in self.processes)
            if ended or time.perf_counter() > deadline:
                last = self.log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
                what = "ended" if ended else f"{complaint} within {READY_SECONDS} s"
                raise BenchError(f"{self.server.name} {what}; its last output: {last[0]}")
            time.sleep(0.001)

    def check(self, workload):
        """Fails unless every app answers the workload's request with the right bytes."""
        for port in self.ports:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("POST" if workload.body else "GET", workload.path, workload.body or None)
                response = connection.getresponse()
                right = response.status == 200 and response.read() == workload.answer
            except (OSError, http.client.HTTPException):
                right = False
            finally:
                connection.close()
            if not right:
                raise BenchError(f"{self.server.name} answers the {workload.name} request wrongly")

    def pids(self):
        return procfs.tree(process.pid for process in self.processes)

    def workers(self):
        return [pid for pid in self.pids() if procfs.name(pid).startswith(WORKER_NAME)]

    def cpu_seconds(self):
        """CPU time so far: of all processes, and of our workers alone (None for a server without)."""
        pids = self.pids()
        total = sum(map(procfs.cpu_seconds, pids))
        return total, sum(map(procfs.cpu_seconds, self.workers())) if self.server.splits else None

    def pss_mib(self):
        return sum(map(procfs.pss_mib, self.pids()))

    def kill_worker(self):
        """SIGKILLs the worker process; returns the seconds until a request is answered 200 by its successor."""
        victims = self.workers()
        if len(victims) != 1:
            raise BenchError(f"{self.server.name} has {len(victims)} worker processes, expected one")
        began = time.perf_counter()
        os.kill(victims[0], signal.SIGKILL)
        elapsed = None

        def replaced():
            nonlocal elapsed
            if not answers(self.ports[0]):
                return False
            elapsed = time.perf_counter() - began  # before the slower look at /proc
            return set(self.workers()) - set(victims)

        self._poll(replaced, "does not replace its killed worker")
        return elapsed

    def stop(self):
        """Stops the server, whatever signal arrives meanwhile."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._stop()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _stop(self):
        """SIGTERM, then SIGKILL for what is left, by pid; the start time guards against a pid that was used again."""
        family = {pid: procfs.start_time(pid) for pid in self.pids()}
        for process in reversed(self.processes):
            process.terminate()
        deadline = time.perf_counter() + STOP_SECONDS
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.perf_counter()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)
        for pid, started in family.items():
            if started is not None and procfs.start_time(pid) == started:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it ended between the look and the kill
