// What is known of the supervisor and of every app: what was told last, put together from what has changed since.

/** All of it. An app has, beside what is told of it, `told`: when. */
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

/** When it is tried again; none if it is not. */
export const retryAt = (app) => (app.retry_in_ms === null ? null : new Date(app.told + app.retry_in_ms));

/** Since when its worker has not returned to its event loop; none if it has. */
export const busySince = (app) => (app.busy_ms === null ? null : new Date(app.told - app.busy_ms));

/** When its last worker ended unasked; none if none has. */
export const lastExit = (app) => (app.last_exit_at === null ? null : new Date(app.last_exit_at));
