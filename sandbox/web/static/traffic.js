// The traffic between Slack, Rollcall and the providers, newest first, with the bodies of each call.

import { readTraffic } from "./api.js";
import { el } from "./dom.js";
import { part } from "./store.js";

/** Draw the traffic. Rows that are there keep their nodes, and with them their open bodies. */
export function drawTraffic(node) {
  const rows = part("traffic") ?? [];
  if (!node.firstChild) node.append(el("h3", {}, "Traffic"), el("p", { class: "note" }), el("ol", { class: "traffic" }));
  node.children[1].textContent = rows.length > 0 ? "Newest first. Open a call to see its bodies." : "Nothing yet.";
  const list = node.children[2];
  const known = new Map([...list.children].map((each) => [each.dataset.id, each]));
  const nodes = rows.toReversed().map((row) => {
    const old = known.get(row.id);
    const json = JSON.stringify(row);
    if (old?.json === json) return old;
    const fresh = drawRow(row);
    fresh.json = json;
    return fresh;
  });
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  list.replaceChildren(...nodes);
  if (focused !== undefined) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function drawRow(row) {
  const facts = [row.status, row.ms !== undefined && row.ms !== null && `${row.ms} ms`, row.via].filter(Boolean).join(" · ");
  const summary = el(
    "summary",
    { "data-key": row.id },
    el("span", { class: "note" }, `${row.from} → ${row.to} `),
    el("span", { class: "what" }, row.what),
    el("span", { class: row.ok ? "note" : "failed" }, ` ${facts}`),
  );
  const details = el("details", {}, summary);
  details.addEventListener("toggle", async () => {
    if (!details.open || details.children.length > 1) return;
    const { request, response } = await readTraffic(row.id);
    details.append(body("Request", request), body("Response", response));
  });
  return el("li", { "data-id": row.id }, details);
}

function body(label, content) {
  const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
  return el("div", {}, el("strong", {}, label), el("pre", { tabindex: "0", role: "region", "aria-label": label }, text ?? "none"));
}
