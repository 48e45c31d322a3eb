// Made at build time: a static file.
export const prerender = true;
