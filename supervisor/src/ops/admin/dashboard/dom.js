// Updates the page in place: unchanged nodes are not touched, so focus, selections and open details are kept.
// Texts come from apps and are untrusted: they are only ever inserted as text nodes.

/** The one element for a selector. */
export const find = (selector, within = document) => within.querySelector(selector);

/** Invisible characters, and those that change the text direction: control characters except tab and newline, bidi marks. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text with invisible characters escaped. */
export function visible(text) {
  const code = (char) => char.charCodeAt(0).toString(16);
  const shown = (char) => (char < "\u0100" ? `\\x${code(char).padStart(2, "0")}` : `\\u{${code(char)}}`);
  return text.replaceAll("\r\n", "\n").replace(UNSEEN, shown);
}

/** Sets the text of an element. */
export function setText(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** Sets an attribute. */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Shows or hides an element. */
export function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

/** A new element with a class and a text. */
export function make(kind, name = "", text = "") {
  const element = document.createElement(kind);
  if (name) element.className = name;
  setText(element, text);
  return element;
}

/** A copy of what is in a template. */
export function copyOf(template) {
  return find(`#${template}`).content.firstElementChild.cloneNode(true);
}

/** The parts of an element that texts go into, by name. */
export function fieldsOf(element) {
  const fields = {};
  for (const field of element.querySelectorAll("[data-field]")) fields[field.dataset.field] = field;
  return fields;
}

/** Puts these elements below `parent`, in this order. The one that has the focus is not moved, which would take it away, nor, if
 * none has, the one that is `open`, which would lose what it was scrolled to: the others are moved around it. */
export function arrange(parent, elements, open) {
  const fixed = elements.find((element) => element.contains(document.activeElement)) ?? open;
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const element of elements) {
    // Moves away elements before the fixed one that belong after it or are removed.
    while (element === fixed && place !== fixed) {
      const next = place.nextElementSibling;
      parent.append(place);
      place = next;
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}

/**
 * Makes the children of `parent` those of `items`, in this order: `make` makes the view of a new key, `update` gives it
 * its item, and views whose key is gone are removed. `views` remembers them by key; a view has an `element`.
 */
export function keep(parent, views, items, { key, make, update }) {
  const elements = [];
  const wanted = new Set();
  for (const item of items) {
    const name = key(item);
    wanted.add(name);
    let view = views.get(name);
    if (!view) views.set(name, (view = make(item)));
    update(view, item);
    elements.push(view.element);
  }
  for (const name of views.keys()) if (!wanted.has(name)) views.delete(name);
  arrange(parent, elements);
}
