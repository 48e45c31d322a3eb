// The charts of the open app. All of them show the same second.

import { get, pathOf } from "./api.js";
import { draw, makeChart, showReading } from "./chart.js";
import { bytes, latency, percent, whole } from "./format.js";

/** Seconds that are shown. */
const SHOWN = 120;

/** Creates the charts of an app. */
export function makeCurves(name, { curves }) {
  let next = 0;
  let seconds = [];
  let isAsking = false;
  let isOver = false;
  const point = (ago) => charts.forEach((chart) => showReading(chart, ago));
  const errors = ({ errors }) => (errors ? `${whole(errors)} of them 5xx` : "");
  const charts = [
    makeChart("Requests", { unit: (count) => `${whole(count)}/s`, note: errors, point }),
    makeChart("Latency, p99", { unit: latency, point }),
    makeChart("Memory", { unit: bytes, point }),
    makeChart("CPU", { unit: percent, point }),
  ];
  curves.append(...charts.map(({ element }) => element));
  const [requests, p99, memory, cpu] = charts;

  const show = (app) => {
    draw(requests, seconds, { value: (second) => second.requests, marks: (second) => second.errors, least: 5 });
    draw(p99, seconds, { value: (second) => second.p99_ms, least: 5 });
    draw(memory, seconds, { value: (second) => second.memory || null, limit: app.memory_limit ?? null, least: 1 << 20 });
    draw(cpu, seconds, { value: (second) => second.cpu_percent, limit: 100, limitName: "one core" });
  };

  return {
    async refresh(app) {
      if (isAsking) return;
      isAsking = true;
      try {
        const told = await get(pathOf(name, "history", { since: next || undefined }));
        if (isOver) return;
        // A new supervisor starts counting again, and sends its whole history.
        seconds = [...(told.next < next ? [] : seconds), ...told.seconds].slice(-SHOWN);
        next = told.next;
        show(app);
      } catch {
        // If the supervisor is gone, the next poll will notice.
      } finally {
        isAsking = false;
      }
    },
    end() {
      isOver = true;
    },
  };
}
