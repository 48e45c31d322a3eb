export default defineEventHandler(async (event) => {
  const form = '<form method="post"><input id="name" name="name"><button id="send">send</button></form>';
  if (event.method !== "POST") return page(form);
  const { env } = event.context.cloudflare;
  const name = (await readFormData(event)).get("name");
  return page(`${form}<p id="greeting">${escape(env.GREETING)} ${escape(name)}</p>`);
});
