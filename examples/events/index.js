// Server-sent events: one tick a second, until the client goes away.
export default {
  fetch(request) {
    const encoder = new TextEncoder();
    let timer;
    const body = new ReadableStream({
      start(controller) {
        let count = 0;
        const tick = () => controller.enqueue(encoder.encode(`data: tick ${++count}\n\n`));
        tick();
        timer = setInterval(tick, 1000);
      },
      cancel() {
        clearInterval(timer);
        console.log("the client went away");
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
};
