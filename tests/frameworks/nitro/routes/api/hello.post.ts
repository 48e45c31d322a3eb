export default defineEventHandler(async (event) => ({ hello: (await readBody(event)).name }));
