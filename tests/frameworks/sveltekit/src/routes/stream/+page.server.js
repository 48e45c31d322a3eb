// A promise inside the data is sent when it is settled; the page does not wait for it.
export const load = ({ url, fetch }) => ({ late: fetch(url.searchParams.get("gate")).then((response) => response.text()) });
