// The deploys of the open app, with rollback to each.

import { act, short } from "./actions.js";
import { TokenNeeded, get, pathOf, token } from "./api.js";
import { copyOf, fieldsOf, keep, setAttribute, setHidden, setText } from "./dom.js";
import { moment } from "./format.js";

/** Creates the list of an app. */
export function makeDeploys(name, { deploys: list, "deploys-section": section }) {
  const views = new Map();
  let seen = null;
  /** The token that was rejected. There is no point in sending it again. */
  let refused;
  let isAsking = false;
  return {
    async refresh(app) {
      // Every deploy changes the worker.
      const now = JSON.stringify([app.state, app.pid, app.restarts, app.deploys]);
      if (isAsking || token() === refused || seen === now) return;
      isAsking = true;
      try {
        const { deploys } = await get(pathOf(name, "deploys"));
        seen = now;
        setHidden(section, deploys.length === 0);
        keep(list, views, deploys, { key: ({ digest }) => digest, make: (deploy) => makeDeploy(name, deploy), update });
      } catch (error) {
        // If the supervisor is gone, the next poll will notice.
        if (error instanceof TokenNeeded) refused = token();
      } finally {
        isAsking = false;
      }
    },
  };
}

function makeDeploy(name, { digest }) {
  const element = copyOf("deploy");
  const fields = fieldsOf(element);
  setText(fields.digest, short(digest));
  setAttribute(fields.back, "aria-label", `Roll ${name} back to ${short(digest)}`);
  fields.back.addEventListener("click", () => act("rollback", name, digest));
  return { element, fields };
}

function update({ fields }, { deployed_at, is_current }) {
  setAttribute(fields.at, "datetime", deployed_at);
  setText(fields.at, moment(new Date(deployed_at)));
  setHidden(fields.back, is_current);
  setHidden(fields.current, !is_current);
}
