// Serves an app by miniflare. Run by Node, in the folder with its package:
//
//   node miniflare.mjs OPTIONS
//
// OPTIONS are those of miniflare, as JSON. Prints the address, and ends with its input.

import { Miniflare } from "miniflare";

const options = JSON.parse(process.argv[2]);
const miniflare = new Miniflare({ ...options, host: "127.0.0.1", port: 0, cf: false });
console.log(`listens on ${(await miniflare.ready).host}`);
process.stdin.resume();
process.stdin.on("end", async () => {
  await miniflare.dispose();
  process.exit();
});
