// Cards of the simulators: each is drawn again only when its data changed, and keeps the focus and open details.

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
