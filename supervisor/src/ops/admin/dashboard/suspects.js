// The requests that are suspected of ending the open app's workers, and those that are refused until they are released.

import { release } from "./actions.js";
import { get, pathOf } from "./api.js";
import { copyOf, fieldsOf, keep, setAttribute, setHidden, setText } from "./dom.js";

/** Creates the list of an app. */
export function makeSuspects(name, { suspects: list, "suspects-section": section, refuse }) {
  const views = new Map();
  let seen = null;
  let isAsking = false;
  return {
    async refresh(app) {
      // Suspects change with a crash or with a new worker.
      const now = JSON.stringify([app.crashes, app.pid, app.told]);
      if (isAsking || seen === now) return;
      isAsking = true;
      try {
        const suspects = await get(pathOf(name, "quarantine"));
        seen = now;
        setHidden(section, suspects.length === 0);
        setHidden(refuse, !isMissed(suspects));
        const key = ({ method, path }) => `${method} ${path}`;
        keep(list, views, suspects, { key, make: (suspect) => makeSuspect(name, suspect), update });
      } catch {
        // Failures and a missing token are shown elsewhere.
      } finally {
        isAsking = false;
      }
    },
  };
}

/** Whether one of them would be refused if `quarantine` were on; the same rule as the supervisor's. */
function isMissed(suspects) {
  const unnamed = suspects.filter(({ named }) => named === 0);
  const isClear = ({ named, in_flight }) => named >= 2 || (named === 0 && in_flight > 0 && unnamed.length === 1);
  return suspects.some((suspect) => isClear(suspect) && !suspect.is_refused);
}

function makeSuspect(name, { method, path }) {
  const element = copyOf("suspect");
  const fields = fieldsOf(element);
  setText(fields.kind, `${method} ${path}`);
  setAttribute(fields.release, "aria-label", `Release ${method} ${path}`);
  fields.release.addEventListener("click", () => release(name, method, path));
  return { element, fields };
}

function update({ fields }, { named, in_flight, of, is_refused }) {
  const parts = [named && `named for ${named} of the last ${of}`, in_flight && `in flight at ${in_flight} of the last ${of}`];
  setText(fields.evidence, parts.filter(Boolean).join(", "));
  setHidden(fields.refused, !is_refused);
  setHidden(fields.release, !is_refused);
}
