export default defineEventHandler(() => page('<p id="about">about this app</p>'));
