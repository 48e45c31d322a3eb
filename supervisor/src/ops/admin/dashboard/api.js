// Asks the supervisor, with the token if it wants one.

const TOKEN = "nano-admin-token";

/** Until an answer to a question must be there, in milliseconds; changes take as long as workers do. */
const PATIENCE = 5000;

/** The supervisor wants a token, or another one. */
export class TokenNeeded extends Error {}

/** The supervisor answered that it did not work; the message is for people. */
export class Refused extends Error {}

/** The token of this tab; none if it has none. */
export const token = () => sessionStorage.getItem(TOKEN);

/** Remembers a token until the tab is closed. */
export const remember = (value) => sessionStorage.setItem(TOKEN, value);

/** Forgets the token. */
export const forget = () => sessionStorage.removeItem(TOKEN);

/** Whether the supervisor has said that without the token there is no more to be seen than what has changed. */
let isLookingOn = false;

/** What it has said of that. */
export const lookOn = (value) => (isLookingOn = value);

/** Whether it would only say that it wants the token. */
const isVain = (path) => isLookingOn && token() === null && !/^\/v1\/(news|apps\/[^/]+\/history)(\?|$)/.test(path);

/** The path of an app, with a query. */
export function pathOf(app, rest, query = {}) {
  const parts = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
  return `/v1/apps/${encodeURIComponent(app)}/${rest}${parts.size ? `?${parts}` : ""}`;
}

/** The answer to a question. */
export const get = async (path) => (await ask(path, { signal: AbortSignal.timeout(PATIENCE) })).json();

/** The answer to a change. No other page can send this header. */
export const post = async (path) => (await ask(path, { method: "POST", headers: { "x-nano-admin": "1" } })).json();

/** The answer to something being taken back. */
export const remove = async (path) => (await ask(path, { method: "DELETE", headers: { "x-nano-admin": "1" } })).json();

/** The lines of an answer, as they come, several at a time. */
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
