// The confirmation dialog of a button or a menu.

import { el, newId } from "./dom.js";
import { textObject } from "./text.js";

/** Ask for a confirmation. Return a promise of whether the person confirmed; true without a question. */
export function confirmed(question) {
  if (!question) return Promise.resolve(true);
  const title = newId("confirm");
  let answer = false;
  const choose = (value) => () => {
    answer = value;
    dialog.close();
  };
  const yes = el("button", { type: "button", class: `button ${question.style ?? "primary"}`, onclick: choose(true) }, question.confirm.text);
  const dialog = el(
    "dialog",
    { class: "confirm", "aria-labelledby": title },
    el("h2", { id: title }, question.title.text),
    el("div", {}, textObject(question.text)),
    el(
      "div",
      { class: "buttons" },
      el("button", { type: "button", class: "button", onclick: choose(false) }, question.deny.text),
      yes,
    ),
  );
  document.getElementById("dialogs").append(dialog);
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
  });
}
