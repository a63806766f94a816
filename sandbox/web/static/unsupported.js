// What this page can't draw is shown as an error, never dropped.

import { el } from "./dom.js";

/** Return an error in the place of a block or an element. */
export function unsupported(object) {
  const json = el("pre", { tabindex: "0", "aria-label": "The block as JSON" }, JSON.stringify(object, null, 1));
  return el("div", { class: "unsupported" }, el("strong", {}, `The sandbox can't draw “${object?.type}”.`), json);
}
