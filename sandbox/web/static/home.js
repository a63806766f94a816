// The app's Home tab.

import { el } from "./dom.js";
import { part } from "./store.js";
import { drawView } from "./view.js";

let shownHash = "";
const body = el("div", { class: "home", tabindex: "0", role: "region", "aria-label": "Home tab" });

/** Return the Home tab's node, drawn as the stream says. */
export function drawHome() {
  const shown = part("home");
  if (!shown) {
    body.replaceChildren(el("p", { class: "note" }, "Rollcall hasn't published its Home tab yet."));
    shownHash = "";
    return body;
  }
  if (shown.view.hash !== shownHash) {
    drawView(body, shown, shownHash !== "");
    shownHash = shown.view.hash;
  }
  return body;
}

/** Forget what was drawn, for another person. */
export function forgetHome() {
  shownHash = "";
}
