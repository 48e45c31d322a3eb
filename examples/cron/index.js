// A handler that runs at set times, and a page that shows its last result. Try it: nano-supervisor trigger cron
let last = "no report yet";

export default {
  fetch: () => new Response(last),
  async scheduled(controller, env, ctx) {
    const due = new Date(controller.scheduledTime).toISOString();
    // The run is over when this has settled, too.
    ctx.waitUntil(report(due));
  },
};

async function report(due) {
  await scheduler.wait(100);
  last = `the report of ${due}`;
  console.log("wrote", last);
}
