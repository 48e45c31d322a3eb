import matter from "gray-matter";
import { used } from "../used.js";

export default used(() => {
  const { data, content, excerpt } = matter("---\ntitle: a\ntags: [x]\n---\nshort\n---\nlong", { excerpt: true });
  return [data, content, excerpt, matter.stringify("text", { a: 1 })];
}, [{ title: "a", tags: ["x"] }, "short\n---\nlong", "short\n", "---\na: 1\n---\ntext\n"]);
