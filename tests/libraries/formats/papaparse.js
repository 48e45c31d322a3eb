import Papa from "papaparse";
import { used } from "../used.js";

export default used(() => {
  const { data, meta, errors } = Papa.parse('name,n\n"a,b",1\nc\n', { header: true, delimiter: ",", dynamicTyping: true, skipEmptyLines: true });
  const steps = [];
  Papa.parse("1,2\n3,4", { step: ({ data }) => steps.push(data) });
  return [data, meta.fields, errors.map((error) => error.code), steps, Papa.unparse([{ a: 'x"y', b: 1 }])];
}, [[{ name: "a,b", n: 1 }, { name: "c" }], ["name", "n"], ["TooFewFields"], [["1", "2"], ["3", "4"]], 'a,b\r\n"x""y",1']);
