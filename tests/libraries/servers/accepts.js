import accepts from "accepts";
import { used } from "../used.js";

export default used(() => {
  const accept = accepts({ headers: { accept: "text/*;q=.5, application/json", "accept-encoding": "br;q=0.1, gzip", "accept-language": "de-CH, en;q=0.5" } });
  return [accept.types(["html", "json"]), accept.encodings(["br", "gzip"]), accept.languages("en", "de-CH"), accept.type("image/png")];
}, ["json", "gzip", "de-CH", false]);
