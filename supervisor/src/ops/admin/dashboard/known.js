// The client-side state: the supervisor and every app, updated from the changes of each poll.

/** The state. An app also has `told`, the time of its last update. */
export const known = { mark: undefined, supervisor: null, machine: null, spares: [], names: [], apps: new Map(), heard: null };

/** Applies a response of `/v1/news`. Returns the names of the changed apps. */
export function takeIn({ mark, names, apps, machine, spares, version, pid }) {
  const now = Date.now();
  Object.assign(known, { mark, machine, spares, supervisor: { version, pid }, heard: new Date() });
  for (const app of apps) known.apps.set(app.app, { ...app, told: now });
  if (names) {
    known.names = names;
    const there = new Set(names);
    for (const name of known.apps.keys()) if (!there.has(name)) known.apps.delete(name);
  }
  return new Set(apps.map((app) => app.app));
}

/** Forgets everything. */
export const forgetAll = () => Object.assign(known, { mark: undefined, supervisor: null, names: [], apps: new Map(), heard: null });

/** Every app, in the order of the supervisor. */
export const apps = () => known.names.map((name) => known.apps.get(name)).filter(Boolean);

/** Seconds since the last update of an app. */
const since = (app) => (Date.now() - app.told) / 1000;

/** For how many seconds its worker has been ready, or null. */
export const uptime = (app) => (app.uptime_seconds === null ? null : app.uptime_seconds + since(app));

/** The time of the next retry, or null. */
export const retryAt = (app) => (app.retry_in_ms === null ? null : new Date(app.told + app.retry_in_ms));

/** Since when its worker has not returned to its event loop, or null. */
export const busySince = (app) => (app.busy_ms === null ? null : new Date(app.told - app.busy_ms));

/** The time of the last unexpected worker exit, or null. */
export const lastExit = (app) => (app.last_exit_at === null ? null : new Date(app.last_exit_at));
