// What is known of the supervisor and of every app: what was told last, put together from what has changed since.

/** How long what the clock does to an app is known: names, and the time at which they were told. */
export const known = { mark: undefined, supervisor: null, machine: null, spares: [], names: [], apps: new Map(), heard: null };

/** Takes in an answer to `/v1/news`; the names of the apps that have changed. */
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

/** Seconds since an app was told of. */
const since = (app) => (Date.now() - app.told) / 1000;

/** For how many seconds its worker has been ready; none without one. */
export const uptime = (app) => (app.uptime_seconds === null ? null : app.uptime_seconds + since(app));

/** In how many seconds it is tried again; none if it is not. */
export function retryIn(app) {
  if (app.retry_in_ms === null || app.retry_in_ms === undefined) return null;
  return Math.max(0, app.retry_in_ms / 1000 - since(app));
}

/** How many seconds ago its last worker ended unasked; none if none has. */
export const lastExitAgo = (app) => (app.last_exit_at ? Math.max(0, (Date.now() - Date.parse(app.last_exit_at)) / 1000) : null);
