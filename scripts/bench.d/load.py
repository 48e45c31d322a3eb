"""Load with wrk, and the system calls that a server makes under it."""
import dataclasses
import functools
import re
import resource
import shutil
import signal
import subprocess
import time

from errors import BenchError

CONNECTIONS = 64
ATTACH_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Load:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int
    cpu_seconds: float       # of wrk itself


def find_wrk():
    path = shutil.which("wrk")
    if not path:
        raise BenchError("wrk is not installed: run scripts/bench --install-peers (or apt-get install wrk)")
    return path


def wrk(port, workload, seconds, folder):
    """One thread, 64 kept connections, for some seconds."""
    script = folder / f"{workload.name}.lua"
    script.write_text(workload.wrk_script())
    # 64 large files at once take a while on a busy machine.
    command = [find_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s" if workload.size else "2s", "-s", script,
               f"http://127.0.0.1:{port}{workload.path}"]
    before = children_seconds()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    except subprocess.TimeoutExpired:
        raise BenchError(f"wrk did not end within {seconds + 30} s") from None
    numbers = re.search(r"^NUMBERS (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", done.stdout, re.M)
    if not numbers:
        raise BenchError(f"wrk failed: {(done.stderr or done.stdout).strip()[-200:]}")
    requests, micros, received, failed, p50, p99 = map(int, numbers.groups())
    if received < requests * len(workload.answer):
        failed = max(failed, 1)  # answered 200, yet not the whole body
    return Load(requests, micros / 1e6, p50 / 1e3, p99 / 1e3, failed,
                children_seconds() - before)


def children_seconds():
    """CPU time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@functools.cache
def _counter():
    """What counts system calls here: perf, in the kernel, else strace, which stops the server at each call."""
    perf = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter"]
    if shutil.which("perf") and subprocess.run(perf + ["true"], capture_output=True, timeout=20).returncode == 0:
        return "perf"
    return "strace" if shutil.which("strace") else None


def system_calls(running, workload, seconds):
    """System calls for each request, all the server's processes together; None where nothing can count them."""
    counter = _counter()
    if not counter:
        return None
    report = running.folder / "system-calls"
    pids = [str(pid) for pid in running.pids()]
    if counter == "perf":
        command = ["perf", "stat", "-x,", "-o", report, "-e", "raw_syscalls:sys_enter", "-p", ",".join(pids)]
    else:
        command = ["strace", "-c", "-f", "-o", report] + [word for pid in pids for word in ("-p", pid)]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(ATTACH_SECONDS)
        result = wrk(running.ports[0], workload, seconds, running.folder)
    finally:
        tracer.send_signal(signal.SIGINT)  # both print their counts and detach
        try:
            tracer.wait(10)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait(10)
    text = report.read_text() if report.exists() else ""
    pattern = {"perf": r"^(\d+),.*sys_enter",
               "strace": r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(?!total)\w+$"}[counter]
    counts = [int(count) for count in re.findall(pattern, text, re.M)]
    return sum(counts) / result.requests if counts and result.requests else None
