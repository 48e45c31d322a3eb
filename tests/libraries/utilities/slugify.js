import slugify from "slugify";
import { used } from "../used.js";

export default used(() => [slugify("Straße nach Århus!", { lower: true, strict: true, locale: "de" }), slugify("a b", "_")], ["strasse-nach-arhus", "a_b"]);
