const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escape = (text: unknown) => String(text).replace(/[&<>"]/g, (character) => entities[character]!);

export const head = `<!doctype html><html lang="en"><head><title>Nitro</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css"><script type="module" src="/client.js"></script></head><body>`;

export const page = (content: string) => `${head}${content}</body></html>`;
