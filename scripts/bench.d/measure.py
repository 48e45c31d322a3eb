"""The measures: each takes turns between the servers (A B C A B C ...) and has one server running at a time."""
import dataclasses
import os
import pathlib
import statistics
import sys
import time

import load
import procfs
from apps import WORKLOADS

EXTRA_APPS = 10
SYSTEM_CALL_SECONDS = 2


@dataclasses.dataclass(frozen=True)
class Plan:
    folder: pathlib.Path
    tools: object
    servers: list
    workloads: list
    rounds: int
    seconds: int
    warm_up: int
    runs: int
    memory_runs: int
    settle: int

    def serving(self, kind):
        """The servers that serve this kind of workload."""
        return [server for server in self.servers if kind in server.kinds]

    def start(self, server, workload, apps=1):
        return server.start(self.tools, workload, self.folder / server.name, apps)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def run(plan, measures):
    """All numbers, as results[server][figure] and results[server]["workloads"][workload][figure]; lists hold the single
    rounds, `None` is a figure that this server does not have."""
    results = {server.name: {"workloads": {workload.name: {} for workload in plan.workloads
                                           if workload.kind in server.kinds}}
               for server in plan.servers}
    steps = {"load": measure_load, "syscalls": measure_system_calls, "memory": measure_memory,
             "cold": measure_cold_start, "crash": measure_crash}
    for measure in measures:
        steps[measure](plan, results)
    return results


def measure_load(plan, results):
    for workload in plan.workloads:
        servers = plan.serving(workload.kind)
        samples = {server.name: [] for server in servers}
        for number in range(1, plan.rounds + 1):
            for server in servers:
                progress(f"round {number}/{plan.rounds}: {server.name} {workload.name}")
                samples[server.name].append(load_round(plan, server, workload))
        for name, rounds in samples.items():
            figures = {key: median(sample[key] for sample in rounds) for key in rounds[0] if key != "failed"}
            figures["failed"] = sum(sample["failed"] for sample in rounds)
            speeds = [sample["requests_per_second"] for sample in rounds]
            figures["spread"] = (max(speeds) - min(speeds)) / max(figures["requests_per_second"], 1)
            figures["rounds"] = rounds
            results[name]["workloads"][workload.name].update(figures)


def load_round(plan, server, workload):
    with plan.start(server, workload) as running:
        running.wait_ready()
        running.check(workload)
        load.wrk(running.ports[0], workload, plan.warm_up, running.folder)
        total, workers = running.cpu_seconds()
        machine, began = procfs.machine_seconds(), time.perf_counter()
        result = load.wrk(running.ports[0], workload, plan.seconds, running.folder)
        machine = procfs.machine_seconds() - machine
        available = (time.perf_counter() - began) * os.cpu_count()
        total_after, workers_after = running.cpu_seconds()
    requests = max(result.requests, 1)
    cpu = (total_after - total) / requests * 1e6
    cpu_worker = None if workers is None else (workers_after - workers) / requests * 1e6
    return {"requests_per_second": result.requests / result.seconds, "p50_ms": result.p50_ms, "p99_ms": result.p99_ms,
            "cpu_us": cpu, "cpu_worker_us": cpu_worker,
            "cpu_supervisor_us": None if cpu_worker is None else cpu - cpu_worker, "failed": result.failed,
            "other_load": max(0.0, machine - (total_after - total) - result.cpu_seconds) / available}


def measure_system_calls(plan, results):
    for workload in plan.workloads:
        for server in plan.serving(workload.kind):
            progress(f"system calls: {server.name} {workload.name}")
            with plan.start(server, workload) as running:
                running.wait_ready()
                load.wrk(running.ports[0], workload, 1, running.folder)
                calls = load.system_calls(running, workload, SYSTEM_CALL_SECONDS)
            results[server.name]["workloads"][workload.name]["system_calls"] = calls


def measure_memory(plan, results):
    """PSS once every app has answered and the server has been idle for a moment."""
    def idle_pss(server, apps):
        with plan.start(server, WORKLOADS["hello"], apps) as running:
            running.wait_ready()
            time.sleep(plan.settle)
            return running.pss_mib()

    for server, samples in take_turns(plan.serving("app"), plan.memory_runs, "memory", lambda server: (
            idle_pss(server, 1), idle_pss(server, 1 + EXTRA_APPS))):
        one, many = (median(column) for column in zip(*samples))
        results[server.name].update(pss_one_mib=one, pss_many_mib=many, pss_extra_mib=(many - one) / EXTRA_APPS)


def measure_cold_start(plan, results):
    def cold_start(server):
        with plan.start(server, WORKLOADS["hello"]) as running:
            return running.wait_ready() * 1e3

    for server, samples in take_turns(plan.serving("app"), plan.runs, "cold start", cold_start):
        results[server.name].update(cold_start_ms=median(samples), cold_start_runs_ms=samples)


def measure_crash(plan, results):
    """Ours only: the peers do not replace a crashed process."""
    def crash(server):
        with plan.start(server, WORKLOADS["hello"]) as running:
            running.wait_ready()
            time.sleep(0.2)  # let the start-up work end
            return running.kill_worker() * 1e3

    ours = [server for server in plan.servers if server.splits]
    for server, samples in take_turns(ours, plan.runs, "crash to ready", crash):
        results[server.name].update(crash_to_ready_ms=median(samples), crash_to_ready_runs_ms=samples)


def take_turns(servers, runs, title, sample):
    """Samples every server `runs` times in turn; pairs of a server and its samples."""
    samples = {server.name: [] for server in servers}
    for number in range(1, runs + 1):
        for server in servers:
            progress(f"{title} {number}/{runs}: {server.name}")
            samples[server.name].append(sample(server))
    return [(server, samples[server.name]) for server in servers]


def median(values):
    """The median, or None for a figure that the server does not have."""
    values = list(values)
    return None if None in values else statistics.median(values)
