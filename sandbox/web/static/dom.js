// Builds DOM nodes. Text is always set as text, never as HTML.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "multiple", "open", "selected", "required"]);

/** Return a new element. `on…` attributes are listeners; null, undefined and false leave an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

let numbers = 0;

/** Return an id that no other element has. */
export function newId(prefix) {
  numbers += 1;
  return `${prefix}-${numbers}`;
}

/** Replace the children of a node, and keep the focus on the element with the same `data-key`. */
export function replaceKeepingFocus(node, ...children) {
  const key = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  node.replaceChildren(...children);
  if (key !== undefined) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** Return a menu: a button that shows other buttons. It closes on Escape, after a choice, and when the focus leaves. */
export function menu(label, sign, items, key) {
  const list = el("div", { class: "menu-items" });
  const opener = el("summary", { "aria-label": label, "data-key": key, title: label }, sign);
  const details = el("details", { class: "menu" }, opener, list);
  for (const { text, description, run, id } of items) {
    const close = () => {
      details.open = false;
      opener.focus();
      run();
    };
    list.append(el("button", { type: "button", onclick: close, "data-key": id }, text, description && el("small", {}, description)));
  }
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    event.preventDefault();
    details.open = false;
    opener.focus();
  });
  details.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
  });
  return details;
}
