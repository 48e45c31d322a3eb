"""What /proc tells of processes: the tree below some pids, CPU time and proportional memory (PSS)."""
import os
import pathlib

PROC = pathlib.Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat from the state on (the name before it may hold spaces); None once it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def tree(roots):
    """`roots` and all their descendants."""
    children = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(entry.name)):
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, queue = [], list(roots)
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


def start_time(pid):
    """Ticks from boot to its start: with the pid it names one process for good. None once it is gone."""
    stat = _stat(pid)
    return int(stat[19]) if stat and stat[0] != "Z" else None


def cpu_seconds(pid):
    """User and system time of all the process's threads."""
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICKS_PER_SECOND if stat else 0.0


def machine_seconds():
    """CPU time of the whole machine so far, and what its host took (steal); interrupts left out, as in processes."""
    user, nice, system, _, _, _, _, steal = map(int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + steal) / TICKS_PER_SECOND


def name(pid):
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def pss_mib(pid):
    """Memory with each shared page divided by the number of processes that map it: it adds up over processes."""
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
