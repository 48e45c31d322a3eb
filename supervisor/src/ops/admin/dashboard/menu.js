// The menu of an app: its actions and addresses. By mouse, touch and keyboard.

import { act, isBusy, possible } from "./actions.js";
import { find, make, setAttribute } from "./dom.js";
import { known } from "./known.js";
import { addressesOf, linkTo } from "./row.js";

const menu = find("#menu");
let opener = null;

/** Opens the menu of an app below the button that was pressed, or closes it. */
export function openMenu(button, name) {
  if (opener === button) return menu.hidePopover();
  const app = known.apps.get(name);
  if (!app) return;
  const items = isBusy(name) ? [] : possible(app).map(({ verb, word, means, isHarmful }) => itemFor(verb, word, means, isHarmful, name));
  const links = addressesOf(app).filter(({ url }) => url).map((address) => {
    const link = linkTo({ ...address, text: `Open ${address.text}` });
    setAttribute(link, "role", "menuitem");
    return link;
  });
  menu.replaceChildren(...items, ...links);
  for (const item of menu.children) item.tabIndex = -1;
  if (!menu.children.length) return;
  setAttribute(menu, "aria-label", `More for ${name}`);
  // Opening one closes the other, whose event is asynchronous: by then this is the opener.
  opener = button;
  menu.showPopover();
  setAttribute(button, "aria-expanded", "true");
  place(button);
  menu.firstElementChild.focus();
}

function itemFor(verb, word, means, isHarmful, name) {
  const item = make("button", isHarmful ? "harmful" : "", word);
  item.type = "button";
  item.dataset.verb = verb;
  setAttribute(item, "role", "menuitem");
  item.append(make("span", "quiet", means));
  item.addEventListener("click", () => {
    close();
    act(verb, name);
  });
  return item;
}

function place(button) {
  const { right, top, bottom } = button.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = menu;
  const isBelow = bottom + offsetHeight + 8 < innerHeight || top < offsetHeight + 8;
  menu.style.left = `${Math.max(8, right - offsetWidth)}px`;
  menu.style.top = `${isBelow ? bottom + 4 : top - offsetHeight - 4}px`;
}

/** Closes it; the focus goes back to where it was. */
function close() {
  const button = opener;
  // The close event is asynchronous: the button may be pressed before it.
  opener = null;
  menu.hidePopover();
  button?.focus();
}

menu.addEventListener("toggle", ({ newState }) => {
  if (newState !== "closed") return;
  for (const button of document.querySelectorAll(".more[aria-expanded=true]")) setAttribute(button, "aria-expanded", "false");
  opener = null;
});

menu.addEventListener("keydown", (event) => {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 };
  if (event.key in steps) {
    event.preventDefault();
    items[steps[event.key] % items.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    close();
  }
});

// It is placed beside its button, which moves.
for (const event of ["scroll", "resize"]) addEventListener(event, () => opener && place(opener), { passive: true });
