// The modal that a person sees: the top of their stack of views.

import { deliver } from "./api.js";
import { el } from "./dom.js";
import { valuesIn } from "./fields.js";
import { onChange, part, place } from "./store.js";
import { drawView, isComplete } from "./view.js";

let dialog = null;
let body = null;
let shownHash = "";
let shownId = "";

/** Keep the dialog as the stream says. */
export function startModal() {
  onChange(["modal"], () => {
    const shown = part("modal");
    if (!shown) return remove();
    const hash = JSON.stringify([shown.view.hash, shown.errors]);
    if (hash === shownHash) return;
    const same = shown.view.id === shownId;
    if (!dialog) open();
    shownHash = hash;
    shownId = shown.view.id;
    drawHead(shown.view);
    drawView(body, shown, same);
    if (!same) body.querySelector("input, select, textarea")?.focus();
    else if (Object.keys(shown.errors).length > 0) body.querySelector("[aria-invalid=true]")?.focus();
  });
}

function open() {
  body = el("div", { class: "modal-body" });
  dialog = el("dialog", { class: "modal", "aria-labelledby": "modal-title" });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.getElementById("dialogs").append(dialog);
  dialog.showModal();
}

function drawHead(view) {
  const form = el(
    "form",
    { novalidate: true, onsubmit: submit },
    el(
      "div",
      { class: "modal-head" },
      el("h2", { id: "modal-title", tabindex: "-1" }, view.title.text),
      el("button", { type: "button", "aria-label": "Close", onclick: close }, "✕"),
    ),
    el("div", { class: "dialog-alerts", role: "alert" }),
    body,
    el(
      "div",
      { class: "buttons" },
      el("button", { type: "button", class: "button", "data-key": "modal-close", onclick: close }, view.close?.text ?? "Cancel"),
      view.submit && el("button", { type: "submit", class: "button primary", "data-key": "modal-submit" }, view.submit.text),
    ),
  );
  const focused = document.activeElement?.dataset.key;
  dialog.replaceChildren(form);
  if (focused) dialog.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

async function submit(event) {
  event.preventDefault();
  const { view } = part("modal") ?? {};
  const button = dialog.querySelector("[type=submit]");
  if (!view || !button || button.getAttribute("aria-busy") === "true" || !(await isComplete(body, view))) return;
  button.setAttribute("aria-busy", "true");
  await deliver("submit", { user: place.user, view_id: view.id, values: await valuesIn(body) });
  button.removeAttribute("aria-busy");
}

function close() {
  const shown = part("modal");
  if (shown) deliver("close", { user: place.user, view_id: shown.view.id });
}

function remove() {
  dialog?.remove();
  [dialog, body, shownHash, shownId] = [null, null, "", ""];
}
