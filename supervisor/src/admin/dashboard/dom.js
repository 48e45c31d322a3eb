// Changes the page in place: what has not changed is not touched, so focus, selections and open details stay.
// Texts come from apps and must be thought hostile: they go into the page as text and in no other way.

/** The one element for a selector. */
export const find = (selector, within = document) => within.querySelector(selector);

/** Sets the text of an element. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute. */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
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

/**
 * Makes the children of `parent` those of `items`, in this order: `make` makes the view of a new key, `update` gives it
 * its item, and views whose key is gone are removed. `views` remembers them by key; a view has an `element`.
 */
export function keep(parent, views, items, { key, make, update }) {
  const wanted = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    wanted.add(name);
    let view = views.get(name);
    if (!view) views.set(name, (view = make(item)));
    update(view, item);
    if (view.element === place) place = place.nextElementSibling;
    else parent.insertBefore(view.element, place);
  }
  for (const [name, view] of views) {
    if (wanted.has(name)) continue;
    view.element.remove();
    views.delete(name);
  }
}
