export default defineEventHandler((event) => {
  setResponseStatus(event, 404);
  return page("<h1>nothing here</h1>");
});
