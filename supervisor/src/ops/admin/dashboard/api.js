// The client of the supervisor's API, with the token if it needs one.

const TOKEN = "nano-admin-token";

/** Timeout of reads, in milliseconds. Changes have none: they take as long as workers do. */
const PATIENCE = 5000;

/** The supervisor requires a token, or rejected the one sent. */
export class TokenNeeded extends Error {}

/** The supervisor answered with an error; the message is for people. */
export class Refused extends Error {}

/** The token of this tab, or null. */
export const token = () => sessionStorage.getItem(TOKEN);

/** Remembers a token until the tab is closed. */
export const remember = (value) => sessionStorage.setItem(TOKEN, value);

/** Forgets the token. */
export const forget = () => sessionStorage.removeItem(TOKEN);

/** Whether only the overview is available without the token, as the supervisor has said with `is_partial`. */
let isLookingOn = false;

/** Sets that. */
export const lookOn = (value) => (isLookingOn = value);

/** Whether a request without the token is certain to be rejected. */
const isVain = (path) => isLookingOn && token() === null && !/^\/v1\/(news|apps\/[^/]+\/history)(\?|$)/.test(path);

/** The path of an app, with a query. */
export function pathOf(app, rest, query = {}) {
  const parts = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
  return `/v1/apps/${encodeURIComponent(app)}/${rest}${parts.size ? `?${parts}` : ""}`;
}

/** Sends a GET request. */
export const get = async (path) => (await ask(path, { signal: AbortSignal.timeout(PATIENCE) })).json();

/** Sends a POST request. No page of another origin can send this header. */
export const post = async (path) => (await ask(path, { method: "POST", headers: { "x-nano-admin": "1" } })).json();

/** Sends a DELETE request. */
export const remove = async (path) => (await ask(path, { method: "DELETE", headers: { "x-nano-admin": "1" } })).json();

/** Yields the lines of a streamed response, several at a time. */
export async function* lines(path, signal) {
  const response = await ask(path, { signal });
  let rest = "";
  for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n");
    rest = whole.pop();
    if (whole.length) yield whole;
  }
}

async function ask(path, { headers = {}, ...options }) {
  if (isVain(path)) throw new TokenNeeded();
  const known = token();
  if (known !== null) headers.authorization = `Bearer ${known}`;
  const response = await fetch(path, { ...options, headers, cache: "no-store", redirect: "error" });
  if (response.status === 401) throw new TokenNeeded();
  if (response.ok) return response;
  const text = await response.text();
  throw new Refused(errorOf(text) ?? `${response.status} ${text.trim()}`);
}

function errorOf(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return undefined;
  }
}
