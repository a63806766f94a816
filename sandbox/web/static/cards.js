// Cards of the simulators: each is drawn again only when its data changed, and keeps the focus and open details.

import { el, newId } from "./dom.js";

/** Return a labelled menu of `[value, text]` entries; `act` is called with a choice, else the choice is kept. */
export function choice(key, label, entries, chosen, act) {
  const id = newId("choice");
  const options = entries.map(([value, text]) => el("option", { value, selected: value === chosen }, text));
  const attributes = { id, "data-key": key, "data-kept": act ? null : true, onchange: (event) => act?.(event.target.value) };
  return el("div", { class: "choice-line" }, el("label", { for: id }, label), el("select", attributes, options));
}

/** Return the value of such a menu. */
export function chosen(line) {
  return line.querySelector("select").value;
}

/** Draw `node` with the children that `draw` returns, if `data` differs from the last time. */
export function drawIfChanged(node, data, draw) {
  const json = JSON.stringify(data);
  if (node.json === json) return;
  node.json = json;
  const open = new Set([...node.querySelectorAll("details[open]")].map((each) => each.dataset.key));
  const typed = new Map([...node.querySelectorAll("[data-kept]")].map((each) => [each.dataset.key, each.value]));
  const key = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  node.replaceChildren(...draw().flat(Infinity).filter(Boolean));
  for (const each of node.querySelectorAll("details")) each.open = each.open || open.has(each.dataset.key);
  for (const each of node.querySelectorAll("[data-kept]")) each.value = typed.get(each.dataset.key) ?? each.value;
  if (key !== undefined) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}
