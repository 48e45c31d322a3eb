"""The report: figures for each server, ratios ours/peer, and the aims with what became of them."""
from apps import WORKLOADS

OURS = "nano"

# key, heading, format
WORKLOAD_FIGURES = [
    ("requests_per_second", "requests/s", "{:,.0f}"),
    ("p50_ms", "p50 ms", "{:.2f}"),
    ("p99_ms", "p99 ms", "{:.2f}"),
    ("cpu_us", "CPU us/request", "{:.1f}"),
    ("cpu_supervisor_us", "supervisor", "{:.1f}"),
    ("cpu_worker_us", "worker", "{:.1f}"),
    ("system_calls", "system calls/request", "{:.2f}"),
    ("failed", "failed", "{:d}"),
    ("other_load", "other load", "{:.0%}"),
    ("spread", "spread", "{:.0%}"),
]
SERVER_FIGURES = [
    ("pss_one_mib", "PSS 1 app, MiB", "{:.1f}"),
    ("pss_many_mib", "PSS 11 apps, MiB", "{:.1f}"),
    ("pss_extra_mib", "MiB per extra app", "{:.1f}"),
    ("cold_start_ms", "cold start, ms", "{:.1f}"),
    ("crash_to_ready_ms", "crash to ready, ms", "{:.1f}"),
]
NO_RATIO = {"cpu_supervisor_us", "cpu_worker_us", "failed", "other_load", "spread"}

# text, (server compared with or None, workload or None, figure), whether more is better, bound
AIMS = [
    *[(f"{workload.name}: requests/s against {peer}", (peer, workload.name, "requests_per_second"), True, bound)
      for peer, bound in (("deno", 0.8), ("nginx-deno", 1.5)) for workload in WORKLOADS.values()
      if workload.kind == "app"],
    *[(f"{name}: requests/s against nginx", ("nginx", name, "requests_per_second"), True, 1)
      for name in ("file-1k", "file-64k")],
    ("cold start, ms", (None, None, "cold_start_ms"), False, 60),
    ("crash to ready, ms", (None, None, "crash_to_ready_ms"), False, 40),
    ("MiB PSS per extra idle app", (None, None, "pss_extra_mib"), False, 8),
    ("hello: CPU us/request, both processes", (None, "hello", "cpu_us"), False, 15),
    *[(f"{workload}: failed requests", (None, workload, "failed"), False, 0) for workload in WORKLOADS],
]


def figure(results, server, workload, key):
    """A number, or None where it was not measured."""
    found = results.get(server, {})
    return (found.get("workloads", {}).get(workload, {}) if workload else found).get(key)


def ratio(results, peer, workload, key):
    ours, theirs = figure(results, OURS, workload, key), figure(results, peer, workload, key)
    return ours / theirs if ours is not None and theirs else None


def ratios(results):
    """ratios[peer][figure] and ratios[peer]["workloads"][workload][figure], ours/peer."""
    if OURS not in results:
        return {}
    return {peer: {key: ratio(results, peer, None, key) for key, _, _ in SERVER_FIGURES} | {
        "workloads": {workload: {key: ratio(results, peer, workload, key)
                                 for key, _, _ in WORKLOAD_FIGURES if key not in NO_RATIO}
                      for workload in results[OURS]["workloads"]}}
        for peer in results if peer != OURS}


def aims(results):
    """Each aim with the value reached and `met`: True, False, or None where the value was not measured."""
    found = []
    for text, (peer, workload, key), more, bound in AIMS:
        value = ratio(results, peer, workload, key) if peer else figure(results, OURS, workload, key)
        met = None if value is None else value >= bound if more else value <= bound
        sign = "at least" if more else "at most"
        found.append({"aim": text, "bound": f"{sign} {bound}{'x' if peer else ''}", "value": value, "met": met})
    return found


def failed_requests(results):
    return sum(workload.get("failed", 0)
               for server in results.values() for workload in server["workloads"].values())


def table(rows):
    """Rows of text as columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [cell.ljust(width) if not number else cell.rjust(width)
                 for number, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def cell(pattern, value):
    return "-" if value is None else pattern.format(value)


def measured(results, workload, figures):
    """The figures that at least one server has."""
    return [entry for entry in figures
            if any(figure(results, name, workload, entry[0]) is not None for name in results)]


def show(machine, versions, results, all_ratios, all_aims):
    print(f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}")
    for name, version in versions.items():
        print(f"  {name}: {version}")
    workloads = [name for name in WORKLOADS if any(name in server["workloads"] for server in results.values())]
    for workload in workloads:
        if figures := measured(results, workload, WORKLOAD_FIGURES):
            print(f"\n{WORKLOADS[workload].title}")
            show_figures(results, workload, figures)
    if figures := measured(results, None, SERVER_FIGURES):
        print("\nMemory when idle, starts")
        show_figures(results, None, figures)
    if all_ratios:
        show_ratios(workloads, all_ratios)
    if OURS in results:
        print("\nAims")
        table([["aim", "bound", "value", ""]]
              + [[aim["aim"], aim["bound"], cell("{:.2f}", aim["value"]),
                  {True: "met", False: "MISSED", None: "not measured"}[aim["met"]]] for aim in all_aims])


def show_figures(results, workload, figures):
    table([["server", *[heading for _, heading, _ in figures]]]
          + [[name, *[cell(pattern, figure(results, name, workload, key)) for key, _, pattern in figures]]
             for name in results if any(figure(results, name, workload, key) is not None for key, _, _ in figures)])


def show_ratios(workloads, all_ratios):
    rows = []
    for workload in [*workloads, None]:
        for key, heading, _ in WORKLOAD_FIGURES if workload else SERVER_FIGURES:
            if key in NO_RATIO:
                continue
            values = [(peer["workloads"][workload] if workload else peer)[key] for peer in all_ratios.values()]
            if any(value is not None for value in values):
                better = "higher" if key == "requests_per_second" else "lower"
                rows.append([f"{workload}: {heading}" if workload else heading, better,
                             *[cell("{:.2f}", value) for value in values]])
    if rows:
        print("\nRatios ours/peer")
        table([["figure", "better", *all_ratios], *rows])
