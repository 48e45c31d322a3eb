import { parseHTML } from "linkedom";
import { used } from "../used.js";

export default used(() => {
  const { document, CustomEvent } = parseHTML("<html><body><ul><li>a</li></ul></body></html>");
  const item = document.createElement("li");
  item.textContent = "<b>";
  item.classList.add("new");
  const heard = [];
  document.querySelector("ul").addEventListener("ping", (event) => heard.push(event.target.textContent));
  document.querySelector("ul").append(item);
  item.dispatchEvent(new CustomEvent("ping", { bubbles: true }));
  return [document.body.innerHTML, document.querySelectorAll("li.new").length, heard];
}, ['<ul><li>a</li><li class="new">&lt;b&gt;</li></ul>', 1, ["<b>"]]);
