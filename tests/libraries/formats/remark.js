import { remark } from "remark";
import { used } from "../used.js";

export default used(async () => {
  const louder = () => (tree) => {
    for (const node of tree.children) if (node.type === "heading") node.children[0].value = node.children[0].value.toUpperCase();
  };
  return [String(await remark().use(louder).process("Title\n=====\n\n* a\n* b\n")), remark().parse("a *b*").children[0].children.map((node) => node.type)];
}, ["# TITLE\n\n* a\n* b\n", ["text", "emphasis"]]);
