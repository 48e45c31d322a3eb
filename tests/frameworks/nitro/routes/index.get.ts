export default defineEventHandler((event) => {
  const { visitor = "everybody" } = getQuery(event);
  return page(`<h1>Nitro</h1><p id="visitor">made for ${escape(visitor)}</p>
    <button id="count" data-count="0">count 0</button><a href="/about">about</a>`);
});
