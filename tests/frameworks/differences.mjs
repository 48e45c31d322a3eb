// What may differ between an app here and the same app under workerd, with the reason. docs/frameworks.md tells users the same.

/** Returns a text with the same word for what is another at each time, or comes in other pieces. */
export const withoutWhatIsRandom = (text) =>
  text
    // When TanStack Router has loaded a part of the page, in milliseconds.
    .replace(/\bu:\d{13}\b/g, "u:TIME")
    // Next sends the data for the browser in as many scripts as there are moments in which some of it is ready.
    .replaceAll('"])</script><script>self.__next_f.push([1,"', "");

/** The apps that throw what they do not expect, instead of making a page of it. */
const THROWING = ["vite-worker"];

/** The build for Pages, whose files have a server of their own in wrangler. */
const PAGES = ["hono"];

const NOTHING = /^\(nothing\)$/;

/**
 * Each with the things that may differ (`what`), and what they are in either. It is for all apps unless it has `of`. A difference that is
 * gone fails as well.
 */
export const expected = [
  // A part of a file is sent here, and said to be. There, all of it is sent.
  { what: /: accept-ranges$/, ours: /^bytes$/, theirs: NOTHING },
  { what: /GET \/note\.txt range: status$/, ours: /^206$/, theirs: /^200$/ },
  { what: /GET \/note\.txt range: text$/, ours: /^no$/, theirs: /^a note\n$/ },
  { what: /GET \/note\.txt range: content-range$/, ours: /^bytes 2-3\/7$/, theirs: NOTHING },
  // RFC 9110 wants it beside 405.
  { what: /POST \/note\.txt: allow$/, ours: /^GET, HEAD$/, theirs: NOTHING },
  // It is of Cloudflare's cache.
  {
    of: ["astro", "next", "nitro", "nuxt", "react-router", "sveltekit", "tanstack-start", "vite-worker"],
    what: /: cf-cache-status$/,
    ours: NOTHING,
    theirs: /^HIT$/,
  },

  // wrangler shows the error to whoever develops the app. Here, it is in the log, and clients learn nothing of it.
  { of: THROWING, what: /: POST .*: text$/, ours: /^500 Internal Server Error\nThe app failed to answer\.\n$/, theirs: /^\w+Error: / },
  { of: THROWING, what: /: POST .*: content-type$/, ours: /^text\/plain; charset=utf-8$/, theirs: /^text\/plain;charset=UTF-8$/ },
  // Nuxt shows the message of an error. These of `formData()` are worded otherwise.
  {
    of: ["nuxt"],
    what: /POST \/form elsewhere: text$/,
    ours: /"Body can not be decoded as form data",500,/,
    theirs: /"Unrecognized Content-Type header value\. FormData can only parse [^"]*",500,/,
  },

  // Of wrangler alone, and not of Pages.
  { of: PAGES, what: /: x-server-env$/, ours: NOTHING, theirs: /^dev$/ },
  // RFC 9110 wants them beside 304, and the types are those of RFC 9239.
  { of: PAGES, what: /note\.txt again: cache-control$/, ours: /^public, max-age=0, must-revalidate$/, theirs: NOTHING },
  { of: PAGES, what: /note\.txt again: content-type$/, ours: /^text\/plain; charset=utf-8$/, theirs: NOTHING },
  { of: PAGES, what: /note\.txt again: etag$/, ours: /^an ETag$/, theirs: NOTHING },
  { of: PAGES, what: /note\.txt again: x-content-type-options$/, ours: /^nosniff$/, theirs: NOTHING },
  { of: PAGES, what: /client\.js: content-type$/, ours: /^text\/javascript; charset=utf-8$/, theirs: /^application\/javascript$/ },
  { of: PAGES, what: /client\.js$/, ours: /^200 text\/javascript; charset=utf-8$/, theirs: /^200 application\/javascript$/ },
  // That server fails for a path below a file.
  {
    of: PAGES,
    what: /GET \/note\.txt\/: (status|text|content-type)$/,
    ours: /^(404|\(nothing\))$/,
    theirs: /^(502|\[wrangler\] Could not serve static asset: .*|text\/plain;charset=UTF-8)$/s,
  },
  {
    of: PAGES,
    what: /GET \/note\.txt\/: (access-control-allow-origin|cache-control|referrer-policy)$/,
    ours: /^(\*|no-store|strict-origin-when-cross-origin)$/,
    theirs: NOTHING,
  },
];
